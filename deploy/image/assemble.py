"""Put together the image's file system: one Python, the libraries it is linked with, and what is installed for it.

`python3 assemble.py ENVIRONMENT ROOT REPORT…`, in the build stage of the Dockerfile: by the Python the environment was
made with, on a system that is thrown away. The reports are pip's. The same system and environment give the same bytes,
whenever it is done.
"""

from __future__ import annotations

import compileall
import os
import py_compile
import re
import shutil
import ssl
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from bill import RELEASE, write_image

# Of the standard library: what builds, tests, draws, installs, or talks to somebody at a terminal.
UNUSED = {
    *("__phello__", "__pycache__", "_pyrepl", "config-*", "curses", "ensurepip", "idlelib", "lib2to3", "pydoc_data"),
    *("dist-packages", "site-packages", "sitecustomize.py", "test", "tkinter", "turtle.py", "turtledemo", "venv"),
    *(
        "EXTERNALLY-MANAGED",
        "_test*",
        "_curses*",
        "_ctypes_test*",
        "_dbm*",
        "_gdbm*",
        "_tkinter*",
        "nis.*",
        "readline*",
    ),
    *("xx*", "*.a"),
}
LOADED_BY_NAME = ("libgcc_s.so.1",)  # by glibc, when a thread ends
LAUNCHER = "bin/regsync"
FLAGS = "-IBu"  # isolated: what is in PYTHON* or in the current directory changes nothing; no bytecode; no buffers
USERS = "root:x:0:0:root:/:/nonexistent\nappuser:x:65532:65532:regsync:/home/appuser:/nonexistent\n"
GROUP = "root:x:0:\nappuser:x:65532:\n"
CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
ZONES = Path("/usr/share/zoneinfo")
LICENCES = Path("/usr/share/common-licenses")  # which those of packages name


def at(root: Path, path: Path) -> Path:
    """Where a file of this system goes: its directory by its true name, `/lib` being a link to another one."""
    return root / path.parent.resolve().relative_to("/") / path.name


def copy(root: Path, path: Path) -> None:
    """Take a file, or what it is a link to, under its own name: with its mode, and without what a file system adds."""
    target = at(root, path)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, target)


def write(root: Path, path: str, text: str) -> None:
    """Write a file that nobody has here."""
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")


def take_python(root: Path) -> Path:
    """Take the interpreter and its standard library; return where the interpreter is."""
    python = Path(sys.executable).resolve()
    copy(root, python)
    library = Path(sysconfig.get_path("stdlib"))
    shutil.copytree(library, at(root, library), ignore=shutil.ignore_patterns(*UNUSED), copy_function=shutil.copy)
    return python


def take_environment(root: Path, environment: Path, python: Path) -> None:
    """Take what is installed, and of the programs only Python and regsync."""
    target = at(root, environment)
    shutil.copytree(environment / "lib", target / "lib", copy_function=shutil.copy)
    copy(root, environment / "pyvenv.cfg")
    launcher = (environment / LAUNCHER).read_text(encoding="utf-8")
    write(target, LAUNCHER, re.sub(r"\A#!.*", f"#!{environment}/bin/python {FLAGS}", launcher))
    (target / LAUNCHER).chmod(0o755)
    (target / "bin" / "python").symlink_to(python)


def libraries(root: Path, python: Path) -> Iterator[Path]:
    """Yield the libraries that are linked with what was taken, the loader, and those nobody is linked with."""
    binaries = [at(root, python), *sorted(root.rglob("*.so")), *sorted(root.rglob("*.so.*"))]
    for binary in binaries:
        listed = subprocess.run(["ldd", binary], capture_output=True, text=True, check=True).stdout
        if "not found" in listed:
            sys.exit(f"{binary} is linked with something that is not there:\n{listed}")
        for name in re.findall(r"(/\S+) \(0x", listed):
            if not Path(name).is_relative_to(root):
                yield Path(name)
                if Path(name).name == "libc.so.6":
                    yield from (Path(name).with_name(more) for more in LOADED_BY_NAME)


def take_libraries(root: Path, python: Path) -> None:
    """Take all libraries, and the links and the index by which the loader finds them."""
    taken = sorted(set(libraries(root, python)))
    for library in taken:
        copy(root, library)
    for link in sorted(Path("/").glob("lib*")):
        if link.is_symlink():
            (root / link.name).symlink_to(link.readlink())
            at(root, link.resolve()).mkdir(parents=True, exist_ok=True)
    folders = sorted({str(library.parent.resolve()) for library in taken})
    write(root, "etc/ld.so.conf", "".join(f"{folder}\n" for folder in folders))
    subprocess.run(["ldconfig", "-X", "-r", root], check=True)
    shutil.rmtree(root / "var" / "cache", ignore_errors=True)
    note_packages(root, [*taken, python, Path(os.__file__), Path("/usr/share/ca-certificates"), ZONES / "Etc" / "UTC"])


def note_packages(root: Path, taken: list[Path]) -> None:
    """Say for scanners, as distroless images do, which packages these are of, and take their licences."""
    if not shutil.which("dpkg-query"):
        return
    shutil.copytree(LICENCES, at(root, LICENCES), symlinks=True, copy_function=shutil.copy)
    for library in taken:
        names = {str(library), str(library.parent.resolve() / library.name), str(library.resolve())}
        found = subprocess.run(["dpkg-query", "-S", *sorted(names)], capture_output=True, text=True, check=False).stdout
        for package in sorted(set(re.findall(r"^([^\s,]+): /", found, re.MULTILINE))):
            name = package.partition(":")[0]
            status = subprocess.run(["dpkg-query", "-s", package], capture_output=True, text=True, check=True).stdout
            write(root, f"var/lib/dpkg/status.d/{name}", status)
            licence = Path("/usr/share/doc", name, "copyright")
            if licence.exists():
                copy(root, licence)


def take_data(root: Path) -> None:
    """Take certificates and time zones, and write what glibc looks things up in."""
    copy(root, CA_BUNDLE)
    copy(root, RELEASE)
    expected = Path(ssl.get_default_verify_paths().openssl_cafile)
    if at(root, expected) != root / CA_BUNDLE.relative_to("/"):
        at(root, expected).parent.mkdir(parents=True, exist_ok=True)
        at(root, expected).symlink_to(CA_BUNDLE)
    shutil.copytree(ZONES, at(root, ZONES), ignore=shutil.ignore_patterns("right", "posix"), copy_function=shutil.copy)
    write(root, "etc/passwd", USERS)
    write(root, "etc/group", GROUP)
    write(root, "etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n")
    for folder in ("dev", "etc/regsync", "home", "proc", "sys", "usr/local/bin"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "tmp").mkdir()
    (root / "tmp").chmod(0o1777)


def settle(root: Path, moment: int) -> None:
    """Compile what is Python, so that starts need not; nothing is older or newer, or anybody else's to write."""
    checked = py_compile.PycInvalidationMode.UNCHECKED_HASH  # files have no times that mean anything
    if not compileall.compile_dir(
        root, quiet=1, maxlevels=20, stripdir=root, prependdir="/", invalidation_mode=checked
    ):
        sys.exit("not everything compiles")
    for path in sorted(root.rglob("*")):
        if not path.is_symlink() and path != root / "tmp":
            is_program = path.stat().st_mode & 0o100 and path.suffix != ".py"
            path.chmod(0o755 if path.is_dir() or is_program else 0o644)
    for path in [root, *root.rglob("*")]:
        os.utime(path, (moment, moment), follow_symlinks=False)


def main() -> None:
    """Do it all."""
    environment, root, *reports = map(Path, sys.argv[1:])
    root.mkdir()
    python = take_python(root)
    take_environment(root, environment, python)
    take_libraries(root, python)
    take_data(root)
    write_image(root, environment, reports)
    settle(root, int(os.environ["SOURCE_DATE_EPOCH"]))


if __name__ == "__main__":
    main()
