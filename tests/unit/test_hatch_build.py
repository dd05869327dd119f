"""What the wheel's build hook leaves of a module; what it makes of ours, tests/test_dist.py looks at."""

from __future__ import annotations

import pytest

from hatch_build import bare

SOURCES = (
    ('"""Words."""\n\nx = 1\n', "\n\nx = 1\n"),
    ('"""More\n\n# words.\n"""\nx = 1\n', "\n\n\n\nx = 1\n"),
    ("x = 1  # words\n# words\n", "x = 1\n\n"),
    ('x = "# no words"\n', 'x = "# no words"\n'),
    ('x = """no\nwords"""\n', 'x = """no\nwords"""\n'),
    ('def f():\n    r"""Words."""\n    return 1\n', "def f():\n\n    return 1\n"),
    ('def f():\n    """Words\n    of two lines.\n    """\n', 'def f():\n    "."\n\n\n'),
    ('async def f():\n    """Words."""  # words\n', 'async def f():\n    "."\n'),
    ('class A(Exception):\n    """Words."""\n', 'class A(Exception):\n    "."\n'),
    ('@dataclass\nclass A:\n    """Words."""\n\n    x: int = 1\n', '@dataclass\nclass A:\n    "."\n\n    x: int = 1\n'),
    ('x = "ä"  # ü\n', 'x = "ä"\n'),
    ("", ""),
)


@pytest.mark.parametrize(("text", "left"), SOURCES)
def test_docstrings_and_comments_go_and_everything_else_stays_in_its_line(text: str, left: str) -> None:
    assert bare(text) == left
    assert bare(left) == left
