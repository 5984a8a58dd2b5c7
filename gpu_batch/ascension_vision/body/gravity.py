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


def centre_of_gravity(landmarks: npt.NDArray[Any]) -> Array:
    """``(frames, 33, d)`` landmarks, in pixels or metres, to ``(frames, d)`` in the same unit; NaN stays NaN."""
    weighted = np.zeros((len(landmarks), landmarks.shape[2]))
    for segment in SEGMENTS:
        proximal = landmarks[:, segment.proximal].mean(axis=1)
        distal = landmarks[:, segment.distal].mean(axis=1)
        weighted += segment.mass * (proximal + segment.centre * (distal - proximal))
    # The rounded table does not add up to one exactly.
    centre: Array = weighted / sum(segment.mass for segment in SEGMENTS)
    return centre
