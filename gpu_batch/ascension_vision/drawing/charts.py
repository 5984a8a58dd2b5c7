"""The summary's curves over time: contacts, speed, load, joint angles."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ascension_vision.drawing.page import CARD, QUIET, RULE, card, limb_tint, tint
from ascension_vision.drawing.poses import LIMBS, Poses
from ascension_vision.drawing.skeleton import GHOST, GRAVITY, LEFT, RIGHT

Array = NDArray[np.float64]
Box = tuple[float, float, float, float]

_SMOOTH_SECONDS = 0.12
_UNSEEN = "#eceae4"
_GAP = 0.007


def draw_charts(page: Figure, result: dict[str, Any], poses: Poses, duration: float, area: Box) -> None:
    """Charts one above the other in an ``area`` of the page: left, bottom, width, height."""
    left, bottom, width, height = area
    times = np.array(poses.times)
    gaps = _gaps(times, poses.seen(), duration)
    charts = [
        (_contacts, "Contacts"),
        (_speed, "Speed, torso lengths a second"),
        (_load, "Load on the hands, body weights"),
    ]
    charts += [
        (_angles(joint), f"{joint.capitalize()} angle, degrees (180 is straight)") for joint in ("elbow", "knee")
    ]
    step = (height + _GAP) / len(charts)
    for index, (draw, title) in enumerate(charts):
        y = bottom + height - (index + 1) * step + _GAP
        card(page, left, y, width, step - _GAP, title)
        axes = page.add_axes((left + 0.055, y + 0.0155, width - 0.068, step - _GAP - 0.0375))
        _plain(axes, max(duration, 1e-3))
        for start, stop in gaps:
            axes.axvspan(start, stop, color=_UNSEEN, linewidth=0)
        draw(axes, result, poses, times)


def _contacts(axes: Axes, result: dict[str, Any], poses: Poses, times: Array) -> None:
    axes.set_ylim(0, len(LIMBS))
    axes.set_yticks([len(LIMBS) - lane - 0.5 for lane in range(len(LIMBS))], [limb.replace("_", " ") for limb in LIMBS])
    axes.grid(visible=False)
    contacts = result.get("contacts")
    if contacts is None:
        _missing(axes, result, "contacts")
        return
    for contact in contacts:
        lane = len(LIMBS) - LIMBS.index(contact["limb"]) - 0.5
        on_hold = contact.get("hold_id") is not None
        axes.barh(
            lane, contact["end"] - contact["start"], left=contact["start"], height=0.72,
            color=limb_tint(contact["limb"]), alpha=1.0 if on_hold else 0.45, edgecolor=CARD, linewidth=0.8,
        )  # fmt: skip


def _speed(axes: Axes, result: dict[str, Any], poses: Poses, times: Array) -> None:
    video = result.get("video") or {}
    shape = np.array([float(video.get("width") or 1), float(video.get("height") or 1)])
    torso = _torso(poses, shape)
    for name, points, color in (
        ("centre of gravity", poses.centers(), tint(GRAVITY, 0.82)),
        ("hips", _hips(poses), "#64748b"),
    ):
        axes.plot(times, _speed_of(times, points * shape, torso), color=color, linewidth=1.8, label=name)
    axes.set_ylim(bottom=0)
    _legend(axes)


def _load(axes: Axes, result: dict[str, Any], poses: Poses, times: Array) -> None:
    own = (result.get("loads") or {}).get("frames")
    ghost = (result.get("ghost") or {}).get("frames") or []
    if own is None and not ghost:
        _missing(axes, result, "loads")
        return
    if own is not None and len(own) == len(times):
        load = [np.nan if limbs is None else limbs[0] + limbs[1] for limbs in own]
        axes.plot(times, load, color="#64748b", linewidth=1.8, label="climber")
    told = [(frame["climber_t"], frame["loads"]) for frame in ghost if frame.get("loads") and "climber_t" in frame]
    if told:
        color = tint(GHOST, 0.72)
        axes.plot(
            [t for t, _ in told], [loads[0] + loads[1] for _, loads in told], color=color, linewidth=1.8, label="Ghost"
        )
    axes.set_ylim(bottom=0)
    _legend(axes)


def _angles(joint: str) -> Any:
    def draw(axes: Axes, result: dict[str, Any], poses: Poses, times: Array) -> None:
        for side, color in (("left", LEFT), ("right", RIGHT)):
            axes.plot(times, _angle_track(result, f"{side}_{joint}"), color=tint(color), linewidth=1.8, label=side)
        axes.set_ylim(20, 185)
        axes.set_yticks([45, 90, 135, 180])
        _legend(axes)

    return draw


def _plain(axes: Axes, end: float) -> None:
    axes.set_facecolor(CARD)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(RULE)
    axes.tick_params(colors=QUIET, labelsize=9.5, length=0)
    axes.grid(axis="y", color=RULE, linewidth=0.8)
    axes.set_xlim(0, end)


def _legend(axes: Axes) -> None:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(
            loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, frameon=False, fontsize=10, labelcolor=QUIET,
            handlelength=1.2, borderaxespad=0.1,
        )  # fmt: skip


def _missing(axes: Axes, result: dict[str, Any], part: str) -> None:
    reason = (result.get("absent") or {}).get(part) or "not known"
    axes.text(
        0.5, 0.5, reason, transform=axes.transAxes, ha="center", va="center", color=QUIET, fontsize=10.5, wrap=True
    )


def _angle_track(result: dict[str, Any], name: str) -> Array:
    values = [(frame.get("angles") or {}).get(name) for frame in result["poses"]["frames"]]
    return np.array([np.nan if value is None else float(value) for value in values])


def _hips(poses: Poses) -> Array:
    nowhere = np.full(2, np.nan)
    found = [poses[index] for index in range(len(poses))]
    hips = [nowhere if pose is None else pose.landmarks[[23, 24], :2].mean(axis=0) for pose in found]
    return np.array(hips).reshape(-1, 2)


def _torso(poses: Poses, shape: Array) -> float:
    """Median length of the torso in pixels of the source, NaN where nobody was seen."""
    lengths = []
    for index in range(len(poses)):
        pose = poses[index]
        if pose is not None:
            points = pose.landmarks[:, :2] * shape
            lengths.append(np.linalg.norm(points[[11, 12]].mean(axis=0) - points[[23, 24]].mean(axis=0)))
    return float(np.median(lengths)) if lengths else float("nan")


def _speed_of(times: Array, points: Array, torso: float) -> Array:
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
