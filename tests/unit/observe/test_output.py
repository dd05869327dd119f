from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from fcntl import F_SETPIPE_SZ, fcntl

import pytest

from regsync.observe.output import Output
from tests.support.screen import Screen

SMALLEST = 4096  # bytes a pipe holds at least


class Pipe:
    """A pipe somebody may read."""

    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()
        fcntl(self.writing, F_SETPIPE_SZ, SMALLEST)

    def fill(self) -> None:
        """Leave no room in it."""
        os.write(self.writing, b"." * (SMALLEST - 1) + b"\n")

    def read(self, until: str) -> list[str]:
        """Read lines up to the one that ends like this."""
        read = b""
        while not read.endswith(f"{until}\n".encode()):
            read += os.read(self.reading, SMALLEST)
        return [line for line in read.decode().splitlines() if not line.startswith(".")]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    opened = Pipe()
    yield opened
    os.close(opened.reading)
    os.close(opened.writing)


def test_lines_are_written_in_their_order(pipe: Pipe) -> None:
    output = Output(pipe.writing)
    lines = [f"line {number}" for number in range(2000)]
    for number, line in enumerate(lines):
        output.put(line, urgent=number % 3 == 0)
    assert pipe.read(until="line 1999") == lines
    assert output.flush()


def test_there_is_no_thread_before_the_first_line_and_nothing_to_wait_for(pipe: Pipe) -> None:
    before = threading.active_count()
    output = Output(pipe.writing)
    assert output.flush()
    assert threading.active_count() == before


def test_nobody_waits_for_a_reader_that_has_stopped_and_what_is_missing_is_said_where_it_is_missing(pipe: Pipe) -> None:
    pipe.fill()
    output = Output(pipe.writing, most_lines=10)
    output.lost = "{} missing".format
    output.put("the one that is stuck")
    while output._waiting:
        threading.Event().wait(0.001)  # until the thread has taken it
    for number in range(1000):
        output.put(f"line {number}")
    assert not output.flush(idle=0.01)
    got = pipe.read(until="missing")
    assert got == ["the one that is stuck", *(f"line {number}" for number in range(10)), "990 missing"]
    output.put("later")
    assert pipe.read(until="later") == ["later"]
    assert output.flush()


def test_an_urgent_line_takes_the_place_of_another_and_is_dropped_only_for_want_of_one(pipe: Pipe) -> None:
    pipe.fill()
    output = Output(pipe.writing, most_lines=4)
    output.lost = "{} missing".format
    output.put("the one that is stuck")
    while output._waiting:
        threading.Event().wait(0.001)
    for number in range(6):
        output.put(f"line {number}")
    for number in range(6):
        output.put(f"error {number}", urgent=True)
    got = pipe.read(until="missing")
    assert got == ["the one that is stuck", *(f"error {number}" for number in range(4)), "8 missing"]


def test_the_queue_is_bounded_in_bytes_too(pipe: Pipe) -> None:
    pipe.fill()
    output = Output(pipe.writing, most_bytes=100_000)
    for _ in range(1000):
        output.put("x" * 4000)
    assert output._bytes <= 100_000
    assert output._waiting <= 25


def test_with_a_slow_reader_one_line_says_what_a_gap_has_cost(pipe: Pipe) -> None:
    output = Output(pipe.writing, most_lines=100)
    output.lost = "{} missing".format
    with ThreadPoolExecutor(1) as threads:
        read = threads.submit(pipe.read, "the end")
        for number in range(20_000):
            output.put(f"line {number}")
        output.say("the end")
        got = read.result()
    gaps = [int(line.split()[0]) for line in got if line.endswith("missing")]
    numbers = [int(line.split()[1]) for line in got if line.startswith("line ")]
    assert sum(gaps) + len(numbers) == 20_000
    assert numbers == sorted(numbers)
    assert len(gaps) <= 1 + len(numbers) // 40, "after a gap, half of the queue is free"


def test_what_is_said_at_the_end_waits_for_a_reader_that_reads(pipe: Pipe) -> None:
    output = Output(pipe.writing, most_lines=10)
    lines = [f"failure {number}" for number in range(500)]
    with ThreadPoolExecutor(1) as threads:
        read = threads.submit(pipe.read, "failure 499")
        for line in lines:
            output.say(line)
        assert read.result() == lines


def test_a_reader_that_is_gone_fails_nothing(pipe: Pipe) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    output = Output(writing)
    for _ in range(100):
        output.put("line")
    assert output.flush()
    os.close(writing)


def test_a_descriptor_that_does_not_block_loses_nothing(pipe: Pipe) -> None:
    os.set_blocking(pipe.writing, False)
    output = Output(pipe.writing)
    lines = ["y" * 1000 for _ in range(50)]
    for line in lines:
        output.put(line)
    output.put("end")
    assert pipe.read(until="end") == [*lines, "end"]


def test_a_stuck_pipe_does_not_keep_a_process_from_ending() -> None:
    code = (
        "from regsync.observe.output import Output\n"
        "output = Output(2)\n"
        "for _ in range(1000): output.put('x' * 1000)\n"
        "print(output.flush(idle=0.1))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert process.wait(timeout=60) == 0
        assert process.stdout is not None
        assert process.stdout.read() == b"False\n"
    finally:
        process.kill()
        process.communicate()


def shown(pipe: Pipe, output: Output) -> Screen:
    assert output.flush()
    return Screen(os.read(pipe.reading, SMALLEST).decode())


def test_a_region_stands_below_the_lines_and_gives_way_to_the_next_one(pipe: Pipe) -> None:
    output = Output(pipe.writing)
    output.put("one")
    output.show("a\nregion")
    output.flush()
    output.put("two")
    output.flush()
    output.show("another")
    output.put("three")
    assert shown(pipe, output).text == "one\ntwo\nthree\nanother"


def test_a_region_that_is_over_leaves_nothing_behind(pipe: Pipe) -> None:
    output = Output(pipe.writing)
    output.show("a\nregion\nof three")
    output.flush()
    output.show("")
    output.put("the end")
    assert shown(pipe, output).lines == ["the end", "", ""]


def test_drawing_waits_for_no_reader_and_draws_only_the_latest(pipe: Pipe) -> None:
    output = Output(pipe.writing)
    pipe.fill()
    output.put("stuck")
    for number in range(1000):
        output.show(f"region {number}.")
    output.put("line")
    output.say("said")
    os.read(pipe.reading, SMALLEST)
    screen = shown(pipe, output)
    assert screen.text.splitlines()[-3:] == ["line", "said", "region 999."]


def test_without_a_region_nothing_but_lines_is_written(pipe: Pipe) -> None:
    output = Output(pipe.writing)
    output.show("")
    output.put("one")
    output.flush()
    assert os.read(pipe.reading, SMALLEST) == b"one\n"
