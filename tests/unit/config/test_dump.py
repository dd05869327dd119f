from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from regsync.config.dump import dump_config
from tests.unit.config.loading import STEP, config_of

_FULL = """
version: 1
creds:
  - registry: a.example:5000
    hostname: "10.0.0.1:5000"
    tls: insecure
    regcert: |
      -----BEGIN CERTIFICATE-----
      MIIB
      -----END CERTIFICATE-----
    clientCert: "-----BEGIN X-----\\nQUFB\\n-----END X-----\\n"
    clientKey: "-----BEGIN KEY-----\\nhunter22\\n-----END KEY-----\\n"
    user: "010"
    pass: "hunter2: #"
    token: hunter2
    credHelper: docker-credential-x
    credExpire: 1500ms
    credHost: "https://a.example/"
    pathPrefix: p
    repoAuth: true
    apiOpts: {disableHead: true}
    blobChunk: 10
    blobMax: 20
    reqPerSec: 1.5
    reqConcurrent: 3
  - registry: b.example
defaults:
  interval: 1h
  parallel: 3
  fastCopy: true
  skipDockerConfig: true
  userAgent: "true"
  mediaTypes: [application/vnd.oci.image.index.v1+json]
sync:
  - source: a.example:5000/x
    target: b.example/x
    type: repository
    tags: {allow: ["3.10", "0o17", "1e3", "yes", "~", "null", "", " a", "é", "1_000", "12:30", "08"], deny: [<<]}
    tagSets: [{allow: ["a"]}, {deny: ["b"]}]
    schedule: "TZ=UTC 1 2 * * *"
  - {source: a.example:5000, target: "ocidir://m", type: registry, repos: {allow: ["t/.*"]}, interval: 90s}
"""


def _printed(text: str, *, show_secrets: bool = True) -> str:
    return dump_config(config_of(text), show_secrets=show_secrets)


@pytest.mark.parametrize("text", ["", STEP, _FULL], ids=["empty", "one step", "everything"])
def test_what_is_printed_loads_back_to_the_same_settings(text: str) -> None:
    printed = _printed(text)
    before, after = config_of(text), config_of(printed)
    assert [cred.model_dump() for cred in after.creds] == [cred.model_dump() for cred in before.creds]
    assert after.defaults.model_dump() == before.defaults.model_dump()
    assert [step.model_dump() for step in after.sync] == [step.model_dump() for step in before.sync]
    assert _printed(printed) == printed


def test_the_example_loads_back_too() -> None:
    text = (Path(__file__).parents[3] / "config.example.yaml").read_text(encoding="utf-8")
    printed = _printed(text)
    assert _printed(printed) == printed


def test_secrets_are_printed_only_when_asked_for() -> None:
    hidden = _printed(_FULL, show_secrets=False)
    assert "hunter2" not in hidden
    values = yaml.safe_load(hidden)["creds"]
    assert [values[0][key] for key in ("user", "pass", "token", "clientKey")] == ["010", "***", "***", "***"]
    assert [values[1][key] for key in ("user", "pass", "token", "clientKey")] == ["", "", "", ""]


_LOGIN_KEYS = """
    registry hostname tls regcert clientCert clientKey user pass token credHelper credExpire credHost pathPrefix mirrors
    priority repoAuth api apiOpts blobChunk blobMax reqPerSec reqConcurrent scheme
"""
_STEP_KEYS = """
    source target type tags tagSets repos platform platforms backup interval schedule ratelimit digestTags referrers
    referrerFilters referrerSource referrerTarget referrerSlow fastCheck forceRecursive includeExternal mediaTypes hooks
"""


def test_every_key_is_printed_in_order_even_when_empty() -> None:
    values = yaml.safe_load(_printed(f"creds: [{{registry: a.example}}]\n{STEP}"))
    assert list(values) == ["version", "creds", "defaults", "sync"]
    assert list(values["creds"][0]) == _LOGIN_KEYS.split()
    assert list(values["sync"][0]) == _STEP_KEYS.split()
    assert values["sync"][0]["tags"] == {"allow": [], "deny": []}
    assert values["defaults"]["referrers"] is None
    assert values["sync"][0]["referrers"] is False


def test_durations_are_printed_as_go_prints_them() -> None:
    values = yaml.safe_load(_printed(_FULL))
    assert values["creds"][0]["credExpire"] == "1.5s"
    assert values["defaults"]["interval"] == "1h0m0s"
    assert values["defaults"]["ratelimit"]["retry"] == "5m0s"
    assert [step["interval"] for step in values["sync"]] == ["0s", "1m30s"]


def test_certificates_are_printed_as_blocks() -> None:
    assert "regcert: |\n    -----BEGIN CERTIFICATE-----\n" in _printed(_FULL)
