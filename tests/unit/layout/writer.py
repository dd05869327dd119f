"""Run as a program: adds tags and referrers of one image to one layout, beside others that do the same.

`python -m tests.unit.layout.writer FOLDER NAME COUNT`.
"""

from __future__ import annotations

import asyncio
import sys

from regsync.clock import SystemClock
from regsync.layout.layouts import Layouts
from tests.support.images import an_artifact, an_image, image_bytes

SUBJECT = image_bytes(b"signed by all")


async def write(folder: str, name: str, number: int) -> None:
    layouts = Layouts(SystemClock(), grace=-1.0)
    for half in range(2):  # so that some collect garbage while others write
        async with layouts.writing(folder) as layout, asyncio.TaskGroup() as group:
            for at in range(half, number, 2):
                data = f"{name} {at}".encode()
                group.create_task(an_image(layout, b"shared by all", data, tag=f"{name}-{at}"))
                group.create_task(an_artifact(layout, data, subject=SUBJECT))
    layouts.close()


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1], sys.argv[2], int(sys.argv[3])))
