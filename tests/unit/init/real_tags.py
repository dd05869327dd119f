"""Tags as well-known repositories have them, a few of each kind."""

from __future__ import annotations

from typing import Final

SIGNATURE: Final = f"sha256-{'a' * 64}.sig"
TAGS: Final = {
    "alpine": "latest edge 3 3.22 3.22.1 3.22.0 3.21 3.21.3 3.21.0 3.20 3.20.3 3.19 3.19.1 2.7 2.6 20240315 20250108 "
    "3.21.0_rc1",
    "debian": "bookworm bookworm-slim 12 12.5 12.5-slim 12.6 11 11.9 11.9-slim 10.13 10 bookworm-20240211 "
    "bookworm-20240211-slim bullseye-20240211 stable latest sid rc-buggy 13 13.0",
    "postgres": "16 16.3 16.3-alpine 16-alpine 16.3-alpine3.19 16.3-bookworm 17beta1 17rc1-alpine latest alpine "
    "bookworm 17 17.0 17.1 17.0-alpine 17-alpine 9.6.24 9.6.23 9.6 15.7 15",
    "node": "latest lts lts-alpine current iron 20 20.11 20.11.1 20.11.1-alpine3.19 20.11.1-alpine 20-bullseye-slim "
    "21.7.1 21 21.7 22 22.1 22.1.0 22.0 22.0.0 22.1.0-slim 22.1.0-alpine 22.1.0-bookworm-slim",
    "cert-manager": f"v1.14.4 v1.15.0-alpha.0 v1.15.0 v1.15.1 canary v1.13.0 v1.12.1 {SIGNATURE}",
    "prometheus": "v2.51.0 v2.51.0-rc.0 main latest v3.0.0-beta.1 v2.52.0 v2.50.1 v2.49 v2.53.0-distroless v2.53.0",
    "home-assistant": "2024.3.1 2024.4.0b1 2024.4 2024.4.1 2024.2 2024.2.1 stable latest beta dev 0.110.3 0.110.4",
    "minio": "latest RELEASE.2024-03-15T01-07-19Z RELEASE.2023-03-15T01-07-19Z RELEASE.2024-01-15T01-07-19Z.fips edge",
    "commits": f"latest main sha-1a2b3c4 sha-1a2b3c5 main-1a2b3c4 {'1a2b3c4d' * 5} pr-12",
    "commits-unnamed": f"main sha-1a2b3c4 sha-1a2b3c5 {'1a2b3c4d' * 5} pr-12",
    "bitnami": "2.51.0-debian-12-r3 2.51.0-debian-12-r2 2.50.0-debian-11-r0 latest",
    "machines": "v1.2.3 v1.2.3-amd64 v1.2.3-arm64v8 amd64-latest latest",
    "days": "2024-03-15 2024-03-16 2024-04-01",
    "nightly-days": " ".join(f"202403{day:02}" for day in range(1, 12)),
    "numbers": " ".join(map(str, range(1, 14))) + " latest",
    "names": "bookworm slim",
    "only-early": "v0.1.0-alpha.1 v0.1.0-alpha.2",
    "months": "2023.12 2024.01 2024.02 2024.03",
}
