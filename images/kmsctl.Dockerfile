# SPDX-License-Identifier: Apache-2.0
# kmsctl, for `helm test` and for clients inside a cluster. Build context: dist/ (`make images`). BASE holds node 24 or later on its PATH and libc.
ARG BASE=node:26-slim
FROM ${BASE}
ARG VERSION=0.0.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="kmsctl" \
      org.opencontainers.image.description="The command line of kmspool: simulated clients, and what an administrator asks of a pool." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
ENV NODE_ENV=production
COPY LICENSE sbom.cdx.json /licenses/
COPY kmsctl.mjs /app/
USER 65532:65532
ENTRYPOINT ["node", "/app/kmsctl.mjs"]
