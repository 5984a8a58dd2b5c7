"""`scripts/cloud logs`: the log files of functions, jobs and the emulator, together and in colour-free plain text."""

from __future__ import annotations

import sys
import time
from pathlib import Path

_TAIL_LINES = 200


def show(directory: Path, name: str, *, follow: bool) -> int:
    """Prints the end of each log whose name contains `name`; with follow, what is added too, until interrupted."""
    found = _chosen(directory, name)
    if not found and not follow:
        there = ", ".join(sorted(_title(directory, path) for path in directory.rglob("*.log"))) or "none yet"
        print(f"No log is named like {name!r}. There are: {there}", file=sys.stderr)
        return 1
    read: dict[Path, int] = {}
    for path in found:
        lines = path.read_text(errors="replace").splitlines()
        if not name:
            lines = lines[-_TAIL_LINES:]
        read[path] = path.stat().st_size
        for line in lines:
            _print(directory, path, line)
    while follow:
        for path in _chosen(directory, name):
            with path.open("rb") as file:
                file.seek(read.get(path, 0))
                *added, rest = file.read().split(b"\n")
                read[path] = file.tell() - len(rest)
            for raw in added:
                _print(directory, path, raw.decode(errors="replace"))
        sys.stdout.flush()
        time.sleep(0.3)
    return 0


def _chosen(directory: Path, name: str) -> list[Path]:
    """Oldest first. The emulator's own log only when it is asked for: it is long and rarely the answer."""
    paths = [path for path in directory.rglob("*.log") if name in _title(directory, path)]
    if not name:
        paths = [path for path in paths if path.parent != directory]
    return sorted(paths, key=lambda path: path.stat().st_mtime)


def _title(directory: Path, path: Path) -> str:
    return path.relative_to(directory).with_suffix("").as_posix()


def _print(directory: Path, path: Path, line: str) -> None:
    print(f"{_title(directory, path)} | {line}")
