"""A body of constant bones that moves as the climber in a video does: one least squares problem for the whole clip.

The unknowns are a pose for every knot in time and the lengths of the bones; ``problem`` says what is minimised,
``start`` where from, ``descent`` how. Between knots poses follow cubic curves, and what is still beyond a joint's limit
is set to the limit.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ascension_vision.body.descent import descend
from ascension_vision.body.evidence import gather
from ascension_vision.body.lengths import Lengths
from ascension_vision.body.model import BodyModel
from ascension_vision.body.motion import BodyMotion
from ascension_vision.body.posture import phases
from ascension_vision.body.problem import HIPS_OUT, Problem
from ascension_vision.body.start import first_poses
from ascension_vision.camera.track import CameraTrack
from ascension_vision.contacts.contact import Contact
from ascension_vision.pose.following import Poses
from ascension_vision.wall.wall import Wall

Array = npt.NDArray[np.float64]

# Seconds between knots. Poses arrive smoothed over about as much.
_KNOTS = 0.1
_FEWEST_FRAMES = 3
# A residual this many deviations large begins to count as an outlier: first hardly any, at last all that are odd. And
# the steps that are taken at most.
_ROUNDS = ((12.0, 6), (3.0, 10))
# A height that was not said, metres; and how far off heights are that were said and that were not, as shares.
_USUAL_HEIGHT, _SAID, _UNSAID = 1.70, 0.02, 0.10


def fit_body(
    poses: Poses,
    track: CameraTrack,
    wall: Wall,
    contacts: Sequence[Contact],
    height_m: float | None = None,
    device: str = "cpu",
) -> BodyMotion | None:
    """The climber's body over the climb, or None where it is seen on fewer than three frames.

    Args:
        poses: cleaned; ``visibility`` as ``trust`` gives it.
        height_m: the climber's, if it was said.
    """
    before, climbing, _ = phases(poses.t, poses.points)
    seen = poses.seen & track.known
    seen[:before] = seen[before + climbing :] = False
    frames = np.flatnonzero(seen)
    if len(frames) < _FEWEST_FRAMES:
        return None
    evidence = gather(poses, track, wall, contacts, frames, HIPS_OUT)
    knots = evidence.at(_knots(evidence.t))
    model = BodyModel(Lengths.from_height(height_m or _USUAL_HEIGHT), device)
    problem = Problem(knots, model, _SAID if height_m else _UNSAID)
    found = first_poses(problem, knots, model)
    for outlier, steps in _ROUNDS:
        model, found = descend(problem, model, found, outlier, steps)
    curve = _between(knots.t, found.cpu().numpy(), evidence.t)
    pose = model.clamp(model.tensor(curve))
    landmarks = model.landmarks(pose).cpu().numpy()
    return BodyMotion(
        model=model,
        frames=frames,
        t=evidence.t,
        pose=pose.cpu().numpy(),
        landmarks=landmarks,
        gravity_centre=model.gravity_centre(pose).cpu().numpy(),
        error_px=np.median(np.linalg.norm(wall.project(landmarks) - evidence.pixels, axis=2), axis=1),
    )


def _knots(t: Array) -> npt.NDArray[np.intp]:
    """Which frames to find poses for: the first and the last, and in between about every ``_KNOTS`` seconds."""
    chosen = [0]
    for i in range(1, len(t) - 1):
        if t[i] - t[chosen[-1]] >= _KNOTS - 1e-6:
            chosen.append(i)
    return np.array([*chosen, len(t) - 1])


def _between(knots: Array, values: Array, t: Array) -> Array:
    """Cubic Hermite curves through the knots, with the slopes of the parabolas through three knots each."""
    step = np.diff(knots)[:, None]
    chord = np.diff(values, axis=0) / step
    slope = np.concatenate(
        [chord[:1], (chord[:-1] * step[1:] + chord[1:] * step[:-1]) / (step[1:] + step[:-1]), chord[-1:]]
    )
    i = np.clip(np.searchsorted(knots, t, side="right") - 1, 0, len(knots) - 2)
    h = step[i]
    s = ((t - knots[i])[:, None]) / h
    curve: Array = (
        values[i] * (1 + 2 * s) * (1 - s) ** 2
        + slope[i] * h * s * (1 - s) ** 2
        + values[i + 1] * s**2 * (3 - 2 * s)
        + slope[i + 1] * h * s**2 * (s - 1)
    )
    return curve
