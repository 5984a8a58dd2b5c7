"""A climb as numbers are computed from it: the way the body went, and which limb was where and when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch

from ascension_vision.body.forces import accelerations
from ascension_vision.body.model import tips
from ascension_vision.body.motion import BodyMotion
from ascension_vision.body.skeleton import HIPS
from ascension_vision.contacts.contact import LIMBS, Contact
from ascension_vision.ghost.beta import ABOUT, SAME_PLACE, Beta, Stay, as_stays, climb_span, same_place, without_detours
from ascension_vision.ghost.ghost import GhostContact
from ascension_vision.metrics.loads import Case
from ascension_vision.metrics.reach import longest_reach
from ascension_vision.wall.wall import Wall

Array = npt.NDArray[np.float64]

DWELL_SECONDS = 0.5


@dataclass(frozen=True)
class Climb:
    """What is measured, as it was found or as it may have been.

    Attributes:
        t: ``(n,)`` seconds of all frames in which the body is known.
        hips, gravity_centre: ``(n, 3)`` wall metres.
        tips: ``(n, 4, 3)`` of the limbs, wall metres.
        stays: every contact, by limb in order of time; none where no contact is known.
        unseen: how many more contacts there are than are known, each on a hold of its own.
        torso: its length, metres.
        scale: how many metres one metre is.
        types: of holds by id.
        up: ``(3,)`` against gravity, wall frame.
    """

    t: Array
    hips: Array
    gravity_centre: Array
    tips: Array
    stays: list[list[Stay]]
    unseen: int
    torso: float
    scale: float
    types: Mapping[int, str]
    up: Array

    @classmethod
    def of(cls, motion: BodyMotion, contacts: Sequence[Contact], types: Mapping[int, str], wall: Wall) -> "Climb":
        """As it was found."""
        places = motion.landmarks
        return cls(
            motion.t, places[:, HIPS].mean(axis=1), motion.gravity_centre, tips(torch.as_tensor(places)).numpy(),
            as_stays(contacts, motion.t, places, wall), 0, motion.model.lengths.trunk, 1.0, types, wall.up,
        )  # fmt: skip

    @cached_property
    def beta(self) -> Beta:
        return without_detours(self.stays)

    @cached_property
    def span(self) -> tuple[float, float] | None:
        """When the climb begins and ends, seconds; None where no hand and another limb are on together."""
        return climb_span(self.beta, self.t) if any(self.stays) else None

    def during(self, t: Array) -> npt.NDArray[np.bool_]:
        """Which of ``(n,)`` moments are of the climb; all where nothing tells when it begins and ends."""
        start, end = self.span or (self.t[0], self.t[-1])
        return np.asarray((t >= start - 1e-6) & (t <= end + 1e-6))

    @property
    def duration(self) -> float | None:
        return None if self.span is None else self.span[1] - self.span[0]

    @property
    def reach_cm(self) -> float | None:
        """Of hands that are seen to arrive: one that is on when the video begins came from nobody knows where."""
        reach = longest_reach(self._touches(), after=float(self.t[0]), about=ABOUT)
        return None if reach is None else 100 * self.scale * reach[0]

    @property
    def holds(self) -> int:
        """How many holds were used for long enough at a time."""
        long = [stay for of_limb in self.stays for stay in of_limb if stay.end - stay.start >= DWELL_SECONDS]
        return len({stay.hold_id for stay in long} - {None}) + self.unseen

    @property
    def moves(self) -> int:
        """How often a limb goes to another place; neighbours on the same spot of the wall are one."""
        return self.unseen + sum(
            not same_place(before, after) and float(np.linalg.norm(before.point - after.point)) > SAME_PLACE
            for of_limb in self.stays
            for before, after in pairwise(of_limb)
        )

    @property
    def regrips(self) -> int:
        return sum(drop.kind == "regrip" for drop in self.beta.dropped)

    def case(self, frames: npt.NDArray[np.bool_]) -> Case:
        """The body with what it holds on to, in some frames."""
        t, gravity = self.t[frames], self.gravity_centre[frames]
        return Case(t, self.tips[frames], gravity, accelerations(t, gravity), self._touches(), self.types, self.up)

    def _touches(self) -> list[GhostContact]:
        return [
            GhostContact(LIMBS[stay.limb], stay.hold_id, stay.start, stay.end, (float(x), float(y), float(z)))
            for of_limb in self.stays
            for stay in of_limb
            for x, y, z in [stay.point]
        ]
