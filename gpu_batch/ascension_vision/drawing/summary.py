"""summary.png: one page that says what a climb was like."""

import textwrap
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ascension_vision.drawing.charts import draw_charts
from ascension_vision.drawing.overlay import Layers
from ascension_vision.drawing.page import (
    DPI,
    INK,
    PAGE,
    QUIET,
    SUMMARY_SIZE,
    WARNING,
    card,
    clock,
    limb_tint,
    measured,
    shortened,
    tint,
)
from ascension_vision.drawing.poses import LIMBS, Poses
from ascension_vision.drawing.skeleton import GHOST
from ascension_vision.drawing.stills import draw_path, draw_stills, moments, pictures

__all__ = ["SUMMARY_SIZE", "write_summary"]

_NUMBER_COLUMNS = 4

Area = tuple[float, float, float, float]


def write_summary(video_path: Path | str, verbose_result: dict[str, Any], out_path: Path | str) -> None:
    """Write the page as a PNG of ``SUMMARY_SIZE``. Raises ``ValueError`` where the video shows no picture."""
    layers = Layers(verbose_result)
    video = verbose_result.get("video") or {}
    duration = float(video.get("duration_s") or (layers.poses.times[-1] if layers.poses.times else 0.0))
    when = moments(verbose_result, layers.poses, duration)
    stills = pictures(Path(video_path), [t for t, _, _ in when])
    cues = (verbose_result.get("ghost") or {}).get("cues") or []

    page = Figure(figsize=(SUMMARY_SIZE[0] / DPI, SUMMARY_SIZE[1] / DPI), dpi=DPI, facecolor=PAGE)
    canvas = FigureCanvasAgg(page)
    _title(page, Path(video_path).name, duration, verbose_result, layers.poses)
    draw_stills(page, stills, when, layers, (0.04, 0.635, 0.92, 0.285))
    rows = -(-len(verbose_result.get("metrics") or [0]) // _NUMBER_COLUMNS)
    low = 0.02 + min(0.035 + 0.05 * rows, 0.275)
    _draw_numbers(page, verbose_result, (0.04, 0.02, 0.92, low - 0.03))
    draw_charts(page, verbose_result, layers.poses, duration, (0.412, low, 0.548, 0.625 - low))
    room = 0.085 if cues else 0.0
    draw_path(page, stills[-1], layers, (0.04, low + room, 0.36, 0.625 - low - room))
    if cues:
        _draw_cues(page, verbose_result["ghost"], cues, (0.04, low, 0.36, room - 0.007))
    canvas.print_figure(str(out_path), format="png", facecolor=PAGE)


def _title(page: Figure, name: str, duration: float, result: dict[str, Any], poses: Poses) -> None:
    seen = poses.seen()
    found = f"climber seen in {seen.mean():.0%} of {len(seen)} frames" if len(seen) else "no frame was analysed"
    page.text(0.04, 0.972, "Ascension", fontsize=27, weight="bold", color=INK, va="center")
    page.text(0.96, 0.976, name, fontsize=15, color=INK, va="center", ha="right", parse_math=False)
    page.text(0.96, 0.958, f"{duration:.1f} s   ·   {found}", fontsize=12, color=QUIET, va="center", ha="right")
    page.text(0.04, 0.951, "what the camera saw of this climb", fontsize=12, color=QUIET, va="center")
    shown = [(limb.replace("_", " "), limb_tint(limb)) for limb in LIMBS]
    if result.get("ghost"):
        shown.append(("Ghost", tint(GHOST, 0.72)))
    for index, (label, color) in enumerate(shown):
        page.text(0.04 + 0.078 * index, 0.932, f"■ {label}", fontsize=11, color=color, va="center", weight="bold")
    warnings = (result.get("quality") or {}).get("warnings") or []
    if warnings:
        text = shortened("   ·   ".join(str(warning) for warning in warnings), 110)
        page.text(0.96, 0.932, text, fontsize=10.5, color=WARNING, va="center", ha="right", parse_math=False)


def _draw_cues(page: Figure, ghost: dict[str, Any], cues: list[dict[str, Any]], area: Area) -> None:
    """What would make the climb easier, and whether the Ghost keeps to what a body can do."""
    frame = card(page, *area, "What the Ghost does better")
    passed = (ghost.get("certificate") or {}).get("passed")
    if passed is not None:
        told, color = ("certificate passed", "#2f7d4f") if passed else ("certificate not passed", WARNING)
        frame.text(0.975, 0.87, told, fontsize=10, color=color, va="center", ha="right")
    for index, cue in enumerate(cues[:3]):
        text = textwrap.fill(str(cue.get("text", "")), 66, max_lines=1, placeholder=" …")
        at = clock(float(cue["at"])) if cue.get("at") is not None else ""
        y = 0.62 - 0.25 * index
        frame.text(0.026, y, at, fontsize=10, color=QUIET, va="center")
        frame.text(0.125, y, text, fontsize=10, color=INK, va="center", parse_math=False)


def _draw_numbers(page: Figure, result: dict[str, Any], area: Area) -> None:
    """Every metric with its unit and error, or why it is not known."""
    metrics = result.get("metrics") or {}
    info = result.get("metrics_info") or {}
    frame = card(page, *area, "Numbers")
    if not metrics:
        frame.text(0.02, 0.5, "none were computed", color=QUIET, fontsize=12, va="center")
        return
    top = 1 - 45 / (area[3] * SUMMARY_SIZE[1])
    step = top / -(-len(metrics) // _NUMBER_COLUMNS)
    room = step * area[3] * SUMMARY_SIZE[1]  # pixels of a row
    size = float(np.clip(room / 7.5, 9, 16))
    line = 1.45 / room * step  # share of the card for a point of type
    for index, (key, value) in enumerate(metrics.items()):
        x, y = 0.016 + (index % _NUMBER_COLUMNS) / _NUMBER_COLUMNS, top - (index // _NUMBER_COLUMNS) * step
        told = info.get(key)
        details = told if isinstance(told, dict) else {"reason": told} if told else {}
        error = details.get("uncertainty")
        known = value is not None
        unit = str(details.get("unit") or "")
        small = str(details.get("meaning") or "") if known else str(details.get("reason") or "not measurable")
        text = measured(value, error) if known else "–"
        if known and unit not in ("", "1", "ratio"):
            text += f" {unit}"
        name = shortened(str(key).replace("_", " "), 36)
        frame.text(x, y, name, fontsize=10, color=INK, va="top", parse_math=False)
        frame.text(
            x, y - 13 * line, text, fontsize=size, color=INK if known else QUIET, weight="bold", va="top",
            parse_math=False,
        )  # fmt: skip
        lines = int(np.clip((room / 1.45 - 17 - size) / 12.5, 1, 3))
        frame.text(
            x, y - (17 + size) * line, textwrap.fill(small, 46, max_lines=lines, placeholder=" …"),
            fontsize=9, color=QUIET, va="top", linespacing=1.2, parse_math=False,
        )  # fmt: skip
