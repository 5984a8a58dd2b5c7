"""What a climb loads each limb with, frame by frame, and how tiring that is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch

from ascension_vision.body.forces import accelerations, contact_forces, effort
from ascension_vision.body.grips import grips
from ascension_vision.body.model import tips
from ascension_vision.contacts.contact import Contact
from ascension_vision.ghost.ghost import GhostContact
from ascension_vision.holds.hold import Hold
from ascension_vision.wall.wall import Wall

Array = npt.NDArray[np.float64]
Touching = TypeVar("Touching", Contact, GhostContact)

# A limb takes its load after it has arrived and gives it up before it leaves, seconds.
EASE = 0.2


@dataclass(frozen=True)
class Loads:
    """Attributes:
    share: ``(n, 4)`` the norm of each limb's contact force as a share of body weight.
    strain: ``(n,)`` ``Σ (load / capacity)²``.
    imbalance: ``(n,)`` share of body weight that the contacts cannot hold; where it is more than 0.01 the loads mean
        little: a jump, or a contact that was not seen.
    held: ``(n,)`` whether at least two limbs are on and hold the body.
    """

    share: Array
    strain: Array
    imbalance: Array
    held: npt.NDArray[np.bool_]

    @property
    def hands(self) -> Array:
        """``(n,)`` both hands together, NaN where not held."""
        return np.where(self.held, self.share[:, :2].sum(axis=1), np.nan)


def loads(
    t: Array, landmarks: Array, gravity_centre: Array, touches: Sequence[Touching], types: Mapping[int, str], wall: Wall
) -> Loads:
    """The least tiring loads that hold a body in motion, see ``body.forces``.

    Args:
        t: ``(n,)`` seconds, in which the touches' times are too.
        landmarks: ``(n, 33, 3)`` wall metres.
        gravity_centre: ``(n, 3)`` wall metres.
        touches: the climber's contacts or the Ghost's.
        types: of holds by id.
        wall: for the direction of gravity.
    """
    return loads_at(
        t, tips(torch.as_tensor(landmarks)), gravity_centre, accelerations(t, gravity_centre), touches, types, wall
    )


def loads_at(
    t: Array, points: torch.Tensor, gravity_centre: Array, acceleration: Array, touches: Sequence[Touching],
    types: Mapping[int, str], wall: Wall,
) -> Loads:  # fmt: skip
    """The same with the tips ``(n, 4, 3)`` and the centre's acceleration ``(n, 3)`` m/s² told apart from the body."""
    taken = grips(_lasting(touches, float(t[0]), float(t[-1])), types, t, EASE)
    found = contact_forces(
        points, torch.as_tensor(gravity_centre, dtype=points.dtype, device=points.device),
        torch.as_tensor(acceleration, dtype=points.dtype, device=points.device), wall.up, taken,
    )  # fmt: skip
    imbalance = found.residual.cpu().numpy()
    return Loads(
        share=found.load.cpu().numpy(),
        strain=effort(found.load, taken).cpu().numpy(),
        imbalance=imbalance,
        held=(imbalance < 0.05) & ((taken.share > 0).sum(axis=1) >= 2),
    )


def hold_types(holds: Iterable[Hold] | None) -> dict[int, str]:
    """Types by id, of holds whose type is known."""
    return {hold.id: hold.type for hold in holds or ()}


def _lasting(touches: Sequence[Touching], start: float, end: float) -> list[Touching]:
    """Contacts that reach the first or the last moment begin before and end after it: nothing eases there."""
    return [
        replace(
            touch,
            start=touch.start - 1 if touch.start <= start + 1e-6 else touch.start,
            end=touch.end + 1 if touch.end >= end - 1e-6 else touch.end,
        )
        for touch in touches
    ]
