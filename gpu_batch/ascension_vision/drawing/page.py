"""What all parts of the summary's page share: its size, its colours, its cards."""

from math import floor, log10
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from ascension_vision.drawing.skeleton import LIMB_COLORS, Color

SUMMARY_SIZE = (1600, 2400)  # pixels, width and height
DPI = 100
PAGE, CARD, INK, QUIET, RULE, WARNING = "#f6f5f1", "#ffffff", "#1c2430", "#6d7683", "#dcdad2", "#a4551e"


def card(page: Figure, x: float, y: float, width: float, height: float, title: str) -> Axes:
    """A white sheet with a title; coordinates on it run from 0 to 1. All four numbers are shares of the page."""
    axes = page.add_axes((x, y, width, height))
    axes.set_axis_off()
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    page.add_artist(
        FancyBboxPatch(
            (x, y), width, height, boxstyle="round,pad=0,rounding_size=0.006", facecolor=CARD, edgecolor=RULE,
            linewidth=1, transform=page.transFigure, zorder=-1, mutation_aspect=SUMMARY_SIZE[0] / SUMMARY_SIZE[1],
        )
    )  # fmt: skip
    if title:
        across, down = width * SUMMARY_SIZE[0], height * SUMMARY_SIZE[1]
        axes.text(15 / across, 1 - 20 / down, title, fontsize=12.5, weight="bold", color=INK, va="center")
    return axes


def shape(width: float, height: float) -> float:
    """Width over height in pixels of a part of the page given in shares of it."""
    return width * SUMMARY_SIZE[0] / (height * SUMMARY_SIZE[1])


def clock(t: float) -> str:
    """Seconds as 1:23.4."""
    return f"{int(t // 60)}:{t % 60:04.1f}"


def number(value: Any) -> str:
    """A number as people write it: three digits that matter."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:g}" if isinstance(value, int) else f"{value:.3g}"
    return str(value)


def measured(value: float, uncertainty: float | None) -> str:
    """A number and how far off it may be, to no more digits than that bears: two of the uncertainty's."""
    if uncertainty is None or not uncertainty > 0:
        return number(value)
    decimals = min(3, max(0, 1 - floor(log10(uncertainty))))
    return f"{value:.{decimals}f} ± {uncertainty:.{decimals}f}"


def shortened(text: str, room: int) -> str:
    """At most ``room`` characters."""
    return text if len(text) <= room else text[: room - 1].rstrip() + "…"


def tint(color: Color, light: float = 1.0) -> str:
    """A colour as matplotlib wants it; ``light`` under 1 is darker."""
    return "#" + "".join(f"{round(channel * light):02x}" for channel in color)


def limb_tint(limb: str) -> str:
    """A limb's colour, dark enough for white paper."""
    return tint(LIMB_COLORS[limb], 0.86)
