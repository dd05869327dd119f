"""Games of the state machine, and bugs put in on purpose that it has to find.

`REGSYNC_STATE_EXAMPLES=2000` plays so many games, others each time, in place of the few that are always the same.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import Phase

from regsync.layout.whole import Whole
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.platform import Platforms
from tests.stateful.machine import LayoutMachine, Round, play

EXAMPLES = int(os.environ.get("REGSYNC_STATE_EXAMPLES", "0"))
LONG_ENOUGH = 300  # games within which a bug has to show


@pytest.fixture(autouse=True)
def _no_power_cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A killed process loses nothing it has written, so nothing need be synced."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.mark.timeout(3600 if EXAMPLES else 300)
def test_whatever_happens_to_a_layout_its_tags_are_whole_and_a_run_heals_it(tmp_path: Path) -> None:
    play(tmp_path, examples=EXAMPLES or 60, derandomize=not EXAMPLES)


def is_found(place: Path) -> None:
    """Play until it shows."""
    with pytest.raises(AssertionError):
        play(place, examples=LONG_ENOUGH, derandomize=True, phases=[Phase.generate])


def test_trusting_a_manifest_for_what_lies_below_it_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    below = Whole._below

    def trusting(
        self: Whole, each: Descriptor, seen: set[Digest], known: set[Digest], sparse: Platforms | None
    ) -> Iterable[Descriptor]:
        """Look whether it is there, and no deeper: how a layout judged when a rolled-back tag lost its layers."""
        below(self, each, seen, known, sparse)
        return ()

    monkeypatch.setattr(Whole, "_below", trusting)
    monkeypatch.setattr(Whole, "_children", lambda self, names, sparse: names.children)
    is_found(tmp_path)


@pytest.mark.parametrize("seed", [17, 38, 51])
def test_images_that_begin_a_layout_together_do_not_take_one_another_s_beginning_for_damage(
    tmp_path: Path, seed: int
) -> None:
    game = LayoutMachine(tmp_path / "game")
    game.begin(chosen=["a manifest as its layer", "a manifest as its layer", "artifact", "a manifest as its layer"])
    game.let_the_grace_pass()
    game.let_the_grace_pass()
    round_ = Round(seed, moves=[("latest", "artifact")], interleaving=0.1)
    game.run_at_once(runs=[(0, ["latest", "stable", "v1"])], round_=round_)
    game.teardown()
