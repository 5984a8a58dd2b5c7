"""The climber's proportions, landmarks and mass.

Segment lengths, mass fractions and centres: de Leva 1996, "Adjustments to Zatsiorsky-Seluyanov's segment inertia
parameters", Journal of Biomechanics 29(9), table 4. Landmark names and order: BlazePose.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ascension_vision.scene.options import BodyOptions

Array = NDArray[np.float64]

LANDMARKS = (
    "nose", "left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye", "right_eye_outer",
    "left_ear", "right_ear", "mouth_left", "mouth_right", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_pinky", "right_pinky", "left_index", "right_index",
    "left_thumb", "right_thumb", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
    "left_heel", "right_heel", "left_foot_index", "right_foot_index",
)  # fmt: skip
INDEX = {name: index for index, name in enumerate(LANDMARKS)}
LIMBS = ("left_hand", "right_hand", "left_foot", "right_foot")

# Bones that may never change length, as pairs of landmark indices.
BONES = (
    (11, 12), (23, 24), (11, 13), (13, 15), (12, 14), (14, 16), (23, 25), (25, 27), (24, 26), (26, 28),
    (15, 19), (15, 17), (16, 20), (16, 18), (27, 31), (27, 29), (28, 32), (28, 30), (0, 7), (0, 8), (7, 8),
)  # fmt: skip


@dataclass(frozen=True)
class Proportions:
    """Lengths in metres of one climber's rigid parts, and the factor on every girth."""

    height: float
    girth: float
    trunk: float
    shoulder_half: float
    hip_half: float
    upper_arm: float
    forearm: float
    hand: float
    thigh: float
    shank: float
    foot: float
    head: float


# de Leva's reference people: 1.741 m and 1.735 m tall. Joint widths are not in his tables; they follow Winter 2009
# (biacromial 0.259 H less the deltoids, hip joint centres 0.12 to 0.13 H apart).
_PARTS = ("trunk", "shoulder_half", "hip_half", "upper_arm", "forearm", "hand", "thigh", "shank", "foot", "head")
_REFERENCE = {
    "male": (1.741, (0.5155, 0.183, 0.108, 0.2817, 0.2689, 0.0862, 0.4222, 0.4340, 0.2581, 0.2033)),
    "female": (1.735, (0.4979, 0.166, 0.113, 0.2751, 0.2643, 0.0780, 0.3685, 0.4323, 0.2283, 0.2002)),
}


def proportions(body: BodyOptions) -> Proportions:
    """The reference person of that sex, scaled to the height; girths follow height and build."""
    reference_height, lengths = _REFERENCE[body.sex]
    scale = body.height_m / reference_height
    scaled = {part: length * scale for part, length in zip(_PARTS, lengths, strict=True)}
    return Proportions(height=body.height_m, girth=scale * body.build, **scaled)


# mass fraction, centre from the proximal end, proximal landmarks, distal landmarks (midpoints of those named)
_SEGMENTS = {
    "male": (
        (0.0694, 0.50, (11, 12), (7, 8)), (0.4346, 0.514, (11, 12), (23, 24)),
        (0.0271, 0.577, (11,), (13,)), (0.0271, 0.577, (12,), (14,)),
        (0.0162, 0.457, (13,), (15,)), (0.0162, 0.457, (14,), (16,)),
        (0.0061, 0.790, (15,), (17, 19)), (0.0061, 0.790, (16,), (18, 20)),
        (0.1416, 0.410, (23,), (25,)), (0.1416, 0.410, (24,), (26,)),
        (0.0433, 0.440, (25,), (27,)), (0.0433, 0.440, (26,), (28,)),
        (0.0137, 0.442, (29,), (31,)), (0.0137, 0.442, (30,), (32,)),
    ),
    "female": (
        (0.0668, 0.50, (11, 12), (7, 8)), (0.4257, 0.493, (11, 12), (23, 24)),
        (0.0255, 0.575, (11,), (13,)), (0.0255, 0.575, (12,), (14,)),
        (0.0138, 0.456, (13,), (15,)), (0.0138, 0.456, (14,), (16,)),
        (0.0056, 0.742, (15,), (17, 19)), (0.0056, 0.742, (16,), (18, 20)),
        (0.1478, 0.369, (23,), (25,)), (0.1478, 0.369, (24,), (26,)),
        (0.0481, 0.437, (25,), (27,)), (0.0481, 0.437, (26,), (28,)),
        (0.0129, 0.401, (29,), (31,)), (0.0129, 0.401, (30,), (32,)),
    ),
}  # fmt: skip


def center_of_gravity(landmarks: Array, sex: str) -> Array:
    """Whole-body centre of gravity of ``(..., 33, 3)`` landmarks in any Euclidean frame: ``(..., 3)``."""
    total = np.zeros(landmarks.shape[:-2] + landmarks.shape[-1:])
    mass = 0.0
    for fraction, centre, proximal, distal in _SEGMENTS[sex]:
        near = landmarks[..., list(proximal), :].mean(axis=-2)
        far = landmarks[..., list(distal), :].mean(axis=-2)
        total += fraction * (near + centre * (far - near))
        mass += fraction
    return np.asarray(total / mass)
