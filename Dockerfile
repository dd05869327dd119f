# One stage makes the environment, one runs it. Both pin by tag; a build that must not change pins the digest as well.
FROM python:3.13-slim AS build

WORKDIR /build
COPY requirements.txt requirements-build.txt ./
RUN python -m venv /opt/regsync \
 && /opt/regsync/bin/pip install --no-cache-dir --require-hashes -r requirements.txt \
 && python -m venv /opt/build \
 && /opt/build/bin/pip install --no-cache-dir --require-hashes -r requirements-build.txt
COPY pyproject.toml README.md LICENSE ./
COPY regsync ./regsync
RUN /opt/build/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /dist . \
 && /opt/regsync/bin/pip install --no-cache-dir --no-deps --no-index /dist/*.whl \
 && /opt/regsync/bin/python -m compileall -q /opt/regsync/lib \
 && rm -rf /opt/regsync/lib/python3.13/site-packages/pip*

FROM python:3.13-slim

RUN groupadd --gid 1000 appuser \
 && useradd --uid 1000 --gid appuser --create-home --home-dir /home/appuser --shell /usr/sbin/nologin appuser
COPY --from=build /opt/regsync /opt/regsync
ENV PATH=/opt/regsync/bin:$PATH \
    HOME=/home/appuser \
    PYTHONDONTWRITEBYTECODE=1
USER 1000:1000
WORKDIR /home/appuser
STOPSIGNAL SIGTERM
ENTRYPOINT ["regsync"]
CMD ["--help"]
