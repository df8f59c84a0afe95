# SPDX-License-Identifier: Apache-2.0
# One KMS host. Build context: dist/ (`make images`). BASE holds node 24 or later on its PATH and libc; no shell is needed.
ARG BASE=node:26-slim
FROM ${BASE}
ARG VERSION=0.0.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="kmspool host" \
      org.opencontainers.image.description="One emulated KMS host of a pool." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
ENV NODE_ENV=production
COPY LICENSE sbom.cdx.json /licenses/
COPY kms-node.mjs /app/
USER 65532:65532
EXPOSE 1688 8080
# The flags are those of kms-node/node-flags.ts; a test holds them together.
ENTRYPOINT ["node", "--max-semi-space-size=8", "--max-old-space-size=256", "/app/kms-node.mjs"]
