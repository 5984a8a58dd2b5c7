"""The joints of the body model: which angles there are, their axes, and how far each goes.

At rest the body stands upright with hanging arms and faces the wall: its right is x, up is y, its back z, the axes of
the wall frame. An angle turns everything beyond its joint about its axis; axes are given at rest for the trunk and for
the right side, and mirrored for the left, so that equal angles mean equal movements. Angles of one joint apply in the
order in which they stand here, each axis carried along by those before it.

Limits are passive ranges of healthy adults, the wider one where sources disagree, for a climber's weight pushes joints
to their ends:

- AAOS: American Academy of Orthopaedic Surgeons 1965, *Joint Motion: Method of Measuring and Recording*.
- N&W: Norkin and White 2016, *Measurement of Joint Motion: A Guide to Goniometry*, 5th ed.
- Kapandji: Kapandji 2007/2008, *The Physiology of the Joints*, 6th ed. (elbow and knee bent passively 160°, hip 145°;
  hip of people trained for it abducted well beyond 45°, which climbers are: Draga et al. 2020, Int. J. Environ. Res.
  Public Health 17(7), 2512, found abduction to go with their level).
- Soucie: Soucie et al. 2011, Haemophilia 17(3), 500-507 (ankle plantar flexion 62°, women of 20 to 44 years).
- Youdas: Youdas et al. 1992, Physical Therapy 72(11), 770-780 (neck).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

# Arms rise most freely in the plane of the shoulder blade, 30 to 40 degrees before the frontal plane (Johnston 1937).
# Counted from there, the two directions in which these angles are singular, back to the side and front across the
# chest, are those in which an arm points least.
_BLADE = np.radians(40)
_OUT, _AHEAD = float(np.cos(_BLADE)), float(np.sin(_BLADE))


@dataclass(frozen=True)
class Angle:
    """One degree of freedom. ``axis`` at rest; ``lowest`` and ``highest`` in degrees."""

    name: str
    axis: tuple[float, float, float]
    lowest: float
    highest: float


@dataclass(frozen=True)
class Joint:
    """Angles that share a centre. ``parent`` names the joint that carries it."""

    name: str
    parent: str
    angles: tuple[Angle, ...]


_X, _Y, _Z = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
_BACK_X, _DOWN, _AHEAD_Z = (-1.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.0, 0.0, -1.0)

_TRUNK: Final = (
    # Free: a climber may be in any attitude. Singular where the trunk stands square to the wall.
    Joint(
        "pelvis",
        "",
        (
            Angle("roll", _Z, -np.inf, np.inf),
            Angle("pitch", _X, -np.inf, np.inf),
            Angle("yaw", _Y, -np.inf, np.inf),
        ),
    ),
    # AAOS, thoracic and lumbar spine together: flexion 80, extension 20-30, to each side 35, rotation 45.
    Joint(
        "spine",
        "pelvis",
        (Angle("flexion", _BACK_X, -30, 80), Angle("bend", _AHEAD_Z, -35, 35), Angle("rotation", _Y, -45, 45)),
    ),
    # Youdas, people of 20 to 29: flexion about 60, extension 80, to each side 45, rotation 75.
    Joint(
        "neck",
        "spine",
        (Angle("flexion", _BACK_X, -80, 60), Angle("bend", _AHEAD_Z, -45, 45), Angle("rotation", _Y, -75, 75)),
    ),
)
_RIGHT: Final = (
    # N&W: flexion and abduction 180, extension 60; horizontal adduction 135, abduction 45; rotation inwards 70,
    # outwards 90, counted from the forearm pointing forwards. In the angles used here those positions reach from -50
    # (hand behind the back) to 185 in elevation, from -75 to 85 across, and from -110 to 80 in rotation.
    Joint(
        "shoulder",
        "spine",
        (
            Angle("elevation", (_AHEAD, 0.0, _OUT), -50, 185),
            Angle("across", (_OUT, 0.0, -_AHEAD), -75, 85),
            Angle("rotation", _DOWN, -110, 80),
        ),
    ),
    # Flexion: Kapandji, passive. Forearm, from the thumb forward: N&W 80 to each side, Soucie 82 and 91.
    Joint("elbow", "shoulder", (Angle("flexion", _X, 0, 160), Angle("pronation", _Y, -90, 82))),
    # Kapandji: 85 each way; AAOS to the thumb 20, Kapandji to the little finger 45.
    Joint("wrist", "elbow", (Angle("flexion", _AHEAD_Z, -85, 85), Angle("deviation", _X, -45, 20))),
    # Flexion: Kapandji, passive, knee bent; extension 30: AAOS. Abduction: 45 by AAOS, and to 80 with the hip bent and
    # turned out in people trained for it (Kapandji); adduction 30: AAOS. Rotation: outwards Kapandji, inwards AAOS.
    Joint(
        "hip",
        "pelvis",
        (Angle("flexion", _X, -30, 145), Angle("abduction", _Z, -30, 80), Angle("rotation", _DOWN, -45, 60)),
    ),
    # Kapandji, passive.
    Joint("knee", "hip", (Angle("flexion", _BACK_X, 0, 160),)),
    # Turn: rotation of the bent knee (Kapandji: outwards 40, inwards 30) and of the foot beyond the ankle (Kapandji:
    # 35 to 45 with the knee's), which look the same. Flexion towards the shin with the knee bent up to 30 (Kapandji),
    # away from it 62 (Soucie).
    Joint("ankle", "knee", (Angle("turn", _DOWN, -45, 45), Angle("flexion", _X, -62, 30))),
)


def _mirrored(axis: tuple[float, float, float]) -> tuple[float, float, float]:
    # An axis is a pseudo-vector: a mirror in x turns it the other way about y and z.
    return axis[0], -axis[1], -axis[2]


def _side(side: str) -> tuple[Joint, ...]:
    trunk = {joint.name for joint in _TRUNK}
    return tuple(
        Joint(
            f"{side}_{joint.name}",
            joint.parent if joint.parent in trunk else f"{side}_{joint.parent}",
            tuple(
                Angle(angle.name, angle.axis if side == "right" else _mirrored(angle.axis), angle.lowest, angle.highest)
                for angle in joint.angles
            ),
        )
        for joint in _RIGHT
    )


# Parents come before their children.
JOINTS: Final = (*_TRUNK, *_side("left"), *_side("right"))
# Names of a pose's numbers, in order: where the pelvis is, then every angle.
DEGREES_OF_FREEDOM: Final = (
    "x",
    "y",
    "z",
    *(f"{joint.name}_{angle.name}" for joint in JOINTS for angle in joint.angles),
)
