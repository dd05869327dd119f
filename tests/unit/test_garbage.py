from __future__ import annotations

import gc
import subprocess
import sys

from regsync.garbage import none_looked_for

_CODE = """
import gc
from regsync.garbage import look_from_now_on, none_looked_for
gc.disable()
look_from_now_on()
before = gc.get_freeze_count()
try:
    with none_looked_for():
        print(gc.isenabled())
        kept = [[] for _ in range(1000)]
        raise ValueError
except ValueError:
    print(gc.isenabled(), gc.get_freeze_count() >= before + 1000)
"""


def test_while_a_configuration_is_read_no_garbage_is_looked_for_nor_ever_in_it() -> None:
    done = subprocess.run([sys.executable, "-c", _CODE], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["False", "True", "True"]


def test_a_process_that_is_not_ours_alone_is_left_as_it_is() -> None:
    with none_looked_for():
        assert gc.isenabled()
    assert gc.get_freeze_count() == 0
