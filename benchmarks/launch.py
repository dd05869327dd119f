"""Runs one command and writes down what it cost: `launch.py REPORT COMMAND …`.

A process of its own because a child's peak memory as the kernel counts it begins with its parent's size, and the
benchmark's is larger than some of what it measures. So this imports next to nothing. SIGTERM is handed on.
"""

import os
import signal
import sys
import time


def main() -> None:
    report, command = sys.argv[1], sys.argv[2:]
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program has its bytecode
    began = time.monotonic()
    process = os.posix_spawnp(command[0], command, os.environ)
    signal.signal(signal.SIGTERM, lambda number, _: os.kill(process, number))
    _, status, usage = os.wait4(process, 0)
    ended = time.monotonic()
    code = os.waitstatus_to_exitcode(status)
    peak = usage.ru_maxrss // 1024 if sys.platform == "darwin" else usage.ru_maxrss
    with open(report, "w") as file:  # noqa: PTH123 - pathlib alone would be half of this process
        file.write(f"{began} {ended} {usage.ru_utime + usage.ru_stime} {peak} {code}")


if __name__ == "__main__":
    main()
