"""Amazon ECR: Basic logins of the user AWS, repositories that must have been made, tags that may be immutable.

Blobs come from S3, whose signed URLs break with a login beside them. Tags come in pages of 100 that go on after a
token, as plain text. Who asks too often is turned away without being told for how long.
"""

from __future__ import annotations

from dataclasses import replace

from tests.support.fake_registry import MODERN
from tests.support.odd.lists import CursorAs, ListsCarry
from tests.support.odd.looking import BlobsFromStorage, RepositoryMustExist, Throttles
from tests.support.odd.profile import Login, Profile, Refusal, Side
from tests.support.odd.pushes import TagsStay

PROFILE = Profile(
    name="ecr",
    title="Amazon ECR",
    sources=(
        "deitch/docker_registry2#34",
        "google/go-containerregistry#681",
        "regclient/regclient#203",
        "regclient/regclient#931",
        "plexsystems/sinker#55",
        "podman-container-tools/skopeo#851",
        "moby/buildkit#3776",
        "open-policy-agent/opa#6580",
        "mitogen-hq/mitogen#790",
        "https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html",
    ),
    features=replace(MODERN, anonymous_mount=False, single_post=False, absolute_links=True),
    login=Login("basic", user="AWS"),
    oddities=(Throttles(every=150),),
    source=Side(
        "team",
        (BlobsFromStorage(heads=False), CursorAs("last"), ListsCarry({}, "text/plain; charset=utf-8")),
        grown=3,
        forced_by="two more pages, one request turned away",
    ),
    target=Side(
        "team",
        avoided=(TagsStay(), RepositoryMustExist()),
        made=("team/app", "team/many"),
        grown=2,
        forced_by="two requests turned away",
    ),
    refusals=(
        Refusal("a repository nobody has made", "to", ("404 NAME_UNKNOWN", "does not exist"), path="elsewhere:large"),
        Refusal("an immutable tag", "to", ("400 TAG_INVALID", "cannot be overwritten"), occupied=True),
    ),
)
