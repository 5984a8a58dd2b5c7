"""Where the Ghost's centre of gravity goes: the way of least jerk past the places it has to be at."""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def swing_arc(origin: Array, target: Array, count: int, lift: float) -> Array:
    """``(count, 3)``: from rest to rest with least jerk (Flash and Hogan 1985), ``lift`` metres off the wall midway."""
    share = np.linspace(0, 1, count)[:, None]
    eased = share**3 * (10 - 15 * share + 6 * share**2)
    off = lift * np.sin(np.pi * eased) ** 2 * np.array([0.0, 0.25, 1.0])
    return np.asarray(origin + (target - origin) * eased + off)
