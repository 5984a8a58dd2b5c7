"""What the rest of the analysis wants from a pose model; which one it is, is of no concern to it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ascension_vision.pose.roi import Roi, View, roi_from_alignment

Array = npt.NDArray[np.float64]

MIN_POSE_FLAG = 0.5


@dataclass(frozen=True)
class Detection:
    """A body found by the detector. ``key_points`` ``(4, 2)``, pixels of the frame: middle of the hips, a point on the
    circle around the whole body, middle of the shoulders, a point on the circle around the upper body."""

    score: float
    key_points: Array

    @property
    def roi(self) -> Roi:
        return roi_from_alignment(self.key_points[0], self.key_points[1])


@dataclass(frozen=True)
class Landmarks:
    """What the landmark network sees in one region.

    Attributes:
        points: ``(33, 3)`` x, y in pixels of the frame; z in the same scale, from the hips, negative to the camera.
        visibility: ``(33,)`` 0 … 1: in sight, says the network.
        presence: ``(33,)`` 0 … 1: within the region, says the network.
        peak: ``(33,)`` 0 … 1: the highest value of the landmark's heat map.
        world: ``(33, 3)`` metres, hip-centred, axes of the frame.
        flag: how sure the network is that there is a body at all, 0 … 1.
        roi: the region that was looked at.
        next_roi: the region where this body would be looked at best.
    """

    points: Array
    visibility: Array
    presence: Array
    peak: Array
    world: Array
    flag: float
    roi: Roi
    next_roi: Roi

    def scaled(self, factor: float) -> "Landmarks":
        """The same in the frame enlarged by ``factor``."""
        return replace(
            self, points=self.points * factor, roi=self.roi.scaled(factor), next_roi=self.next_roi.scaled(factor)
        )


class ModelUnavailable(RuntimeError):
    """A pose model cannot be used; the message says why."""


class PoseModel(Protocol):
    """Finds bodies and places BlazePose's 33 landmarks on them. Any number of threads may call it.

    Attributes:
        name: for ``quality.model_versions``.
    """

    name: str

    def detect(self, images: Sequence[View], rois: Sequence[Roi]) -> list[list[Detection]]:
        """Bodies inside ``rois[i]`` of ``images[i]`` (RGB), best first; in pixels of the frame."""

    def landmarks(self, images: Sequence[View], rois: Sequence[Roi]) -> list[Landmarks]:
        """Landmarks of the body in ``rois[i]`` of ``images[i]`` (RGB), each with a ``flag`` of how sure it is."""
