# SPDX-License-Identifier: Apache-2.0
# The operator. Build context: dist/ (`make images`). BASE holds node 24 or later on its PATH and libc; no shell is needed.
ARG BASE=node:26-slim
FROM ${BASE}
ARG VERSION=0.0.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="kmspool operator" \
      org.opencontainers.image.description="Turns every KmsHostPool into a fleet of emulated KMS hosts." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
ENV NODE_ENV=production
COPY LICENSE sbom.cdx.json /licenses/
COPY kmspool-operator.mjs /app/
USER 65532:65532
# Of the container's memory limit; the rest is for what is not heap. The semi-space is that of operator/node-flags.ts.
ENTRYPOINT ["node", "--max-semi-space-size=4", "--max-old-space-size-percentage=65", "/app/kmspool-operator.mjs"]
