"""What a climb loads each limb with, frame by frame, and how tiring that is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt
import torch

from ascension_vision.body.forces import accelerations, contact_forces, effort
from ascension_vision.body.grips import Grips, grips
from ascension_vision.body.model import tips
from ascension_vision.contacts.contact import Contact
from ascension_vision.ghost.ghost import GhostContact
from ascension_vision.holds.hold import Hold
from ascension_vision.wall.wall import Wall

Array = npt.NDArray[np.float64]

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


@dataclass(frozen=True)
class Case:
    """A body on holds, for ``n`` frames.

    Attributes:
        t: ``(n,)`` seconds, in which the touches' times are too.
        points: ``(n, 4, 3)`` where the limbs touch, wall metres.
        gravity_centre: ``(n, 3)`` wall metres.
        acceleration: ``(n, 3)`` of the centre of gravity, m/s².
        touches: the climber's contacts or the Ghost's.
        types: of holds by id.
        up: ``(3,)`` against gravity: ``Wall.up``.
    """

    t: Array
    points: Array
    gravity_centre: Array
    acceleration: Array
    touches: Sequence[Contact] | Sequence[GhostContact]
    types: Mapping[int, str]
    up: Array

    def at(self, frames: slice | npt.NDArray[np.bool_]) -> "Case":
        """In some of its frames."""
        return replace(
            self, t=self.t[frames], points=self.points[frames], gravity_centre=self.gravity_centre[frames],
            acceleration=self.acceleration[frames],
        )  # fmt: skip

    def moved(self, by: Array) -> "Case":
        """With the centre of gravity elsewhere by ``(3,)`` or ``(n, 3)`` metres, at rest there."""
        return replace(self, gravity_centre=self.gravity_centre + by)


def loads(
    t: Array,
    landmarks: Array,
    gravity_centre: Array,
    touches: Sequence[Contact] | Sequence[GhostContact],
    types: Mapping[int, str],
    wall: Wall,
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
    points = tips(torch.as_tensor(landmarks)).numpy()
    return many_loads(
        [Case(t, points, gravity_centre, accelerations(t, gravity_centre), touches, types, wall.up)]
    )[0]  # fmt: skip


def many_loads(cases: Sequence[Case], device: str = "cpu") -> list[Loads]:
    """The same for many bodies at once, which takes hardly longer than for one."""
    if not cases:
        return []
    taken = [_grips(case) for case in cases]
    together = Grips(
        *(np.concatenate([getattr(one, field.name) for one in taken]) for field in fields(Grips))
    )  # fmt: skip

    def joined(name: str) -> torch.Tensor:
        return torch.as_tensor(np.concatenate([getattr(case, name) for case in cases]), device=device)

    up = np.concatenate([np.tile(case.up, (len(case.t), 1)) for case in cases])
    found = contact_forces(joined("points"), joined("gravity_centre"), joined("acceleration"), up, together)
    imbalance, strain = found.residual.cpu().numpy(), effort(found.load, together).cpu().numpy()
    share = found.load.cpu().numpy()
    held = (imbalance < 0.05) & ((together.share > 0).sum(axis=1) >= 2)
    ends = np.cumsum([len(case.t) for case in cases])
    return [
        Loads(share[first:last], strain[first:last], imbalance[first:last], held[first:last])
        for first, last in zip(ends - [len(case.t) for case in cases], ends, strict=True)
    ]


def missing_balance(case: Case, device: str = "cpu") -> Array:
    """``(n, 6)`` force and moment about the centre of gravity that the contacts cannot give, see ``body.forces``."""
    points, centre, acceleration = (
        torch.as_tensor(one, device=device) for one in (case.points, case.gravity_centre, case.acceleration)
    )
    found = contact_forces(points, centre, acceleration, case.up, _grips(case))
    return np.asarray(found.missing.cpu().numpy())


def _grips(case: Case) -> Grips:
    return grips(_lasting(case.touches, float(case.t[0]), float(case.t[-1])), case.types, case.t, EASE)


def hold_types(holds: Iterable[Hold] | None) -> dict[int, str]:
    """Types by id, of holds whose type is known."""
    return {hold.id: hold.type for hold in holds or ()}


def _lasting(
    touches: Sequence[Contact] | Sequence[GhostContact], start: float, end: float
) -> list[Contact | GhostContact]:
    """Contacts that reach the first or the last moment begin before and end after it: nothing eases there."""
    return [
        replace(
            touch,
            start=touch.start - 1 if touch.start <= start + 1e-6 else touch.start,
            end=touch.end + 1 if touch.end >= end - 1e-6 else touch.end,
        )
        for touch in touches
    ]
