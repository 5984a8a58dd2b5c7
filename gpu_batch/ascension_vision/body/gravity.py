"""The body's centre of gravity from its segments' masses.

Mass fractions and centres along the segment: P. de Leva (1996), "Adjustments to Zatsiorsky-Seluyanov's segment inertia
parameters", Journal of Biomechanics 29(9), table 4; the mean of its female and male values, as we know neither.
The ends of the segments are the nearest BlazePose landmarks.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Segment:
    """``mass``: share of the body's. ``centre``: share of the way from ``proximal`` to ``distal``, which are the means
    of the landmarks named."""

    mass: float
    centre: float
    proximal: tuple[int, ...]
    distal: tuple[int, ...]


def _both_sides(mass: float, centre: float, proximal: int, *distal: int) -> list[Segment]:
    left = Segment(mass, centre, (proximal,), distal)
    return [left, Segment(mass, centre, (proximal + 1,), tuple(landmark + 1 for landmark in distal))]


def _mean(male: float, female: float) -> float:
    return (male + female) / 2


SEGMENTS = (
    Segment(_mean(0.0694, 0.0668), 0.5, (11, 12), (7, 8)),  # head
    Segment(_mean(0.4346, 0.4257), _mean(0.514, 0.493), (11, 12), (23, 24)),  # trunk
    *_both_sides(_mean(0.0271, 0.0255), _mean(0.577, 0.575), 11, 13),  # upper arm
    *_both_sides(_mean(0.0162, 0.0138), _mean(0.457, 0.456), 13, 15),  # forearm
    *_both_sides(_mean(0.0061, 0.0056), _mean(0.790, 0.742), 15, 17, 19),  # hand
    *_both_sides(_mean(0.1416, 0.1478), _mean(0.410, 0.369), 23, 25),  # thigh
    *_both_sides(_mean(0.0433, 0.0481), _mean(0.440, 0.437), 25, 27),  # shank
    *_both_sides(_mean(0.0137, 0.0129), _mean(0.442, 0.401), 29, 31),  # foot
)


def _landmark_weights() -> Array:
    weights = np.zeros(33)
    for segment in SEGMENTS:
        weights[list(segment.proximal)] += segment.mass * (1 - segment.centre) / len(segment.proximal)
        weights[list(segment.distal)] += segment.mass * segment.centre / len(segment.distal)
    # The rounded table does not add up to one exactly.
    whole: Array = weights / weights.sum()
    return whole


# ``(33,)``: the share of every landmark in the centre of gravity, which is their weighted mean.
LANDMARK_WEIGHTS = _landmark_weights()


def centre_of_gravity(landmarks: npt.NDArray[Any]) -> Array:
    """``(frames, 33, d)`` landmarks, in pixels or metres, to ``(frames, d)`` in the same unit; NaN stays NaN."""
    # Not a product of matrices: a landmark without weight may be NaN or infinite.
    used = LANDMARK_WEIGHTS > 0
    centre: Array = np.einsum("l,fld->fd", LANDMARK_WEIGHTS[used], landmarks[:, used])
    return centre
