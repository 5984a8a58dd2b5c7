"""From what a network said frame by frame to how a body moved: repair, reject, then smooth without lag."""

from typing import Any

import numpy as np
import numpy.typing as npt

from ascension_vision.body.skeleton import ARMS, HIPS, LEGS, OTHER_SIDE, SHOULDERS
from ascension_vision.pose.following import Poses

Array = npt.NDArray[np.float64]

# A spike: farther from its neighbours' median than this share of the torso and this many times their usual spread.
_SPIKE_TORSOS = 0.15
_SPIKE_SPREADS = 4.0
_MEDIAN_REACH = 4
# Both sides of a trunk that is seen from the side are so near that noise swaps them: not a jump.
_JUMP_TORSOS = 0.2
# Standard deviation of the smoothing kernel. A hand that reaches accelerates within about three tenths of a second.
_SMOOTHING_SECONDS = 0.08
_KERNEL_REACH = 2.5
# Limbs from the trunk outwards, left then right: both ends, and what hangs on the farther one.
_LIMB_BONES = (
    ((11, 13, ()), (12, 14, ())),
    ((13, 15, (17, 19, 21)), (14, 16, (18, 20, 22))),
    ((23, 25, ()), (24, 26, ())),
    ((25, 27, (29, 31)), (26, 28, (30, 32))),
)
# Natural logarithms: how far a limb in space may be from its usual length, and how soon it is doubted beyond that.
_LENGTH_TOLERANCE, _LENGTH_SPREAD = 0.05, 0.10
_LEAST_TRUST = 0.05
# In the picture no limb is longer than in space; on rendered and real clips the networks stretch it by 1.29 at most.
_LONGEST = 1.4
_SCALE_FRAMES = 15


def clean(poses: Poses) -> Poses:
    """Repair left-right swaps, replace spikes, smooth in time. Frames where nobody was seen stay so.

    Runs of frames without a gap longer than half a second are smoothed together; nothing is carried over longer gaps or
    over cuts.
    """
    points, world, visibility = poses.points.copy(), poses.world.copy(), poses.visibility.copy()
    for run in _runs(poses):
        if len(run) >= 3:
            _clean_run(run, poses.t, points, world, visibility)
    return Poses(poses.t, points, visibility, world, poses.width, poses.height, poses.peak, poses.shots)


def _runs(poses: Poses) -> list[npt.NDArray[np.intp]]:
    seen = np.flatnonzero(poses.seen)
    if not len(seen):
        return []
    apart = np.diff(poses.t[seen]) > 0.5
    if poses.shots is not None:
        apart |= np.diff(poses.shots[seen]) > 0
    return np.split(seen, np.flatnonzero(apart) + 1)


def _clean_run(run: npt.NDArray[np.intp], t: Array, points: Array, world: Array, visibility: Array) -> None:
    p, w, v = points[run], world[run], visibility[run]
    torso = float(np.median(np.linalg.norm(p[:, SHOULDERS, :2].mean(axis=1) - p[:, HIPS, :2].mean(axis=1), axis=1)))
    _turn_back(p, v, w, torso)
    _repair_swaps(p, v, w)
    spikes = _spikes(p[..., :2], torso)
    lengths = _limb_lengths(w, v)
    # A landmark that was hidden or makes its limb too long or too short weighs less than its neighbours in time, a
    # spike nothing.
    weights = np.where(spikes, 0.0, np.maximum(v, 0.05) ** 2) * _limb_trust(p, w, lengths)
    points[run] = smooth(t[run], p, weights)
    world[run] = smooth(t[run], w, weights)
    drawn_in = _draw_in(points, run, _scale(p, w), lengths)
    visibility[run] = np.where(spikes | drawn_in, np.minimum(v, 0.3), v)


def _turn_back(points: Array, visibility: Array, world: Array, torso: float) -> None:
    """Undo, in place, stretches in which the whole body is seen from the wrong side.

    Nobody turns round between two frames: where left and right of the trunk change places at once, one of both sides of
    that moment is wrong. That is what less of the time is.
    """
    trunk, swapped = [*SHOULDERS, *HIPS], [*SHOULDERS[::-1], *HIPS[::-1]]
    kept = np.linalg.norm(points[1:, trunk, :2] - points[:-1, trunk, :2], axis=2).mean(axis=1)
    turned = np.linalg.norm(points[1:, swapped, :2] - points[:-1, trunk, :2], axis=2).mean(axis=1)
    jumps = (turned < 0.5 * kept) & (kept > _JUMP_TORSOS * torso)
    wrong = np.concatenate([[0], np.cumsum(jumps)]) % 2 == 1
    if 2 * wrong.sum() > len(points):
        wrong = ~wrong
    for array in (points, visibility, world):
        array[wrong] = array[wrong][:, OTHER_SIDE]


def _repair_swaps(points: Array, visibility: Array, world: Array) -> None:
    """Undo, in place, frames in which the left and the right of a limb pair or of the trunk have changed places.

    Going through time, a pair is swapped back where that brings it decidedly nearer to where it just was.
    """
    for left, right in (
        (ARMS[0], ARMS[1]),
        (LEGS[0], LEGS[1]),
        ((*SHOULDERS[:1], *HIPS[:1]), (*SHOULDERS[1:], *HIPS[1:])),
    ):
        pair, swapped = [*left, *right], [*right, *left]
        for i in range(1, len(points)):
            before = points[max(0, i - 3) : i, pair, :2].mean(axis=0)
            kept = np.linalg.norm(points[i, pair, :2] - before, axis=1).mean()
            turned = np.linalg.norm(points[i, swapped, :2] - before, axis=1).mean()
            if turned < 0.5 * kept and _comes_back(points, i, pair, swapped, before):
                for array in (points, visibility, world):
                    array[i, pair] = array[i, swapped]


def _comes_back(points: Array, i: int, pair: list[int], swapped: list[int], before: Array) -> bool:
    """Whether within the next ten frames the pair is as it was: limbs that really cross do not jump back."""
    for later in range(i + 1, min(len(points), i + 11)):
        kept = np.linalg.norm(points[later, pair, :2] - before, axis=1).mean()
        turned = np.linalg.norm(points[later, swapped, :2] - before, axis=1).mean()
        if kept < 0.7 * turned:
            return True
    return False


def _spikes(xy: Array, torso: float) -> npt.NDArray[np.bool_]:
    """``(frames, 33)``: landmarks that left their place for a few frames and came back (Hampel 1974, median ± MAD)."""
    frames = len(xy)
    padded = np.pad(
        xy, ((_MEDIAN_REACH, _MEDIAN_REACH), (0, 0), (0, 0)), mode="reflect" if frames > _MEDIAN_REACH else "edge"
    )
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * _MEDIAN_REACH + 1, axis=0)
    median = np.median(windows, axis=-1)
    distance = np.linalg.norm(windows - median[..., None], axis=2)
    spread = 1.4826 * np.median(distance, axis=-1)
    away = np.linalg.norm(xy - median, axis=-1)
    spikes: npt.NDArray[np.bool_] = (away > _SPIKE_TORSOS * torso) & (away > _SPIKE_SPREADS * spread)
    return spikes


def _limb_lengths(world: Array, visibility: Array) -> Array:
    """``(4,)`` metres: upper arm, forearm, thigh, shank; the weighted median over time and both sides."""
    lengths = []
    for sides in _LIMB_BONES:
        there = np.concatenate([np.linalg.norm(world[:, a] - world[:, b], axis=1) for a, b, _ in sides])
        weight = np.concatenate([np.minimum(visibility[:, a], visibility[:, b]) ** 2 + 1e-3 for a, b, _ in sides])
        order = np.argsort(there)
        heavier = np.cumsum(weight[order])
        lengths.append(there[order][np.searchsorted(heavier, heavier[-1] / 2)])
    return np.array(lengths)


def _scale(points: Array, world: Array) -> Array:
    """``(frames,)`` pixels to a metre, by the trunk; the median over half a second each way, for it changes slowly."""
    trunk = [*SHOULDERS, *HIPS]
    shown, real = (a[:, trunk, :2] - a[:, trunk, :2].mean(axis=1, keepdims=True) for a in (points, world))
    scale = np.sum(shown * real, axis=(1, 2)) / np.maximum(np.sum(real * real, axis=(1, 2)), 1e-9)
    padded = np.pad(scale, _SCALE_FRAMES, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * _SCALE_FRAMES + 1)
    return np.asarray(np.median(windows, axis=1))


def _limb_trust(points: Array, world: Array, lengths: Array) -> Array:
    """``(frames, 33)`` 0.05 … 1: less where a landmark makes its limb another length than it has.

    In space too long and too short both count; in the picture only too long does, for limbs may point at the camera.
    """
    trust = np.ones(points.shape[:2])
    scale = _scale(points, world)
    for length, sides in zip(lengths, _LIMB_BONES, strict=True):
        for near, far, hanging in sides:
            in_space = np.linalg.norm(world[:, near] - world[:, far], axis=1) / length
            in_picture = np.linalg.norm(points[:, near, :2] - points[:, far, :2], axis=1) / (scale * length)
            off = np.abs(np.log(np.maximum(in_space, 1e-3))) - _LENGTH_TOLERANCE
            stretched = np.log(np.maximum(in_picture, 1e-3) / _LONGEST)
            excess = np.maximum(np.maximum(off, stretched), 0) / _LENGTH_SPREAD
            trust[:, [far, *hanging]] *= np.maximum(np.exp(-0.5 * excess**2), _LEAST_TRUST)[:, None]
    return trust


def _draw_in(points: Array, run: npt.NDArray[np.intp], scale: Array, lengths: Array) -> npt.NDArray[np.bool_]:
    """Draw limbs that are longer in the picture than they can be back along themselves, in place; which landmarks of
    the run that moved, ``(frames, 33)``. From the trunk outwards, so that a forearm follows its elbow."""
    moved = np.zeros((len(run), points.shape[1]), dtype=bool)
    for length, sides in zip(lengths, _LIMB_BONES, strict=True):
        for near, far, hanging in sides:
            along = points[run, far, :2] - points[run, near, :2]
            shown = np.linalg.norm(along, axis=1)
            excess = np.maximum(shown - _LONGEST * scale * length, 0)
            back = along * (excess / np.maximum(shown, 1e-9))[:, None]
            for landmark in (far, *hanging):
                points[run, landmark, :2] -= back
                moved[:, landmark] |= excess > 0
    return moved


def smooth(t: Array, values: npt.NDArray[Any], weights: Array) -> Array:
    """Local quadratic regression in time with Gaussian weights: no lag, and peaks keep their height.

    (Savitzky and Golay 1964, for uneven times and uneven trust.)

    Args:
        t: ``(frames,)`` seconds, increasing.
        values: ``(frames, landmarks, d)``.
        weights: ``(frames, landmarks)`` trust in each landmark, ≥ 0.
    """
    frames = len(t)
    interval = float(np.median(np.diff(t)))
    reach = max(2, int(np.ceil(_KERNEL_REACH * _SMOOTHING_SECONDS / interval)))
    moments = np.zeros((5, *weights.shape))
    products = np.zeros((3, *values.shape))
    for offset in range(-reach, reach + 1):
        here = np.arange(max(0, -offset), min(frames, frames - offset))
        there = here + offset
        distance = (t[there] - t[here]) / _SMOOTHING_SECONDS
        weight = np.exp(-0.5 * distance**2)[:, None] * weights[there]
        for power in range(5):
            moments[power][here] += weight * (distance**power)[:, None]
        for power in range(3):
            products[power][here] += (weight * (distance**power)[:, None])[..., None] * values[there]
    matrix = np.stack([np.stack([moments[row + column] for column in range(3)], -1) for row in range(3)], -2)
    # Where too few neighbours are trusted the fit falls back to their mean, and without any to the value itself.
    ridge = 1e-3 * moments[0][..., None] * np.array([0.0, 1.0, 1.0])
    matrix = matrix + ridge[..., None] * np.eye(3)
    trusted = moments[0] > 1e-6
    matrix[~trusted] = np.eye(3)
    fitted = np.linalg.solve(matrix, np.moveaxis(products, 0, -2))[..., 0, :]
    result: Array = np.where(trusted[..., None], fitted, values)
    return result
