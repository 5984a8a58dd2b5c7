"""The climber's own motion, as the Ghost is compared with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ascension_vision.body.motion import BodyMotion
from ascension_vision.contacts.contact import Contact
from ascension_vision.metrics.effort import Effort, effort
from ascension_vision.metrics.loads import Loads, loads
from ascension_vision.wall.wall import Wall

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Climbed:
    """The climber between two moments of the video, as the Ghost is compared with it."""

    t: Array
    pose: Array
    landmarks: Array
    gravity_centre: Array
    loads: Loads
    effort: Effort


def climbed_between(
    motion: BodyMotion, contacts: Sequence[Contact], types: Mapping[int, str], wall: Wall, start: float, end: float
) -> Climbed:
    """The climber's own motion, loads and effort from ``start`` to ``end``, seconds of the video."""
    inside = (motion.t >= start - 1e-6) & (motion.t <= end + 1e-6)
    t, gravity = motion.t[inside], motion.gravity_centre[inside]
    found = loads(motion.t, motion.landmarks, motion.gravity_centre, contacts, types, wall)
    kept = Loads(found.share[inside], found.strain[inside], found.imbalance[inside], found.held[inside])
    cost = effort(t, gravity, kept.strain, kept.held, motion.model.lengths.height)
    return Climbed(t, motion.pose[inside], motion.landmarks[inside], gravity, kept, cost)
