"""How a body of fixed proportions moved before the wall."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:  # PyTorch takes a second to import, and whoever only passes a motion on should not wait for it.
    from ascension_vision.body.model import BodyModel

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class BodyMotion:
    """A body model in motion, in the wall frame, over the frames of a climb in which the climber is seen.

    Attributes:
        model: the body: bone lengths, masses, joint limits.
        frames: ``(n,)`` indices of the analysed frames that this motion covers, increasing.
        t: ``(n,)`` seconds of the video.
        pose: ``(n, degrees of freedom)`` root position in metres, then angles in radians, as ``model`` orders them.
        landmarks: ``(n, 33, 3)`` metres in the wall frame, ``model.landmarks(pose)``.
        gravity_centre: ``(n, 3)`` metres in the wall frame.
        error_px: ``(n,)`` median distance of the projected landmarks to those seen, in reference pixels.
    """

    model: "BodyModel"
    frames: npt.NDArray[np.intp]
    t: Array
    pose: Array
    landmarks: Array
    gravity_centre: Array
    error_px: Array
