"""The summary's pictures: a still at each move, and the centre of gravity's path over the wall."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ascension_vision.drawing.footage import Footage, Picture
from ascension_vision.drawing.overlay import Layers
from ascension_vision.drawing.page import INK, QUIET, card, clock, limb_tint, shape
from ascension_vision.drawing.poses import LIMBS, Poses

Array = NDArray[np.float64]
Box = tuple[float, float, float, float]

_A_ROW = 6
_ROWS = 2
_LONG_SIDE = 960
_CROP_MARGIN, _PATH_MARGIN = 0.10, 0.22


def moments(result: dict[str, Any], poses: Poses, duration: float) -> list[tuple[float, str, str]]:
    """Time, words and limb of each still: the end of each move, thinned out where there are too many; without moves
    evenly, preferring frames with a climber."""
    moves = sorted(result.get("moves") or [], key=lambda move: move["end"])
    if moves:
        types = {hold["id"]: hold.get("type") for hold in result.get("holds") or []}
        count = min(len(moves), _A_ROW * _ROWS)
        kept = [moves[round(index)] for index in np.linspace(0, len(moves) - 1, count)]
        return [(move["end"], _words(move, types), move["limb"]) for move in kept]
    even = [duration * (index + 0.5) / _A_ROW for index in range(_A_ROW)]
    seen = [t for t, found in zip(poses.times, poses.seen(), strict=True) if found]
    reach = duration / _A_ROW / 2
    nearest = [min(seen, key=lambda time: abs(time - t), default=t) for t in even]
    return [(near if abs(near - t) < reach else t, "", "") for near, t in zip(nearest, even, strict=True)]


def _words(move: dict[str, Any], types: dict[int, str | None]) -> str:
    kind = types.get(move["to_hold_id"])
    where = "the wall" if move["to_hold_id"] is None else kind if kind and kind != "unknown" else "hold"
    return f"{move['limb'].replace('_', ' ')} → {where}"


def pictures(path: Path, times: list[float]) -> list[Picture]:
    """The picture at each of some ascending times, in one pass. Raises ``ValueError`` where the video shows none."""
    stills: list[Picture] = []
    shot = None
    for shot in Footage(path, _LONG_SIDE).shots():
        while len(stills) < len(times) and shot.t >= times[len(stills)] - 1e-3:
            stills.append(shot.picture.copy())
        if len(stills) == len(times):
            return stills
    if shot is None:
        raise ValueError(f"{path.name} shows no picture")
    return stills + [shot.picture.copy()] * (len(times) - len(stills))


def draw_stills(
    page: Figure, stills: list[Picture], when: list[tuple[float, str, str]], layers: Layers, area: Box
) -> None:
    """Stills in one or two rows in an ``area`` of the page: left, bottom, width, height."""
    left, bottom, across, up = area
    rows = -(-len(stills) // _A_ROW)
    columns = -(-len(stills) // rows)
    gap, gap_up = 0.008, 0.006
    width, height = (across - gap * (columns - 1)) / columns, (up - gap_up * (rows - 1)) / rows
    for index, (still, (t, words, limb)) in enumerate(zip(stills, when, strict=True)):
        picture = still.copy()
        layers.draw(picture, t, trail=False)
        pose = layers.poses.at(t)
        x = left + index % columns * (width + gap)
        y = bottom + up - (index // columns + 1) * height - index // columns * gap_up
        box = _about(None if pose is None else pose.landmarks, still, shape(width, height))
        axes = page.add_axes((x, y, width, height))
        axes.imshow(_cut(picture, box), aspect="auto")
        axes.set_axis_off()
        told = clock(t) + ("" if pose is not None else "  no climber seen")
        axes.text(
            0.05, 0.035 * rows, told, transform=axes.transAxes, color="white", fontsize=11, weight="bold",
            bbox={"facecolor": "#00000090", "edgecolor": "none", "pad": 3},
        )  # fmt: skip
        if words:
            axes.text(
                0.05, 1 - 0.035 * rows, words, transform=axes.transAxes, color="white", fontsize=10, va="center",
                bbox={"facecolor": limb_tint(limb) if limb in LIMBS else INK, "edgecolor": "none", "pad": 3},
            )  # fmt: skip


def draw_path(page: Figure, still: Picture, layers: Layers, area: Box) -> None:
    """The centre of gravity's way over the last still, coloured by time, as that still's camera sees the wall."""
    left, bottom, width, height = area
    card(page, *area, "Path of the centre of gravity").set_axis_off()
    inner = (left + 0.01, bottom + 0.01, width - 0.02, height - 0.042)
    axes = page.add_axes(inner)
    axes.set_axis_off()
    poses = layers.poses
    now = len(poses) - 1
    centers = poses.centers()
    known = np.asarray(np.isfinite(centers).all(axis=1), dtype=bool)
    path = np.array(
        [layers.wall.carried(c, then, now) if k else c for then, (c, k) in enumerate(zip(centers, known, strict=True))]
    )
    box = _around(path[known], still, shape(inner[2], inner[3]), _PATH_MARGIN)
    cut = _cut(still, box)
    rows, columns = cut.shape[:2]
    pale = (0.45 * cut.astype(np.float32) + 0.55 * 255 * 0.95).astype(np.uint8)
    axes.imshow(pale, extent=(0, columns, rows, 0))
    axes.set_xlim(0, columns)
    axes.set_ylim(rows, 0)
    together = np.asarray(known[1:] & known[:-1], dtype=bool)
    if not together.any():
        axes.text(columns / 2, rows / 2, "not seen", ha="center", color=QUIET, fontsize=14)
        return
    full = np.array([still.shape[1], still.shape[0]])
    path = path.reshape(-1, 2) * full - [int(box[0] * full[0]), int(box[1] * full[1])]
    segments = list(np.stack([path[:-1], path[1:]], axis=1)[together])
    axes.add_collection(LineCollection(segments, colors=INK, linewidths=6, capstyle="round"))
    lines = LineCollection(segments, cmap="plasma", linewidths=3.6, capstyle="round")
    lines.set_array(np.array(poses.times)[:-1][together])
    axes.add_collection(lines)
    for point, label in ((path[known][0], "start"), (path[known][-1], "end")):
        axes.plot(*point, "o", color="white", markeredgecolor=INK, markersize=8, markeredgewidth=2)
        axes.annotate(
            label, point, xytext=(10, -3), textcoords="offset points", fontsize=11, weight="bold", color=INK,
            bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1.5},
        )  # fmt: skip


def _about(landmarks: Array | None, still: Picture, wanted: float) -> Box:
    """A box (0 to 1) about the climber of one still."""
    if landmarks is None:
        return _shaped((0.0, 0.0, 1.0, 1.0), still, wanted)
    return _around(landmarks[:, :2], still, wanted, _CROP_MARGIN)


def _around(points: Array, still: Picture, wanted: float, margin: float) -> Box:
    """A box (0 to 1) about points, of the shape wanted (width over height) where the video allows it."""
    if not len(points):
        return _shaped((0.0, 0.0, 1.0, 1.0), still, wanted)
    low, high = np.quantile(points, 0.01, axis=0), np.quantile(points, 0.99, axis=0)
    room = margin * max(float((high - low).max()), 0.6)
    return _shaped((*(low - room), *(high + room)), still, wanted)


def _shaped(box: tuple[float, ...], still: Picture, wanted: float) -> Box:
    """A box of the shape wanted that holds ``box`` if it can, within the frame."""
    x0, y0, x1, y1 = box
    frame = still.shape[1] / still.shape[0]
    width, height = min(max(x1 - x0, 0.05), 1.0), min(max(y1 - y0, 0.05), 1.0)
    width, height = max(width, height * wanted / frame), max(height, width * frame / wanted)
    shrink = min(1.0, 1 / width, 1 / height)
    width, height = width * shrink, height * shrink
    left = float(np.clip((x0 + x1 - width) / 2, 0, 1 - width))
    top = float(np.clip((y0 + y1 - height) / 2, 0, 1 - height))
    return left, top, left + width, top + height


def _cut(picture: Picture, box: Box) -> Picture:
    rows, columns = picture.shape[:2]
    x0, y0, x1, y1 = box
    return picture[int(y0 * rows) : max(int(y1 * rows), 1), int(x0 * columns) : max(int(x1 * columns), 1)]
