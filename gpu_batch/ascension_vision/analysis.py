"""From a video file to a result: the whole analysis in one call, without any cloud."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ascension_vision import __version__
from ascension_vision.body.cleaning import clean
from ascension_vision.body.skeleton import HIPS, SHOULDERS
from ascension_vision.body.trust import trust
from ascension_vision.metrics.metric import Metric
from ascension_vision.metrics.movement import geometric_entropy, immobility
from ascension_vision.pose.climber import Hint, Path, find_climber
from ascension_vision.pose.following import Poses, follow
from ascension_vision.pose.model import PoseModel
from ascension_vision.pose.scouting import KeyFrame, scout
from ascension_vision.problems import Problem
from ascension_vision.result import decode, document
from ascension_vision.video.clip import Clip

Progress = Callable[[str, float], None]

_THUMBNAIL_SIDE = 640

_ABSENT = {
    "camera": "The camera's movement is not estimated in this version.",
    "wall": "The wall is not measured in this version.",
    "holds": "Holds are not detected in this version.",
    "contacts": "Contacts need holds, which are not detected in this version.",
    "moves": "Moves need contacts, which are not known in this version.",
    "loads": "Loads need contacts, which are not known in this version.",
    "ghost": "The Ghost Climber is not computed in this version.",
}
_METRICS: dict[str, Metric] = {
    "max_reach_cm": Metric(
        value=None,
        unit="cm",
        meaning="The longest way of a hand from one hold to the next.",
        reason="Not measured yet: needs contacts and the wall's scale.",
    ),
    "avg_tension": Metric(
        value=None,
        unit="ratio",
        meaning="The mean load on the hands as a share of body weight.",
        reason="Not measured yet: needs contacts.",
    ),
    "movement_efficiency": Metric(
        value=None,
        unit="ratio",
        meaning="How near the climb comes to the Ghost Climber's effort; 1 is as good.",
        reason="Not measured yet: needs the Ghost Climber.",
    ),
    "hold_count": Metric(
        value=None,
        unit="holds",
        meaning="How many holds were used.",
        reason="Not measured yet: needs holds and contacts.",
    ),
    "geometric_entropy": Metric(
        value=None,
        unit="1",
        meaning="ln(2 L / C) of the hips' path in the image: 0 is straight, wandering adds.",
        source="Watts et al. 2016",
        assumes="a camera that stands still",
    ),
    "immobility": Metric(
        value=None,
        unit="ratio",
        meaning="Share of the time with the hips slower than 0.15 torso lengths a second.",
        source="threshold chosen by this project",
        assumes="a camera that stands still",
    ),
}


@dataclass(frozen=True)
class Options:
    """What the user asked for. ``device``: auto, cpu or cuda; auto reads ``DEVICE`` from the environment first."""

    detect_holds: bool = True
    generate_ghost: bool = False
    climber_height_cm: float | None = None
    wall_angle_deg: float | None = None
    climber_hint: Hint | None = None
    device: str = "auto"

    @classmethod
    def from_mapping(cls, options: Mapping[str, Any]) -> "Options":
        """From the contract's ``options`` object. Keys that this version does not know are left alone."""
        known = {key: options[key] for key in cls.__dataclass_fields__ if options.get(key) is not None}
        if "climber_hint" in known:
            hint = known["climber_hint"]
            known["climber_hint"] = Hint(float(hint["x"]), float(hint["y"]), float(hint["t"]))
        return cls(**known)


@dataclass(frozen=True)
class Analysis:
    """A finished analysis."""

    _compact: dict[str, Any]
    _thumbnail: bytes

    @property
    def metrics(self) -> dict[str, float | int | None]:
        return dict(self._compact["metrics"])

    def compact(self) -> dict[str, Any]:
        """The wire format, ``ascension.analysis.compact/2``."""
        return self._compact

    def verbose(self) -> dict[str, Any]:
        """The same spelled out, ``ascension.analysis/1``, made from ``compact()`` by the reference decoder."""
        return decode.verbose(self._compact)

    def thumbnail_jpeg(self) -> bytes:
        """The frame in the middle of the climb, long side at most 640 pixels."""
        return self._thumbnail


def analyze(
    path: str | os.PathLike[str],
    options: Options | None = None,
    progress: Progress | None = None,
    pose: PoseModel | None = None,
) -> Analysis:
    """Analyse one video.

    Args:
        path: the video file.
        options: see ``Options``.
        pose: the model that sees bodies; BlazePose where none is given.
        progress: called with the stage's name and the share of the whole that is done, 0 to 1, never falling.

    Raises:
        Problem: the video cannot be analysed, or nobody is in it.
        WeightsUnavailable: the project was not set up.
    """
    options = options or Options()
    report = progress or (lambda stage, fraction: None)
    report("opening", 0.0)
    clip = Clip(FilePath(path))
    pose = pose or _blazepose(options.device)
    scouted = scout(clip, pose, lambda done: report("following the climber", 0.8 * done))
    keys = scouted.keys
    climber = find_climber(keys, pose, options.climber_hint)
    if not climber.seen:
        raise _no_climber()
    raw = follow(clip, pose, Path(climber, keys), scouted, lambda done: report("looking again", 0.85 + 0.1 * done))
    if not raw.seen.any():
        raise _no_climber()
    report("measuring", 0.95)
    cleaned = clean(raw)
    poses = replace(cleaned, visibility=trust(raw, cleaned))
    middle = sorted(climber.seen)[len(climber.seen) // 2]
    analysis = Analysis(compact_result(clip, poses, pose.name), _thumbnail(keys[middle]))
    report("measuring", 1.0)
    return analysis


def vitpose(directory: FilePath, device: str = "auto") -> PoseModel:
    """The ViTPose model in a folder, for ``analyze``. Raises ``ModelUnavailable`` where it cannot be used."""
    from ascension_vision.pose.vitpose import ViTPose

    return ViTPose(directory, _blazepose(device), choose_device(device))


def _blazepose(device: str) -> PoseModel:
    # Imported here: PyTorch takes a second, and a file that is no video should not have to wait for it.
    from ascension_vision.pose.blazepose import BlazePose

    return BlazePose(choose_device(device))


def choose_device(wanted: str = "auto") -> str:
    """``cpu`` or ``cuda``. ``auto`` means ``DEVICE`` from the environment, else CUDA where there is one."""
    import torch

    if wanted == "auto":
        wanted = os.environ.get("DEVICE") or "auto"
    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if wanted not in ("cpu", "cuda"):
        raise ValueError(f"unknown device {wanted!r}: auto, cpu or cuda")
    if wanted == "cuda" and not torch.cuda.is_available():
        raise ValueError("the device is cuda, but PyTorch finds none here")
    return wanted


def _no_climber() -> Problem:
    return Problem(
        "no-climber",
        "No climber found",
        "Nobody is seen climbing in this video. Film the whole climber, closer or in better light, and try again.",
    )


def compact_result(clip: Clip, poses: Poses, model: str = "unknown") -> dict[str, Any]:
    """The wire format for cleaned poses, as docs/result-format.md describes it."""
    return document.compact(
        document.Findings(
            video=document.video_facts(clip, poses),
            poses=poses,
            model_versions={"ascension_vision": __version__, "pose": model},
            metrics=_metrics(poses),
            absent=_ABSENT,
            warnings=clip.warnings,
        )
    )


def _metrics(poses: Poses) -> dict[str, Metric]:
    hips = poses.points[:, HIPS, :2].mean(axis=1)
    shoulders = poses.points[:, SHOULDERS, :2].mean(axis=1)
    torso = float(np.nanmedian(np.linalg.norm(shoulders - hips, axis=1)))
    values: dict[str, float | None] = {
        "geometric_entropy": geometric_entropy(hips[poses.seen]),
        "immobility": immobility(poses.t, hips, torso),
    }
    return {name: replace(metric, value=values.get(name)) for name, metric in _METRICS.items()}


def _thumbnail(key: KeyFrame) -> bytes:
    image: npt.NDArray[np.uint8] = key.image()
    shrink = min(1.0, _THUMBNAIL_SIDE / max(image.shape[:2]))
    small = cv2.resize(image, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    ok, jpeg = cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])
    assert ok
    return jpeg.tobytes()
