# A root file system made in one stage, of a Python and what it needs, is all that the image has: no shell, no pip, no
# package manager. A base of one's own (`--build-arg BASE=…`, by digest where a build must not change) needs glibc and
# Python 3.11 or newer with its venv module; nothing of it is left but what `assemble.py` takes.
#
#   docker build -t regsync .                    regsync
#   docker build -t regsync --target cloud .     with the credential helpers of Amazon's and Google's registries
ARG BASE=docker.io/library/python:3.13-slim
ARG GO_BASE=docker.io/library/golang:1.26

FROM ${BASE} AS build
WORKDIR /build
COPY requirements.txt requirements-build.txt ./
RUN python3 -m venv /opt/build \
 && /opt/build/bin/pip install --require-hashes --only-binary :all: -r requirements-build.txt \
 && python3 -m venv --without-pip /opt/regsync \
 && /opt/build/bin/pip --python /opt/regsync/bin/python install --no-compile --require-hashes --only-binary :all: -r requirements.txt
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY regsync ./regsync
COPY deploy/image/assemble.py ./
ARG SOURCE_DATE_EPOCH=0
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /dist . \
 && /opt/build/bin/pip --python /opt/regsync/bin/python install --no-compile --no-deps --no-index /dist/*.whl \
 && mkdir /nothing \
 && PYTHONHASHSEED=0 python3 assemble.py /opt/regsync /image

FROM scratch AS plain
COPY --from=build /image/ /
COPY --from=build --chown=65532:65532 /nothing/ /home/appuser/
COPY --from=build --chown=65532:65532 /nothing/ /var/lib/regsync/
# MALLOC_ARENA_MAX: glibc keeps memory for each thread otherwise. What Python heeds stands in regsync's first line.
ENV PATH=/opt/regsync/bin:/usr/local/bin:/usr/bin \
    HOME=/home/appuser \
    LANG=C.UTF-8 \
    MALLOC_ARENA_MAX=2
USER 65532:65532
WORKDIR /var/lib/regsync
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=15s --start-period=60s CMD ["regsync", "healthcheck"]
ENTRYPOINT ["regsync"]
CMD ["--help"]
ARG VERSION=""
ARG REVISION=""
ARG SOURCE=""
LABEL org.opencontainers.image.title="regsync" \
      org.opencontainers.image.description="Mirrors container images between registries and OCI layouts" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"

FROM ${GO_BASE} AS helpers
ARG ECR_LOGIN=v0.12.0
ARG GCR=v2.2.1
RUN export PATH="$PATH:/usr/local/go/bin" GOBIN=/helpers CGO_ENABLED=0 GOFLAGS=-trimpath \
 && go install -ldflags="-s -w" "github.com/awslabs/amazon-ecr-credential-helper/ecr-login/cli/docker-credential-ecr-login@$ECR_LOGIN" \
 && go install -ldflags="-s -w" "github.com/GoogleCloudPlatform/docker-credential-gcr/v2@$GCR"

FROM plain AS cloud
COPY --from=helpers /helpers/ /usr/local/bin/

FROM plain AS regsync
