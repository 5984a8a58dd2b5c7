"""Joint angles from landmarks in space."""

from typing import Any

import numpy as np
import numpy.typing as npt

from ascension_vision.body.skeleton import ANGLES

Array = npt.NDArray[np.float64]


def joint_angles(world: npt.NDArray[Any]) -> dict[str, Array]:
    """The inner angle at every joint of ``skeleton.ANGLES``, in degrees: 180 is a straight limb.

    Args:
        world: ``(frames, 33, 3)`` metres; NaN where nobody is seen, which gives NaN.

    Returns:
        ``(frames,)`` degrees for each joint. One camera sees depth poorly: an angle whose landmarks are hardly visible
        is as good as their ``visibility`` says.
    """
    return {
        name: _angle(world[:, a] - world[:, joint], world[:, b] - world[:, joint])
        for name, (a, joint, b) in ANGLES.items()
    }


def _angle(first: Array, second: Array) -> Array:
    # Numerically sound near 0 and 180 degrees, unlike the arc cosine of the dot product.
    cross = np.linalg.norm(np.cross(first, second), axis=-1)
    degrees: Array = np.degrees(np.arctan2(cross, (first * second).sum(axis=-1)))
    return degrees
