"""Where an image goes that is about to be overwritten."""

from __future__ import annotations

import pytest

from regsync.backups.template import Backup, data_of
from regsync.config.stepdata import step_data
from regsync.errors import InvalidReference, Malformed
from regsync.oci.reference import parse_reference
from regsync.template.engine import Template
from tests.unit.template.surroundings import step, world

TARGET = parse_reference("registry.example:5000/hub/static:v1.2")
DIGEST = f"sha256:{'0' * 64}"


def kept(text: str, target: str = str(TARGET)) -> str:
    backup = Backup(Template.parse(text), step_data(step()))
    return str(backup.reference(parse_reference(target), world()))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("old", "registry.example:5000/hub/static:old"),
        (" old-{{.Ref.Tag}}\n", "registry.example:5000/hub/static:old-v1.2"),
        ("{{.Ref.Registry}}/backups/{{.Ref.Repository}}:{{.Ref.Tag}}", "registry.example:5000/backups/hub/static:v1.2"),
        ("b.example/old:{{.Ref.Tag}}", "b.example/old:v1.2"),
        ("b.example/old", "b.example/old:latest"),
        ("ocidir:///srv/old:{{.Ref.Tag}}", "ocidir:///srv/old:v1.2"),
        ('{{ time.Now.Format "2006-01-02" }}', "registry.example:5000/hub/static:2024-03-04"),
        ("{{ index (split .Sync.Source `/`) 0 }}", "registry.example:5000/hub/static:gcr.io"),
        ("{{ .Step.Type }}", "registry.example:5000/hub/static:repository"),
        ("{{ (.Ref.SetTag `x`).CommonName }}", "registry.example:5000/hub/static:x"),
    ],
)
def test_a_backup_is_a_tag_of_the_target_or_a_whole_reference(text: str, name: str) -> None:
    assert kept(text) == name


def test_a_layout_s_backup_is_another_tag_in_it() -> None:
    assert kept("old-{{.Ref.Tag}}", "ocidir:///srv/images:v1") == "ocidir:///srv/images:old-v1"


@pytest.mark.parametrize("text", ["bad tag!", "", "{{ .Sync.Platform }}", "a/B:{{ .Ref.Tag }}", "-x"])
def test_a_backup_that_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(InvalidReference):
        kept(text)


@pytest.mark.parametrize("text", ["{{ .Ref.Nope }}", "{{ index (split .Ref.Tag `-`) 1 }}"])
def test_a_template_that_fails_names_nothing(text: str) -> None:
    with pytest.raises(Malformed):
        kept(text)


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("busybox", "reg docker.io/library/busybox:latest docker.io library/busybox latest  |true true false"),
        (
            "a.example/x@sha256:" + "0" * 64,
            f"reg a.example/x@sha256:{'0' * 64} a.example x  sha256:{'0' * 64} |true true false",
        ),
        ("ocidir://a/B c:v1", "ocidir ocidir://a/B c:v1   v1  a/B c|true true false"),
    ],
)
def test_a_reference_has_the_fields_it_has_in_go(target: str, shown: str) -> None:
    text = "{{ $r := .Ref }}{{ $r }}|{{ $r.IsSet }} {{ $r.IsSetRepo }} {{ $r.IsZero }}"
    data = data_of(parse_reference(target), step_data(step()))
    assert Template.parse(text).render(data, world()) == f"{{{shown.replace('|', '}|')}"


def test_a_layout_s_name_in_a_registry_is_made_of_its_path() -> None:
    data = data_of(parse_reference("ocidir://../a/B c:v1"), step_data(step()))
    assert Template.parse("{{ .Ref.ToReg.CommonName }}").render(data, world()) == "localhost/a/b-c:v1"
