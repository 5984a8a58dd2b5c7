"""Where the ends of the limbs are on the wall, how fast they move, and how well they are seen."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ascension_vision.body.skeleton import HIPS, SHOULDERS
from ascension_vision.camera.track import CameraTrack
from ascension_vision.contacts.contact import LIMBS, Limb
from ascension_vision.pose.following import Poses

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

# Fingers and toes, not wrists and ankles: those are a hand's and a foot's length away from the hold. The landmarks of a
# hand lie on its knuckles; what they hold on to is farther from the wrist by this share of the way to them.
_TIPS = {"left_hand": (17, 19, 21), "right_hand": (18, 20, 22), "left_foot": (31,), "right_foot": (32,)}
_WRISTS = {"left_hand": 15, "right_hand": 16}
_FINGERS = 0.25
# How high a foot is, its ankle tells better than its toes alone: their pitch is mostly guessed.
_ANKLES = {"left_foot": 27, "right_foot": 28}
# Torso lengths by which the toes of a hooking foot are above its heel.
_HEELS, _TOES_UP = (29, 30), 0.15
# Landmarks tremble: how fast a limb goes is told from where it mostly was before and will mostly be after.
_SPEED_SECONDS = 0.25
# Below this chance of being right a place says nothing.
HIDDEN = 0.4
# A gap that is longer ends what is known of a limb.
_GAP_SECONDS = 0.5


@dataclass(frozen=True)
class Tips:
    """The four limbs' ends, on the frames where climber and camera are known; limbs in the order of ``LIMBS``.

    Attributes:
        frames: ``(n,)`` indices of the analysed frames.
        t: ``(n,)`` seconds.
        place: ``(n, 4, 2)`` reference pixels.
        speed: ``(n, 4)`` torso lengths a second.
        seen: ``(n, 4)`` 0 … 1, the chance that the place is right.
        body: ``(n, 33, 2)`` all landmarks, reference pixels.
        torso: reference pixels.
    """

    frames: npt.NDArray[np.intp]
    t: Array
    place: Array
    speed: Array
    seen: Array
    body: Array
    torso: float

    @property
    def heels(self) -> Array:
        """``(n, 2, 2)`` of both feet, reference pixels."""
        return self.body[:, _HEELS]

    @property
    def hooking(self) -> Mask:
        """``(n, 2)``: whoever stands has the toes no higher than the heel, whoever hooks a hold points them up."""
        toes = self.body[:, _TIPS["left_foot"] + _TIPS["right_foot"]]
        return np.asarray(self.heels[..., 1] - toes[..., 1] > _TOES_UP * self.torso, np.bool_)

    def runs(self) -> list[slice]:
        """Stretches without a gap."""
        cuts = np.flatnonzero(np.diff(self.t) > _GAP_SECONDS) + 1
        edges = [0, *cuts.tolist(), len(self.t)]
        return [slice(start, stop) for start, stop in pairwise(edges) if stop - start >= 3]


def limb_tips(poses: Poses, track: CameraTrack) -> Tips | None:
    """From cleaned poses; None where the climber is nowhere seen before a known wall."""
    body = track.place(poses.points[..., :2])
    frames = np.flatnonzero(np.isfinite(body).all(axis=(1, 2)))
    if len(frames) < 3:
        return None
    body, t = body[frames], poses.t[frames]
    place = np.stack([_tip(body, limb) for limb in LIMBS], axis=1)
    seen = np.stack([poses.visibility[frames][:, _TIPS[limb]].mean(axis=1) for limb in LIMBS], axis=1)
    torso = float(np.median(np.linalg.norm(body[:, SHOULDERS].mean(axis=1) - body[:, HIPS].mean(axis=1), axis=1)))
    tips = Tips(frames, t, place, np.zeros_like(seen), seen, body, max(torso, 1.0))
    for run in tips.runs():
        tips.speed[run] = _speed(place[run], t[run]) / tips.torso
    return tips


def _tip(body: Array, limb: Limb) -> Array:
    tip: Array = body[:, _TIPS[limb]].mean(axis=1)
    if limb in _WRISTS:
        tip = tip + _FINGERS * (tip - body[:, _WRISTS[limb]])
    if limb in _ANKLES:
        tip[:, 1] = (tip[:, 1] + body[:, _ANKLES[limb], 1]) / 2
    return tip


def _speed(place: Array, t: Array) -> Array:
    """``(n, 4)`` pixels a second, between the medians of a short while before and after."""
    reach = max(1, round(_SPEED_SECONDS / float(np.median(np.diff(t)))))
    padded = np.pad(place, ((reach, reach), (0, 0), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, reach + 1, axis=0)
    median = np.median(windows, axis=-1)
    times = np.median(np.lib.stride_tricks.sliding_window_view(np.pad(t, reach, mode="edge"), reach + 1), axis=-1)
    apart = np.linalg.norm(median[reach:] - median[:-reach], axis=2)
    speed: Array = apart / np.maximum(times[reach:] - times[:-reach], 1e-6)[:, None]
    return speed
