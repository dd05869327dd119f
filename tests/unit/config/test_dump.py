from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest
import yaml
from hypothesis import given

from regsync.config.dump import dump_config
from regsync.config.model import Config, Defaults, SyncStep
from regsync.oci.mediatype import OCI_INDEX, SYNCED_BY_DEFAULT
from tests.support.pages import PAGES, ROOT, blocks, page_name
from tests.unit.config.generated import CONFIG
from tests.unit.config.loading import STEP, config_of, loaded, warnings_of

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


def everything(config: Config) -> dict[str, Any]:
    return config.model_dump()


def loads_back(text: str, environ: Mapping[str, str] | None = None) -> None:
    """What is printed for this file means the same, prints the same, and warns of nothing new."""
    before = loaded(text, environ=environ)
    printed = dump_config(before.config, show_secrets=True)
    after = loaded(printed)
    assert everything(after.config) == everything(before.config)
    assert dump_config(after.config, show_secrets=True) == printed
    assert said(after.warnings) <= said(before.warnings)


def said(warnings: Iterable[str]) -> set[str]:
    """Warnings without their places: a pattern is told of where it is met first, which may be left out in print."""
    return {warning.split(": ", 2)[-1] for warning in warnings}


def examples() -> Iterator[Any]:
    """Every configuration of the documentation, and the example with all its blocks."""
    for page in PAGES:
        for number, block in enumerate(blocks(page)):
            if block.kind == "yaml" and not {"other", "wrong"} & set(block.words):
                yield pytest.param(block.body, id=f"{page_name(page)}-{number}")
    text = (ROOT / "config.example.yaml").read_text(encoding="utf-8")
    yield pytest.param(text, id="config.example.yaml")
    yield pytest.param(re.sub(r"^#\|( |$)", "", text, flags=re.MULTILINE), id="config.example.yaml, everything")


@pytest.mark.parametrize("text", ["", STEP, _FULL], ids=["empty", "one step", "everything"])
def test_what_is_printed_loads_back_to_the_same_settings(text: str) -> None:
    loads_back(text)


@pytest.mark.parametrize("text", list(examples()))
def test_every_example_loads_back(text: str) -> None:
    loads_back(text)


@given(CONFIG)
def test_whatever_can_be_written_loads_back(values: dict[str, Any]) -> None:
    loads_back(yaml.safe_dump(values, allow_unicode=True, sort_keys=False))


@pytest.mark.parametrize(
    "text",
    [
        f"defaults: {{mediaTypes: [{OCI_INDEX}]}}\n{STEP}    mediaTypes: []\n",
        f"defaults: {{interval: 1h}}\n{STEP}    schedule: '@daily'\n",
        f"defaults: {{schedule: '@daily'}}\n{STEP}    interval: 1h\n",
        f"defaults: {{ratelimit: {{retry: 1h}}}}\n{STEP}    ratelimit: {{retry: 5m}}\n",
        f"defaults: {{fastCheck: true}}\n{STEP}    fastCheck: false\n",
    ],
)
def test_what_an_entry_says_against_the_defaults_is_printed(text: str) -> None:
    loads_back(text)


@pytest.mark.parametrize("word", ["plain", "{{", "a{{b}}c", "{{{{", '{{env "A"}}', "{{{"])
def test_what_came_out_of_templates_is_printed_as_what_it_is(word: str) -> None:
    text = "creds: [{registry: a.example, user: '{{env \"A\"}}', pass: 'x{{env \"A\"}}y', token: '{{env \"A\"}}'}]\n"
    loads_back(text, {"A": word})
    assert loaded(text, environ={"A": word}).config.creds[0].password == f"x{word}y"


def test_an_empty_list_of_filters_is_printed_where_the_defaults_have_some() -> None:
    filters = {"referrerFilters": [{"artifactType": "a/b", "annotations": {"k": ""}}]}
    defaults = Defaults.model_validate(filters).settled()
    own: list[dict[str, Any]] = [{"referrerFilters": []}, {}]
    steps = [SyncStep.model_validate(said).filled_from(defaults, place="") for said in own]
    printed = yaml.safe_load(dump_config(Config(defaults=defaults, sync=tuple(steps)), show_secrets=True))
    assert [step["referrerFilters"] for step in printed["sync"]] == [[], filters["referrerFilters"]]


def test_secrets_are_printed_only_when_asked_for() -> None:
    hidden = _printed(_FULL, show_secrets=False)
    assert "hunter2" not in hidden
    first, second = yaml.safe_load(hidden)["creds"]
    assert [first[key] for key in ("user", "pass", "token", "clientKey")] == ["010", "***", "***", "***"]
    assert {"user", "pass", "token", "clientKey"} & set(second) == set()


def test_what_is_printed_without_its_secrets_says_so_and_loads_with_a_warning_for_each() -> None:
    hidden = _printed(_FULL, show_secrets=False)
    assert hidden.startswith("# *** stands for a secret.")
    told = [warning.split(": ")[1] for warning in warnings_of(hidden)]
    assert sorted(told) == ["creds[0].clientKey", "creds[0].pass", "creds[0].token"]
    assert not _printed(STEP, show_secrets=False).startswith("#")


def test_only_what_says_something_is_printed_and_every_default_that_counts() -> None:
    values = yaml.safe_load(_printed(f"creds: [{{registry: a.example}}]\n{STEP}"))
    assert list(values) == ["version", "creds", "defaults", "sync"]
    assert values["creds"] == [
        {
            "registry": "a.example", "credExpire": "1h0m0s", "priority": 0, "repoAuth": False, "blobChunk": 1 << 20,
            "blobMax": -1, "reqPerSec": 0.0, "reqConcurrent": 0,
        }
    ]  # fmt: skip
    assert values["defaults"] == {
        "parallel": 8, "blobLimit": 1 << 30, "cacheCount": 0, "skipDockerConfig": False, "skipInvalidEntries": False
    }  # fmt: skip
    assert list(values["sync"][0])[:3] == ["source", "target", "type"]
    assert values["sync"][0]["mediaTypes"] == list(SYNCED_BY_DEFAULT)
    assert {"tags", "tagSets", "repos", "hooks", "ratelimit", "schedule", "interval"} & set(values["sync"][0]) == set()


@pytest.mark.parametrize("parallel", ["", "defaults: {parallel: 0}\n", "defaults: {parallel: -1}\n"])
def test_the_number_of_images_is_printed_that_counts(parallel: str) -> None:
    assert yaml.safe_load(_printed(parallel))["defaults"]["parallel"] == 8


@pytest.mark.parametrize("block", ["tags: {allow: [a]}", "tagSets: [{}]", "repos: {deny: [a]}"])
def test_a_block_without_effect_is_not_printed(block: str) -> None:
    text = f"sync: [{{source: 'a.example/x:1', target: 'b.example/x:1', type: image, {block}}}]\n"
    assert len(warnings_of(text)) == 1
    assert warnings_of(_printed(text)) == []
    loads_back(text)


def test_durations_are_printed_as_go_prints_them() -> None:
    values = yaml.safe_load(_printed(_FULL))
    assert values["creds"][0]["credExpire"] == "1.5s"
    assert values["defaults"]["interval"] == "1h0m0s"
    assert yaml.safe_load(_printed("defaults: {ratelimit: {retry: 10m}}"))["defaults"]["ratelimit"]["retry"] == "10m0s"
    assert [step.get("interval", "0s") for step in values["sync"]] == ["0s", "1m30s"]


def test_certificates_are_printed_as_blocks() -> None:
    assert "regcert: |\n    -----BEGIN CERTIFICATE-----\n" in _printed(_FULL)
