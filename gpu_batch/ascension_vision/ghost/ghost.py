"""What the Ghost Climber is, once it is found."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ascension_vision.contacts.contact import Limb
from ascension_vision.metrics.effort import Effort

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class GhostContact:
    """A limb of the Ghost on a hold: ``start`` and ``end`` in the Ghost's own seconds, ``point`` in wall metres."""

    limb: Limb
    hold_id: int | None
    start: float
    end: float
    point: tuple[float, float, float]


@dataclass(frozen=True)
class Cue:
    """One change that matters, which was evaluated alone.

    Attributes:
        at: seconds of the video where the player should jump.
        key: what kind of advice it is; clients translate by it.
        values: the numbers in the advice, by name.
        text: the advice in English.
        metric: what gets better, and ``change``: by how much, relative to the climber; negative is less.
        possible: whether the climber with this change alone is in balance and reaches all holds.
    """

    at: float
    key: str
    values: dict[str, float | str]
    text: str
    metric: str
    change: float
    possible: bool


@dataclass(frozen=True)
class Ghost:
    """The Ghost Climber's motion.

    Attributes:
        t: ``(n,)`` the Ghost's own seconds, uniform, from 0.
        climber_t: ``(n,)`` seconds of the video when the climber is at the same point of the same move; never falls.
        landmarks: ``(n, 33, 3)`` metres in the wall frame.
        loads: ``(n, 4)`` the norm of each limb's contact force as a share of body weight.
        contacts: in the Ghost's own time.
        certificate: as in docs/result-format.md.
        cues: at most three, the one that matters most first.
        gravity_centre: ``(n, 3)`` metres in the wall frame.
        effort, climber_effort: what the climb costs the Ghost, and what the same climb cost the climber.
    """

    t: Array
    climber_t: Array
    landmarks: Array
    loads: Array
    contacts: list[GhostContact]
    certificate: dict[str, Any]
    cues: list[Cue]
    gravity_centre: Array
    effort: Effort
    climber_effort: Effort


@dataclass(frozen=True)
class NoGhost:
    """Why there is no Ghost, in a sentence for the user."""

    reason: str
