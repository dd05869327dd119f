# A root file system made in one stage, of a Python and what it needs, is all that the image has: no shell, no pip, no
# package manager. A base of one's own (`--build-arg BASE=…`, by digest where a build must not change) needs glibc and
# Python 3.11 or newer with its venv module; nothing of it is left but what `assemble.py` takes.
#
#   docker build -t regsync .                    regsync
#   docker build -t regsync --target cloud .     with the credential helpers of Amazon's and Google's registries
#   docker build -t regsync --build-arg EXTRAS=notify .    with apprise, for receivers that are no webhooks
#
# What is in it says a bill of materials (CycloneDX) in /usr/share/sbom.
ARG BASE=docker.io/library/python:3.13-slim
ARG GO_BASE=docker.io/library/golang:1.26

FROM ${BASE} AS build
WORKDIR /build
ARG EXTRAS=""
COPY requirements.txt requirements-build.txt requirements-notify.txt ./
RUN python3 -m venv /opt/build \
 && /opt/build/bin/pip install --require-hashes --only-binary :all: -r requirements-build.txt \
 && python3 -m venv --without-pip /opt/regsync \
 && /opt/build/bin/pip --python /opt/regsync/bin/python install --no-compile --report wheels.json \
    --require-hashes --only-binary :all: -r "requirements${EXTRAS:+-$EXTRAS}.txt"
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY regsync ./regsync
COPY deploy/image/assemble.py deploy/image/bill.py docs/reference/licences.md ./
ARG SOURCE_DATE_EPOCH=0
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /dist . \
 && /opt/build/bin/pip --python /opt/regsync/bin/python install --no-compile --report ours.json --no-deps --no-index /dist/*.whl \
 && mkdir /nothing \
 && PYTHONHASHSEED=0 python3 assemble.py /opt/regsync /image wheels.json ours.json

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
RUN export PATH="$PATH:/usr/local/go/bin" GOBIN=/helpers/usr/local/bin CGO_ENABLED=0 GOFLAGS=-trimpath \
 && go install -ldflags="-s -w" "github.com/awslabs/amazon-ecr-credential-helper/ecr-login/cli/docker-credential-ecr-login@$ECR_LOGIN" \
 && go install -ldflags="-s -w" "github.com/GoogleCloudPlatform/docker-credential-gcr/v2@$GCR" \
 && go version -m "$GOBIN"/* >/helpers/modules \
 && texts=/helpers/usr/share/doc/credential-helpers \
 && mkdir -p "$texts/go" && cp "$(go env GOROOT)/LICENSE" "$texts/go" \
 && awk '$1 == "mod" || $1 == "dep" { print $2 "@" $3 }' /helpers/modules | sort -u | while read -r module; do \
      folder=$(go mod download -json "$module" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p') && mkdir -p "$texts/$module" \
      && find "$folder" -maxdepth 1 -type f \( -iname 'licen[cs]e*' -o -iname 'notice*' \) -exec cp {} "$texts/$module" \; || exit 1; \
    done \
 && chmod -R u=rwX,go=rX /helpers

FROM build AS helped
COPY --from=helpers /helpers/ /helpers/
RUN python3 bill.py /helpers

FROM plain AS cloud
COPY --from=helped /helpers/ /

FROM plain AS regsync
