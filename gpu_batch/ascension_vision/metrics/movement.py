"""What can be measured of a movement from the skeleton alone."""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

STILL_TORSOS_PER_SECOND = 0.15


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


def _convex_hull(points: Array) -> Array:
    """Andrew's monotone chain (1979): ``(n, 2)`` corners in order."""
    ordered = np.unique(points, axis=0)
    if len(ordered) < 3:
        return ordered

    def half(sequence: Array) -> list[Array]:
        chain: list[Array] = []
        for point in sequence:
            while len(chain) > 1:
                (ax, ay), (bx, by) = chain[-1] - chain[-2], point - chain[-2]
                if ax * by - ay * bx > 0:
                    break
                chain.pop()
            chain.append(point)
        return chain[:-1]

    return np.array(half(ordered) + half(ordered[::-1]))
