"""BlazePose's 33 landmarks by name, and which belong together."""

from typing import Final

LANDMARKS: Final = (
    *("nose", "left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye", "right_eye_outer"),
    *("left_ear", "right_ear", "mouth_left", "mouth_right", "left_shoulder", "right_shoulder"),
    *("left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_pinky", "right_pinky"),
    *("left_index", "right_index", "left_thumb", "right_thumb", "left_hip", "right_hip"),
    *("left_knee", "right_knee", "left_ankle", "right_ankle", "left_heel", "right_heel"),
    *("left_foot_index", "right_foot_index"),
)

# For each landmark its counterpart on the other side of the body; the nose is its own.
OTHER_SIDE: Final = [
    LANDMARKS.index(name.replace("left", "\0").replace("right", "left").replace("\0", "right")) for name in LANDMARKS
]

# Limbs as (left landmarks, right landmarks): what a network mixes up, it mixes up whole.
ARMS: Final = ((13, 15, 17, 19, 21), (14, 16, 18, 20, 22))
LEGS: Final = ((25, 27, 29, 31), (26, 28, 30, 32))
SHOULDERS: Final = (11, 12)
HIPS: Final = (23, 24)

# Joint angle: (first neighbour, joint, second neighbour).
ANGLES: Final = {
    "left_elbow": (11, 13, 15),
    "right_elbow": (12, 14, 16),
    "left_shoulder": (13, 11, 23),
    "right_shoulder": (14, 12, 24),
    "left_hip": (11, 23, 25),
    "right_hip": (12, 24, 26),
    "left_knee": (23, 25, 27),
    "right_knee": (24, 26, 28),
    "left_ankle": (25, 27, 31),
    "right_ankle": (26, 28, 32),
}
