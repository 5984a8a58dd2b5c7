"""From a video file to a result: the whole analysis in one call, without any cloud."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from ascension_vision import networks
from ascension_vision.body.cleaning import clean
from ascension_vision.body.trust import trust
from ascension_vision.camera.registration import register
from ascension_vision.camera.view import reference_view
from ascension_vision.camera.watcher import CameraWatcher
from ascension_vision.contacts.hidden import with_hidden_holds
from ascension_vision.holds.correction import correct
from ascension_vision.observations import Observations
from ascension_vision.pose.climber import Hint, Path, find_climber
from ascension_vision.pose.following import follow
from ascension_vision.pose.model import PoseModel
from ascension_vision.pose.scouting import KeyFrame, scout
from ascension_vision.problems import Problem
from ascension_vision.result import decode, document
from ascension_vision.video.clip import Clip

if TYPE_CHECKING:
    from ascension_vision.holds.finding import HoldModel

Progress = Callable[[str, float], None]

_THUMBNAIL_SIDE = 640


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
    _seen: Observations

    @property
    def metrics(self) -> dict[str, float | int | None]:
        return dict(self._compact["metrics"])

    def compact(self) -> dict[str, Any]:
        """The wire format, ``ascension.analysis.compact/3``."""
        return self._compact

    def verbose(self) -> dict[str, Any]:
        """The same spelled out, ``ascension.analysis/1``, made from ``compact()`` by the reference decoder."""
        return decode.verbose(self._compact)

    def thumbnail_jpeg(self) -> bytes:
        """The frame in the middle of the climb, long side at most 640 pixels."""
        return self._seen.thumbnail

    def kept(self) -> bytes:
        """What ``revise`` needs: about a megabyte for half a minute. It holds the wall's picture and the skeleton."""
        return self._seen.pack()


def analyze(
    path: str | os.PathLike[str],
    options: Options | None = None,
    progress: Progress | None = None,
    pose: PoseModel | None = None,
    holds: "HoldModel | None" = None,
) -> Analysis:
    """Analyse one video.

    Args:
        path: the video file.
        options: see ``Options``.
        progress: called with the stage's name and the share of the whole that is done, 0 to 1, never falling.
        pose: the model that sees bodies; BlazePose where none is given.
        holds: the model that sees holds; ours where none is given.

    Raises:
        Problem: the video cannot be analysed, or nobody is in it.
        WeightsUnavailable: the project was not set up.
    """
    options = options or Options()
    report = progress or (lambda stage, fraction: None)
    report("opening", 0.0)
    clip = Clip(FilePath(path))
    if choose_device(options.device) == "cuda":
        clip.decode_on_gpu()
    pose = pose or networks.pose_model(choose_device(options.device))
    camera = CameraWatcher() if options.detect_holds else None
    watch = None if camera is None else camera.see
    scouted = scout(clip, pose, lambda done: report("following the climber", 0.7 * done), watch)
    keys = scouted.keys
    climber = find_climber(keys, pose, options.climber_hint, lambda: report("looking again", 0.7))
    if not climber.seen:
        raise _no_climber()
    raw = follow(clip, pose, Path(climber, keys), scouted, lambda done: report("looking again", 0.7 + 0.08 * done))
    if not raw.seen.any():
        raise _no_climber()
    report("measuring", 0.78)
    cleaned = clean(raw)
    poses = replace(cleaned, visibility=trust(raw, cleaned))
    middle = sorted(climber.seen)[len(climber.seen) // 2]
    seen = Observations(
        video=document.video_facts(clip, poses), warnings=tuple(clip.warnings), poses=poses, models={"pose": pose.name},
        track=None, view=None, holds=None, next_hold_id=0, revision=0, thumbnail=_thumbnail(keys[middle]),
    )  # fmt: skip
    if camera is not None:
        holds = holds or networks.hold_model(choose_device(options.device))
        seen = _with_wall(seen, camera, keys, holds, options, report)
    return _concluded(seen, options, lambda stage, done: report(stage, 0.85 + 0.14 * done), report)


def revise(
    kept: bytes, options: Options | None, changes: Sequence[Mapping[str, Any]], progress: Progress | None = None
) -> Analysis:
    """The same analysis with the holds set right: no video is read and no network runs.

    Args:
        kept: from ``Analysis.kept``.
        options: the analysis's.
        changes: as ``holds.correction.correct`` takes them.

    Raises:
        Problem: ``invalid-correction``, or ``no-holds-to-correct`` where the analysis was made without holds.
    """
    options = options or Options()
    report = progress or (lambda stage, fraction: None)
    report("correcting", 0.0)
    seen = Observations.unpack(kept)
    if seen.holds is None:
        raise Problem(
            "no-holds-to-correct",
            "There are no holds to correct",
            "This analysis was made without holds. Analyse the video again with holds, and correct those.",
        )
    corrected = correct(seen.holds, changes, seen.next_hold_id, seen.poses.width, seen.poses.height)
    return _concluded(seen.corrected(corrected.holds, corrected.next_id), options, report, report)


def _with_wall(
    seen: Observations,
    camera: CameraWatcher,
    keys: list[KeyFrame],
    model: "HoldModel",
    options: Options,
    report: Progress,
) -> Observations:
    # Imported here, like the networks: it brings PyTorch along.
    from ascension_vision.wall.estimate import estimate_wall

    report("following the camera", 0.79)
    track = register(camera, keys, seen.poses)
    view = reference_view(keys, seen.poses, track)
    report("finding holds", 0.81)
    found = [hold.hold(number).shifted(view.origin) for number, hold in enumerate(model.find(view.image))]
    wall = estimate_wall(seen.poses, track, view, found, options.climber_height_cm, options.wall_angle_deg)
    holds = with_hidden_holds(model, keys, seen.poses, track, view, found, wall)
    models = {**seen.models, "holds": model.name}
    return replace(seen, models=models, track=track, view=view, holds=holds, next_hold_id=len(holds))


def _concluded(seen: Observations, options: Options, during: Progress, report: Progress) -> Analysis:
    # Imported here, like the networks: it brings PyTorch along.
    from ascension_vision.conclusions import Wishes, conclude
    from ascension_vision.cores import one_thread

    wishes = Wishes(options.generate_ghost, options.climber_height_cm, options.wall_angle_deg)
    with one_thread():
        found = conclude(seen, wishes, choose_device(options.device), during)
    analysis = Analysis(document.compact(found), seen)
    report("measuring", 1.0)
    return analysis


def vitpose(directory: FilePath, device: str = "auto") -> PoseModel:
    """The ViTPose model in a folder, for ``analyze``. Raises ``ModelUnavailable`` where it cannot be used."""
    from ascension_vision.pose.vitpose import ViTPose

    return ViTPose(directory, networks.pose_model(choose_device(device)), choose_device(device))


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


def _thumbnail(key: KeyFrame) -> bytes:
    image: npt.NDArray[np.uint8] = key.image()
    shrink = min(1.0, _THUMBNAIL_SIDE / max(image.shape[:2]))
    small = cv2.resize(image, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    ok, jpeg = cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])
    assert ok
    return jpeg.tobytes()
