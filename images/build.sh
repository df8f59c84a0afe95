#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the images from dist/ with docker, or with buildah where no Docker daemon answers:
#
#   IMAGE_PREFIX/operator:TAG    IMAGE_PREFIX/kms-node:TAG    IMAGE_PREFIX/kmsctl:TAG
#
# Variables: IMAGE_PREFIX (kmspool; a registry may stand before it), TAG (the version), BASE (the Dockerfiles' default), BUILDER (docker or buildah),
# BUILD_FLAGS (passed on, e.g. "--platform linux/arm64"), IMAGES (which ones). It pushes nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
prefix=${IMAGE_PREFIX:-kmspool}
version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' package.json)
tag=${TAG:-$version}
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
builder=${BUILDER:-}

if [ -z "$builder" ]; then
  if docker info >/dev/null 2>&1; then builder=docker
  elif command -v buildah >/dev/null; then builder=buildah
  else
    echo "no builder of images here: start Docker, or install buildah (Debian: apt-get install buildah)" >&2
    exit 1
  fi
fi

cp LICENSE dist/LICENSE
for image in ${IMAGES:-operator kms-node kmsctl}; do
  arguments=(--file "images/$image.Dockerfile" --tag "$prefix/$image:$tag" --build-arg "VERSION=$version" --build-arg "REVISION=$revision")
  [ -z "${BASE:-}" ] || arguments+=(--build-arg "BASE=$BASE")
  # shellcheck disable=SC2206 # flags are words
  arguments+=(${BUILD_FLAGS:-})
  case $builder in
    docker) docker build "${arguments[@]}" dist ;;
    # In a container or without user namespaces, e.g. BUILDAH_FLAGS="--storage-driver vfs" and BUILD_FLAGS="--isolation chroot".
    buildah) buildah ${BUILDAH_FLAGS:-} build "${arguments[@]}" dist ;;
    *) echo "BUILDER=$builder is not known; use docker or buildah" >&2; exit 2 ;;
  esac
  echo "built $prefix/$image:$tag"
done
