from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regsync.errors import IntegrityError
from regsync.transfer.proof import Proof
from tests.support.images import described, some_bytes

DATA = some_bytes((3 << 20) + (512 << 10))
BLOB = described(DATA)
PIECE = 256 << 10


def hashed(proof: Proof, data: bytes, *, size: int = PIECE) -> None:
    """Hash what is left of these bytes, from where the proof stands."""
    for at in range(proof.offset, len(data), size):
        proof.add(data[at : at + size])


def test_bytes_that_come_in_one_go_are_proved() -> None:
    proof = Proof(BLOB)
    hashed(proof, DATA)
    proof.finish()


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.integers(0, len(DATA)), st.integers(0, len(DATA))), max_size=6), st.integers(5000, 3 << 20)
)
def test_bytes_that_break_and_go_on_anywhere_are_proved(breaks: list[tuple[int, int]], size: int) -> None:
    proof = Proof(BLOB)
    for reached, back in breaks:
        hashed(proof, DATA[: max(reached, proof.offset)], size=size)
        wanted = min(back, proof.offset)
        assert proof.go_back(wanted) <= wanted
    hashed(proof, DATA, size=size)
    proof.finish()


def test_little_is_read_again_when_little_was_lost() -> None:
    proof = Proof(BLOB)
    hashed(proof, DATA[: 3 << 20])
    assert proof.go_back((3 << 20) - 1000) >= 2 << 20


@pytest.mark.parametrize("at", [0, (2 << 20) + 1, (3 << 20) - 1])
def test_bytes_that_are_others_the_second_time_are_refused_before_anything_new_is_taken(at: int) -> None:
    proof = Proof(BLOB)
    proof.proves.add("b.x/app")
    hashed(proof, DATA[: 3 << 20])
    start = proof.go_back(0 if at < 1 << 20 else 2 << 20)
    other = bytearray(DATA)
    other[at] ^= 1
    with pytest.raises(IntegrityError, match="other bytes than when it was begun"):
        hashed(proof, bytes(other[: (3 << 20) + PIECE]))
    assert start <= at
    assert not proof.covers("b.x/app", 1)


def test_a_source_whose_second_reading_is_right_does_not_prove_its_wrong_first_one() -> None:
    wrong = bytes([DATA[0] ^ 1]) + DATA[1:]
    proof = Proof(BLOB)
    hashed(proof, wrong[: 2 << 20])
    proof.go_back(0)
    with pytest.raises(IntegrityError):
        hashed(proof, DATA)
    hashed(proof, DATA)
    proof.finish()


@pytest.mark.parametrize("data", [DATA + b"x", DATA[:-1], DATA[:-1] + bytes([DATA[-1] ^ 1])])
def test_what_is_longer_shorter_or_other_is_refused(data: bytes) -> None:
    def prove() -> None:
        proof = Proof(BLOB)
        hashed(proof, data)
        proof.finish()

    with pytest.raises(IntegrityError):
        prove()


def test_only_what_was_hashed_can_be_gone_on_from() -> None:
    proof = Proof(BLOB)
    proof.proves.add("b.x/app")
    assert proof.covers("b.x/app", 0)
    assert not proof.covers("b.x/app", 1)
    hashed(proof, DATA[: 2 << 20])
    proof.go_back(0)
    assert proof.covers("b.x/app", 2 << 20)
    assert not proof.covers("b.x/app", (2 << 20) + 1)
