"""What can be measured of a movement from the way a point of the body takes."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

STILL_TORSOS_PER_SECOND = 0.15
STEADY_RATE = 15.0
# Radians a second.
_STEADY_CUT = 10.0


def geometric_entropy(path: Array) -> float | None:
    """``ln(2 L / C)``: L the length of a path, C the perimeter of its convex hull.

    A straight path gives 0; the more it wanders the more it gives. Watts et al. 2016 report 1.02 for lead and 0.92 for
    top-rope climbing, for the hips. ``path`` is ``(points, 2)``; None where it has no extent.
    """
    length = float(np.linalg.norm(np.diff(path, axis=0), axis=1).sum())
    hull = _convex_hull(path)
    perimeter = float(np.linalg.norm(hull - np.roll(hull, 1, axis=0), axis=1).sum())
    return float(np.log(2 * length / perimeter)) if perimeter > 0 else None


def immobility(t: Array, hips: Array, torso: float) -> float | None:
    """Share of the time, 0 to 1, with the hips slower than 0.15 torso lengths a second.

    Args:
        t: ``(frames,)`` seconds.
        hips: ``(frames, 2)`` in the unit of ``torso``; NaN where nobody is seen, and that time does not count.
        torso: length of the torso.
    """
    duration = np.diff(t)
    speed = np.linalg.norm(np.diff(hips, axis=0), axis=1) / (duration * torso)
    known = np.isfinite(speed)
    if not known.any():
        return None
    return float(duration[known & (speed < STILL_TORSOS_PER_SECOND)].sum() / duration[known].sum())


def least_jerk(wanted: Array, deviation: Array, rate: float, unsurprising: float) -> Array:
    """The path that is near where it should be and jerks little: a smoothing spline (jerk: Flash and Hogan 1985).

    Minimises ``Σ ‖x − wanted‖² / deviation² + Σ ‖x⃛‖² / unsurprising²``.

    Args:
        wanted: ``(n, d)``.
        deviation: ``(n,)`` how far from it is no surprise, in its unit; infinite where it does not matter. At least
            three must be finite.
        rate: values a second.
        unsurprising: jerk, in the unit a second cubed.
    """
    weight = deviation**-2.0
    normal = np.diag(weight) + jerk_form(len(wanted), rate, unsurprising)
    pull = weight[:, None] * np.where(weight[:, None] > 0, wanted, 0.0)
    return np.asarray(np.linalg.solve(normal, pull))


def jerk_form(count: int, rate: float, unsurprising: float | Array = 1.0) -> Array:
    """``(count, count)``: the quadratic form of the third derivative of ``count`` values, ``rate`` a second, over what
    is no surprise: the same everywhere, or ``(count - 3,)`` between each four values."""
    form = np.zeros((count, count))
    stencil = np.array([-1.0, 3.0, -3.0, 1.0]) * rate**3
    rows = np.arange(max(0, count - 3))
    for first in range(4):
        for second in range(4):
            form[rows + first, rows + second] += stencil[first] * stencil[second] / unsurprising**2
    return form


def steadied(t: Array, path: Array) -> tuple[Array, Array]:
    """A path at even times, 15 a second, without what is faster than a body's weight can move.

    Jerk and length are those of the measurement's noise unless both are asked of a path that was smoothed alike: this
    smoothing spline halves what moves to and fro 1.6 times a second, and leaves a weight shift of half a second its
    shape. ``t`` ``(n,)`` seconds, ``path`` ``(n, d)``.
    """
    even = np.arange(t[0], t[-1] + 1e-9, 1 / STEADY_RATE)
    placed = np.stack([np.interp(even, t, axis) for axis in path.T], axis=1)
    return even, _steadying(len(even)) @ placed


@lru_cache(maxsize=4)
def _steadying(count: int) -> Array:
    """``(count, count)``: what makes values at even times steady."""
    return np.asarray(np.linalg.inv(np.eye(count) + jerk_form(count, STEADY_RATE) / _STEADY_CUT**6))


def path_length(path: Array) -> float:
    """The length of ``(n, d)`` points in order."""
    return float(np.linalg.norm(np.diff(path, axis=0), axis=1).sum())


def path_ratio(path: Array) -> float | None:
    """The length of a path over the distance between its ends, 1 where it is straight; None where it leads nowhere."""
    apart = float(np.linalg.norm(path[-1] - path[0]))
    return path_length(path) / apart if apart > 0 else None


def jerk(t: Array, path: Array) -> Array:
    """``(n - 3, d)`` third derivative of a path at even times, by differences."""
    interval = float(np.mean(np.diff(t)))
    return np.asarray(np.diff(path, 3, axis=0) / interval**3)


def log_dimensionless_jerk(t: Array, path: Array) -> float | None:
    """``−ln[(T³ / v²) ∫ ‖c⃛‖² dt]`` with the duration T and the greatest speed v: nearer to zero is smoother.

    (Balasubramanian et al. 2012, IEEE Trans. Biomed. Eng. 59(8).) None where nothing moves. ``t`` ``(n,)`` even times
    in seconds, ``path`` ``(n, d)``.
    """
    if len(t) < 5:
        return None
    interval = float(np.mean(np.diff(t)))
    fastest = float(np.linalg.norm(np.diff(path, axis=0), axis=1).max()) / interval
    total = float(np.square(jerk(t, path)).sum()) * interval
    duration = float(t[-1] - t[0])
    if fastest <= 0 or total <= 0:
        return None
    return -float(np.log(duration**3 / fastest**2 * total))


def _convex_hull(points: Array) -> Array:
    """Andrew's monotone chain (1979): ``(n, 2)`` corners in order."""
    ordered = np.unique(points, axis=0)
    if len(ordered) < 3:
        return ordered

    def half(sequence: list[list[float]]) -> list[list[float]]:
        chain: list[list[float]] = []
        for x, y in sequence:
            while len(chain) > 1:
                (ax, ay), (bx, by) = chain[-2:]
                if (bx - ax) * (y - by) - (by - ay) * (x - bx) > 0:
                    break
                chain.pop()
            chain.append([x, y])
        return chain[:-1]

    corners: list[list[float]] = ordered.tolist()
    return np.array(half(corners) + half(corners[::-1]))
