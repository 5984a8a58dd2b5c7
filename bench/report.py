"""What a benchmark found, as a table for people and as JSON for comparisons."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

Cell = str | int | float | bool | None


class NotNow(Exception):
    """The benchmark cannot say anything here and now; the message says why."""


@dataclass
class Goal:
    """Something that must hold, and whether it did."""

    name: str
    met: bool


@dataclass
class Table:
    """Figures with their units in the columns' names."""

    title: str
    columns: Sequence[str]
    rows: list[Sequence[Cell]] = field(default_factory=list)

    def text(self) -> str:
        """The table with aligned columns, numbers to the right."""
        cells = [list(self.columns), *([_shown(cell) for cell in row] for row in self.rows)]
        widths = [max(len(row[column]) for row in cells) for column in range(len(self.columns))]
        numeric = [all(isinstance(row[column], int | float) for row in self.rows) for column in range(len(widths))]
        lines = [
            "  ".join(
                cell.rjust(width) if right else cell.ljust(width)
                for cell, width, right in zip(row, widths, numeric, strict=True)
            ).rstrip()
            for row in cells
        ]
        return "\n".join([self.title, lines[0], "-" * len(lines[0]), *lines[1:]])


@dataclass
class Report:
    """All that a benchmark found. ``packages`` are those whose versions matter to it; ``notes`` say how to read it."""

    tables: list[Table]
    goals: list[Goal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    packages: Sequence[str] = ()
    versions: dict[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """The report for people."""
        goals = [f"{'met   ' if goal.met else 'MISSED'}  {goal.name}" for goal in self.goals]
        return "\n\n".join([*(table.text() for table in self.tables), "\n".join(self.notes), "\n".join(goals)])

    def write(self, path: Path, seconds: float) -> None:
        """The report for comparisons."""
        found = {name: installed for name in self.packages if (installed := _version(name))}
        content = {
            "benchmark": path.stem,
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "took_s": round(seconds, 1),
            "machine": machine(),
            "versions": {"python": platform.python_version(), **found, **self.versions},
            **{key: asdict(self)[key] for key in ("goals", "notes", "tables")},
        }
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def machine() -> dict[str, Any]:
    """What the figures were made on. ``load_1min`` is how busy it was: more than its cores, and they are too high."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "load_1min": round(os.getloadavg()[0], 2),
    }


def quantile(values: Sequence[float], fraction: float) -> float:
    """The smallest value that at least this fraction of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-int(fraction * 100) * len(ordered) // 100) - 1)]


def _cpu_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _shown(cell: Cell) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, float):
        return f"{cell:.2f}"
    return str(cell)
