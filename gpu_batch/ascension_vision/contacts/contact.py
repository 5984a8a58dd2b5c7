"""A limb on a hold, and the way from one hold to the next."""

from dataclasses import dataclass
from typing import Literal

Limb = Literal["left_hand", "right_hand", "left_foot", "right_foot"]
LIMBS: tuple[Limb, ...] = ("left_hand", "right_hand", "left_foot", "right_foot")
# The confidence of a contact that nobody saw, but without which the body would fall.
DEMANDED = 0.2


@dataclass(frozen=True)
class Contact:
    """A limb that stays where it is on the wall.

    Attributes:
        hold_id: None where it rests on the wall itself (smearing, flagging) or on a hold that was not found.
        start, end: seconds of the video.
        confidence: 0 … 1; low where the limb is hidden and only the body's balance speaks for the contact.
        point: where it touches, reference pixels.
    """

    limb: Limb
    hold_id: int | None
    start: float
    end: float
    confidence: float
    point: tuple[float, float]


@dataclass(frozen=True)
class Move:
    """A limb leaves one place and arrives at another. ``start`` and ``end`` are seconds of the video; hold ids as in
    ``Contact``."""

    limb: Limb
    from_hold_id: int | None
    to_hold_id: int | None
    start: float
    end: float
