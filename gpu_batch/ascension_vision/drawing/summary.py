"""summary.png: one page that says what a climb was like."""

import textwrap
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from numpy.typing import NDArray

from ascension_vision.drawing.footage import Footage, Picture
from ascension_vision.drawing.poses import Poses
from ascension_vision.drawing.skeleton import GRAVITY, LEFT, RIGHT, Color, draw_skeleton

Array = NDArray[np.float64]

SUMMARY_SIZE = (1600, 2000)  # pixels, width and height
_DPI = 100
_STILLS = 6
_NUMBER_COLUMNS = 3
_LONG_SIDE = 960
_PAGE, _CARD, _INK, _QUIET, _RULE = "#f6f5f1", "#ffffff", "#1c2430", "#6d7683", "#dcdad2"
_SMOOTH_SECONDS = 0.12
_LIMBS = ("left_hand", "right_hand", "left_foot", "right_foot")


def write_summary(video_path: Path | str, verbose_result: dict[str, Any], out_path: Path | str) -> None:
    """Write the page as a PNG of ``SUMMARY_SIZE``. Raises ``ValueError`` where the video shows no picture."""
    poses = Poses(verbose_result)
    video = verbose_result.get("video") or {}
    duration = float(video.get("duration_s") or (poses.times[-1] if poses.times else 0.0))
    moments = _moments(verbose_result, poses, duration)
    stills = _stills(Path(video_path), moments)

    page = Figure(figsize=(SUMMARY_SIZE[0] / _DPI, SUMMARY_SIZE[1] / _DPI), dpi=_DPI, facecolor=_PAGE)
    canvas = FigureCanvasAgg(page)
    _title(page, Path(video_path).name, duration, verbose_result, poses)
    _draw_stills(page, stills, moments, poses)
    shape = float(video.get("width") or 1), float(video.get("height") or 1)
    _draw_path(page, stills[-1], poses)
    _draw_charts(page, verbose_result, poses, duration, shape)
    _draw_numbers(page, verbose_result)
    canvas.print_figure(str(out_path), format="png", facecolor=_PAGE)


# --- stills ---------------------------------------------------------------------------------------------------------


def _moments(result: dict[str, Any], poses: Poses, duration: float) -> list[float]:
    """Times of the stills: just after moves where contacts are known, else evenly, preferring frames with a climber."""
    starts = sorted({contact["start"] for contact in result.get("contacts") or [] if contact["start"] > 0})
    if len(starts) >= _STILLS:
        chosen = [starts[round(index)] for index in np.linspace(0, len(starts) - 1, _STILLS)]
    else:
        chosen = [duration * (index + 0.5) / _STILLS for index in range(_STILLS)]
    seen = [t for t, found in zip(poses.times, poses.seen(), strict=True) if found]
    reach = duration / _STILLS / 2
    nearest = [min(seen, key=lambda time: abs(time - t), default=t) for t in chosen]
    return [near if abs(near - t) < reach else t for near, t in zip(nearest, chosen, strict=True)]


def _stills(path: Path, moments: list[float]) -> list[Picture]:
    """The picture at each moment, in one pass over the video."""
    stills: list[Picture] = []
    shot = None
    for shot in Footage(path, _LONG_SIDE).shots():
        while len(stills) < len(moments) and shot.t >= moments[len(stills)] - 1e-3:
            stills.append(shot.picture.copy())
        if len(stills) == len(moments):
            return stills
    if shot is None:
        raise ValueError(f"{path.name} shows no picture")
    return stills + [shot.picture.copy()] * (len(moments) - len(stills))


def _draw_stills(page: Figure, stills: list[Picture], moments: list[float], poses: Poses) -> None:
    left, gap, top, height = 0.04, 0.008, 0.905, 0.255
    width = (0.92 - gap * (_STILLS - 1)) / _STILLS
    box = _crop(poses, stills[0], _page_shape(width, height), margin=0.10)
    for index, (still, t) in enumerate(zip(stills, moments, strict=True)):
        picture = still.copy()
        pose = poses.at(t)
        if pose is not None:
            draw_skeleton(picture, pose.landmarks)
        cut = _cut(picture, box)
        axes = page.add_axes((left + index * (width + gap), top - height, width, height))
        toward = 0.5 if pose is None else (pose.landmarks[11:29, 0].mean() - box[0]) / max(box[2] - box[0], 1e-6)
        axes.imshow(_filled(cut, _page_shape(width, height), float(toward)), aspect="auto")
        axes.set_axis_off()
        axes.text(
            0.05, 0.035, _clock(t) + ("" if pose is not None else "  no climber seen"), transform=axes.transAxes,
            color="white", fontsize=11, weight="bold", bbox={"facecolor": "#00000090", "edgecolor": "none", "pad": 3},
        )  # fmt: skip


def _page_shape(width: float, height: float) -> float:
    """Width over height in pixels of a part of the page given in shares of it."""
    return width * SUMMARY_SIZE[0] / (height * SUMMARY_SIZE[1])


def _cut(picture: Picture, box: tuple[float, float, float, float]) -> Picture:
    rows, columns = picture.shape[:2]
    x0, y0, x1, y1 = box
    return picture[int(y0 * rows) : max(int(y1 * rows), 1), int(x0 * columns) : max(int(x1 * columns), 1)]


def _crop(poses: Poses, still: Picture, shape: float, margin: float) -> tuple[float, float, float, float]:
    """A box (0 to 1) about all of the climber's way, of ``shape`` (width over height) where the video allows it."""
    points = [pose.landmarks[:, :2] for index in range(len(poses)) if (pose := poses[index]) is not None]
    if not points:
        return 0.0, 0.0, 1.0, 1.0
    every = np.concatenate(points)
    low, high = np.quantile(every, 0.01, axis=0), np.quantile(every, 0.99, axis=0)
    room = margin * float((high - low).max())
    x0, y0 = low - room
    x1, y1 = high + room
    wanted = shape * still.shape[0] / still.shape[1]  # in shares of the frame
    if (x1 - x0) < wanted * (y1 - y0):
        middle, half = (x0 + x1) / 2, wanted * (y1 - y0) / 2
        middle = min(max(middle, half), 1 - half) if half < 0.5 else 0.5
        x0, x1 = middle - half, middle + half
    else:
        middle, half = (y0 + y1) / 2, (x1 - x0) / wanted / 2
        middle = min(max(middle, half), 1 - half) if half < 0.5 else 0.5
        y0, y1 = middle - half, middle + half
    return max(float(x0), 0.0), max(float(y0), 0.0), min(float(x1), 1.0), min(float(y1), 1.0)


def _filled(picture: Picture, shape: float, toward: float) -> Picture:
    """A picture cut to ``shape`` (width over height); where that costs width, about ``toward``, 0 left to 1 right."""
    rows, columns = picture.shape[:2]
    if columns > shape * rows:
        keep = max(1, round(shape * rows))
        start = int(np.clip(toward * columns - keep / 2, 0, columns - keep))
        return picture[:, start : start + keep]
    keep = max(1, round(columns / shape))
    start = (rows - keep) // 2
    return picture[start : start + keep]


# --- text -----------------------------------------------------------------------------------------------------------


def _title(page: Figure, name: str, duration: float, result: dict[str, Any], poses: Poses) -> None:
    seen = poses.seen()
    found = f"climber seen in {seen.mean():.0%} of {len(seen)} frames" if len(seen) else "no frame was analysed"
    page.text(0.04, 0.962, "Ascension", fontsize=27, weight="bold", color=_INK, va="center")
    page.text(0.96, 0.966, name, fontsize=15, color=_INK, va="center", ha="right", parse_math=False)
    page.text(0.96, 0.946, f"{duration:.1f} s   ·   {found}", fontsize=12, color=_QUIET, va="center", ha="right")
    page.text(0.04, 0.938, "what the camera saw of this climb", fontsize=12, color=_QUIET, va="center")
    page.text(0.04, 0.916, "■ left", fontsize=11, color=_hex(LEFT), va="center", weight="bold")
    page.text(0.085, 0.916, "■ right", fontsize=11, color=_hex(RIGHT), va="center", weight="bold")
    warnings = (result.get("quality") or {}).get("warnings") or []
    if warnings:
        text = "   ·   ".join(str(warning) for warning in warnings)
        page.text(
            0.96,
            0.916,
            _shortened(text, 150),
            fontsize=10.5,
            color="#a4551e",
            va="center",
            ha="right",
            parse_math=False,
        )


def _draw_numbers(page: Figure, result: dict[str, Any]) -> None:
    """Every metric with its unit, or why it is not known."""
    metrics = result.get("metrics") or {}
    info = result.get("metrics_info") or {}
    frame = _card(page, 0.04, 0.025, 0.92, 0.195, "Numbers")
    if not metrics:
        frame.text(0.02, 0.5, "none were computed", color=_QUIET, fontsize=12, va="center")
        return
    rows = -(-len(metrics) // _NUMBER_COLUMNS)
    step = 0.86 / rows
    size = float(np.clip(step * 48, 9, 17))
    for index, (key, value) in enumerate(metrics.items()):
        x, y = 0.02 + (index % _NUMBER_COLUMNS) / _NUMBER_COLUMNS, 0.86 - (index // _NUMBER_COLUMNS) * step
        told = info.get(key)
        details = told if isinstance(told, dict) else {"reason": told} if told else {}
        error = details.get("uncertainty")
        known = value is not None
        unit = str(details.get("unit") or "")
        small = str(details.get("meaning") or "") if known else str(details.get("reason") or "not measurable")
        text = _number(value) + (f" ± {_number(error)}" if error is not None else "") if known else "–"
        if known and unit not in ("", "1", "ratio"):
            text += f" {unit}"
        frame.text(x, y, str(key).replace("_", " "), fontsize=size * 0.66, color=_INK, va="top", parse_math=False)
        frame.text(
            x, y - 0.17 * step, text, fontsize=size, color=_INK if known else _QUIET, weight="bold", va="top",
            parse_math=False,
        )  # fmt: skip
        frame.text(
            x, y - 0.48 * step, textwrap.fill(small, 50, max_lines=2 if rows > 2 else 3, placeholder=" …"),
            fontsize=min(size * 0.58, 9.5), color=_QUIET, va="top", linespacing=1.25, parse_math=False,
        )  # fmt: skip


# --- charts ---------------------------------------------------------------------------------------------------------


def _draw_path(page: Figure, still: Picture, poses: Poses) -> None:
    """The centre of gravity's way over the last still, coloured by time."""
    frame = _card(page, 0.04, 0.235, 0.36, 0.395, "Path of the centre of gravity")
    frame.set_axis_off()
    axes = page.add_axes((0.05, 0.245, 0.34, 0.353))
    full_rows, full_columns = still.shape[:2]
    box = _crop(poses, still, _page_shape(0.34, 0.353), margin=0.22)
    cut = _cut(still, box)
    rows, columns = cut.shape[:2]
    pale = (0.45 * cut.astype(np.float32) + 0.55 * 255 * 0.95).astype(np.uint8)
    axes.imshow(pale, extent=(0, columns, rows, 0))
    centers = poses.centers() * [full_columns, full_rows] - [int(box[0] * full_columns), int(box[1] * full_rows)]
    times = np.array(poses.times)
    known = np.asarray(np.isfinite(centers).all(axis=1), dtype=bool)
    together = np.asarray(known[1:] & known[:-1], dtype=bool)
    if together.any():
        segments = np.stack([centers[:-1], centers[1:]], axis=1)[together]
        outline = LineCollection(list(segments), colors="#1c2430", linewidths=6, capstyle="round")
        axes.add_collection(outline)
        lines = LineCollection(list(segments), cmap="plasma", linewidths=3.6, capstyle="round")
        lines.set_array(times[:-1][together])
        axes.add_collection(lines)
        first, last = centers[known][0], centers[known][-1]
        for point, label in ((first, "start"), (last, "end")):
            axes.plot(*point, "o", color="white", markeredgecolor="#1c2430", markersize=8, markeredgewidth=2)
            axes.annotate(
                label, point, xytext=(10, -3), textcoords="offset points", fontsize=11, weight="bold", color=_INK,
                bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1.5},
            )  # fmt: skip
    else:
        axes.text(columns / 2, rows / 2, "not seen", ha="center", color=_QUIET, fontsize=14)
    axes.set_xlim(0, columns)
    axes.set_ylim(rows, 0)
    axes.set_axis_off()


def _draw_charts(
    page: Figure, result: dict[str, Any], poses: Poses, duration: float, shape: tuple[float, float]
) -> None:
    times = np.array(poses.times)
    angles = {name: _angle_track(result, name) for name in ("left_elbow", "right_elbow", "left_knee", "right_knee")}
    torso = _torso(poses, shape)
    speeds = {
        "centre of gravity": (_speed(times, poses.centers() * shape, torso), _darker(GRAVITY)),
        "hips": (_speed(times, _hips(poses) * shape, torso), "#64748b"),
    }
    contacts = result.get("contacts") or []
    end = max(duration, 1e-3)

    def chart(bottom: float, height: float, title: str) -> Axes:
        _card(page, 0.415, bottom, 0.545, height, title)
        axes = page.add_axes((0.462, bottom + 0.020, 0.485, height - 0.052))
        axes.set_facecolor(_CARD)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        axes.spines["bottom"].set_color(_RULE)
        axes.tick_params(colors=_QUIET, labelsize=9.5, length=0)
        axes.grid(axis="y", color=_RULE, linewidth=0.8)
        axes.set_xlim(0, end)
        for start, stop in _gaps(times, poses.seen(), end):
            axes.axvspan(start, stop, color="#eceae4", linewidth=0)
        return axes

    axes = chart(0.519, 0.111, "Speed, torso lengths a second")
    for label, (speed, color) in speeds.items():
        axes.plot(times, speed, color=color, linewidth=1.8, label=label)
    axes.set_ylim(bottom=0)
    _legend(axes)
    for bottom, joint in ((0.399, "elbow"), (0.279, "knee")):
        axes = chart(bottom, 0.111, f"{joint.capitalize()} angle, degrees (180 is straight)")
        axes.plot(times, angles[f"left_{joint}"], color=_hex(LEFT), linewidth=1.8, label="left")
        axes.plot(times, angles[f"right_{joint}"], color=_hex(RIGHT), linewidth=1.8, label="right")
        axes.set_ylim(20, 185)
        axes.set_yticks([45, 90, 135, 180])
        _legend(axes)
    # where the climber was seen, and contacts where they are known
    _card(page, 0.415, 0.235, 0.545, 0.035, "")
    axes = page.add_axes((0.462, 0.241, 0.485, 0.023))
    axes.set_xlim(0, end)
    axes.set_axis_off()
    lanes = len(_LIMBS) if contacts else 1
    axes.set_ylim(0, lanes)
    if contacts:
        for contact in contacts:
            lane = lanes - 1 - _LIMBS.index(contact["limb"])
            color = _hex(LEFT if contact["limb"].startswith("left") else RIGHT)
            axes.barh(lane + 0.5, contact["end"] - contact["start"], left=contact["start"], height=0.74, color=color)
        page.text(0.424, 0.2525, "hands\nfeet", fontsize=9, color=_QUIET, va="center", linespacing=1.3)
    else:
        axes.barh(0.5, end, height=0.45, color="#eceae4")
        gaps = _gaps(times, poses.seen(), end)
        edges = [0.0, *(value for gap in gaps for value in gap), end]
        for start, stop in zip(edges[::2], edges[1::2], strict=True):
            axes.barh(0.5, max(stop - start, 0), left=start, height=0.45, color="#4d9a6a" if len(times) else "#eceae4")
        page.text(0.424, 0.2525, "seen", fontsize=9.5, color=_QUIET, va="center")


def _angle_track(result: dict[str, Any], name: str) -> Array:
    frames = result["poses"]["frames"]
    values = [(frame.get("angles") or {}).get(name) for frame in frames]
    return np.array([np.nan if value is None else float(value) for value in values])


def _hips(poses: Poses) -> Array:
    nowhere = np.full(2, np.nan)
    found = [poses[index] for index in range(len(poses))]
    return np.array([nowhere if pose is None else pose.landmarks[[23, 24], :2].mean(axis=0) for pose in found]).reshape(
        -1, 2
    )


def _torso(poses: Poses, shape: tuple[float, float]) -> float:
    """Median length of the torso in pixels of the source, NaN where nobody was seen."""
    lengths = []
    for index in range(len(poses)):
        pose = poses[index]
        if pose is not None:
            points = pose.landmarks[:, :2] * shape
            lengths.append(np.linalg.norm(points[[11, 12]].mean(axis=0) - points[[23, 24]].mean(axis=0)))
    return float(np.median(lengths)) if lengths else float("nan")


def _speed(times: Array, points: Array, torso: float) -> Array:
    """(frames,) torso lengths a second, smoothed over ``_SMOOTH_SECONDS`` for the eye; NaN where not known."""
    if len(times) < 3:
        return np.full(len(times), np.nan)
    velocity = np.gradient(points, times, axis=0) / torso
    speed = np.linalg.norm(velocity, axis=1)
    spacing = float(np.median(np.diff(times)))
    half = max(1, round(2 * _SMOOTH_SECONDS / spacing))
    kernel = np.exp(-0.5 * (np.arange(-half, half + 1) * spacing / _SMOOTH_SECONDS) ** 2)
    known = np.isfinite(speed)
    weight = np.convolve(known.astype(float), kernel, "same")[: len(speed)]
    total = np.convolve(np.where(known, speed, 0.0), kernel, "same")[: len(speed)]
    return np.where(known, total / np.maximum(weight, 1e-9), np.nan)


def _gaps(times: Array, seen: NDArray[np.bool_], end: float) -> list[tuple[float, float]]:
    """Spans of seconds in which no climber was seen."""
    gaps: list[tuple[float, float]] = []
    start: float | None = None
    for t, found in zip(times, seen, strict=True):
        if not found and start is None:
            start = float(t)
        elif found and start is not None:
            gaps.append((start, float(t)))
            start = None
    if start is not None:
        gaps.append((start, end))
    return gaps


# --- looks ----------------------------------------------------------------------------------------------------------


def _card(page: Figure, x: float, y: float, width: float, height: float, title: str) -> Axes:
    axes = page.add_axes((x, y, width, height))
    axes.set_axis_off()
    pixels = width * SUMMARY_SIZE[0], height * SUMMARY_SIZE[1]
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    page.add_artist(
        FancyBboxPatch(
            (x, y), width, height, boxstyle="round,pad=0,rounding_size=0.006", facecolor=_CARD, edgecolor=_RULE,
            linewidth=1, transform=page.transFigure, zorder=-1, mutation_aspect=SUMMARY_SIZE[0] / SUMMARY_SIZE[1],
        )
    )  # fmt: skip
    if title:
        axes.text(15 / pixels[0], 1 - 20 / pixels[1], title, fontsize=12.5, weight="bold", color=_INK, va="center")
    return axes


def _legend(axes: Axes) -> None:
    axes.legend(
        loc="lower right", bbox_to_anchor=(1.0, 1.06), ncols=2, frameon=False, fontsize=10, labelcolor=_QUIET,
        handlelength=1.2, borderaxespad=0.1,
    )  # fmt: skip


def _clock(t: float) -> str:
    return f"{int(t // 60)}:{t % 60:04.1f}"


def _number(value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:g}" if isinstance(value, int) else f"{value:.3g}"
    return str(value)


def _shortened(text: str, room: int) -> str:
    return text if len(text) <= room else text[: room - 1].rstrip() + "…"


def _hex(color: Color) -> str:
    return "#" + "".join(f"{channel:02x}" for channel in color)


def _darker(color: Color) -> str:
    red, green, blue = (round(channel * 0.82) for channel in color)
    return _hex((red, green, blue))
