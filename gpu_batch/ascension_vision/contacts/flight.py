"""When a climber who jumps is in the air.

Fingers that let go and toes that push off are fast, and seen to leave too soon and to arrive too late. But a body that
nothing holds falls as gravity has it: its centre of gravity goes along one parabola, and a push or a pull shows within
a frame or two. So a climber flies while no hand is seen on anything and the body falls like that; what pushes until
then or catches it afterwards is on a hold.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ascension_vision.body.gravity import centre_of_gravity
from ascension_vision.contacts.contact import LIMBS, Contact
from ascension_vision.contacts.rests import SEEN
from ascension_vision.contacts.tips import Tips
from ascension_vision.wall.wall import Wall

Array = npt.NDArray[np.float64]

_GRAVITY = 9.81
# Seconds: what is shorter may be anything, nobody flies for longer; and by how much contacts' times are off beside it.
_SHORTEST, _LONGEST, _ABOUT = 0.13, 0.8, 0.4
# The centre of gravity is so far off the wall, metres, and its height is seen to within this; what speaks for a fall
# in each frame on one parabola, a logarithm; and the least share of gravity by which that bends.
_OFF, _SEEN, _FITS, _FALLS = 0.3, 0.01, 1.0, 0.6
# A limb that stays this near to its hold, torso lengths, is on it.
_NEAR = 0.3


def with_flights(contacts: Sequence[Contact], tips: Tips, wall: Wall) -> list[Contact]:
    """The contacts; beside a jump's flight they end when the body begins to fall and begin when it is caught."""
    found = list(contacts)
    for leaves, lands in _hands_off(contacts):
        fall = _fall(tips, wall, leaves, lands)
        if fall is not None:
            start, end = max(fall[0], leaves), min(fall[1], lands)
            if end - start >= _SHORTEST:
                found = _around(found, tips, start, end)
    return found


def _hands_off(contacts: Sequence[Contact]) -> list[tuple[float, float]]:
    """From when to when no hand is on anything though one was before and is afterwards."""
    gaps: list[tuple[float, float]] = []
    until: float | None = None
    for hand in sorted((one for one in contacts if one.limb.endswith("hand")), key=lambda one: one.start):
        if until is not None and 0 < hand.start - until < _LONGEST + _ABOUT:
            gaps.append((until, hand.start))
        until = hand.end if until is None else max(until, hand.end)
    return gaps


def _fall(tips: Tips, wall: Wall, leaves: float, lands: float) -> tuple[float, float] | None:
    """When the body begins and ends to fall about then, seconds: the frames that most likely are on one parabola."""
    near = np.flatnonzero((tips.t > leaves - _ABOUT) & (tips.t < lands + _ABOUT))
    height = wall.on_surface(centre_of_gravity(tips.body[near]), _OFF)[:, 1]
    t, gravity = tips.t[near], _GRAVITY * float(wall.up[1])
    best, fall = 0.0, None
    for first in range(len(near)):
        for last in range(first + 2, len(near)):
            since = t[first : last + 1] - t[first]
            beside = since[-1] / (last - first) / 2
            start, end = float(t[first] - beside), float(t[last] + beside)
            if end - start > _LONGEST:
                break
            if abs(start - leaves) > _ABOUT or abs(end - lands) > _ABOUT:
                continue
            seen = height[first : last + 1]
            straight = seen + gravity * since**2 / 2
            off = straight - np.polyval(np.polyfit(since, straight, 1), since)
            likely = _FITS * len(seen) - float(np.square(off / _SEEN).sum()) / 2
            if likely > best and -2 * np.polyfit(since, seen, 2)[0] > _FALLS * gravity:
                best, fall = likely, (start, end)
    return fall


def _around(contacts: Sequence[Contact], tips: Tips, start: float, end: float) -> list[Contact]:
    """The contacts with a flight from ``start`` to ``end``: something pushes until then, and a hand catches."""
    before = [one for one in contacts if one.start < start and start - _ABOUT < one.end < end + _ABOUT]
    after = [one for one in contacts if start <= one.start < end + _ABOUT and one.limb.endswith("hand")]
    latest = max(before, key=lambda one: one.end, default=None)
    soonest = min(after, key=lambda one: one.start, default=None)
    found = []
    for one in contacts:
        changed = one
        if one in before and (one is latest or one.end > start or _stays(one, tips, one.end, start)):
            changed = replace(one, end=start)
        elif start <= one.start < end or one is soonest or (one in after and _stays(one, tips, end, one.start)):
            changed = replace(one, start=end)
        if changed.end > changed.start:
            found.append(changed)
    return found


def _stays(contact: Contact, tips: Tips, start: float, end: float) -> bool:
    """Whether the limb is where it touches all that time, as far as it is surely seen."""
    limb = LIMBS.index(contact.limb)
    during = (tips.t >= start) & (tips.t <= end) & (tips.seen[:, limb] > SEEN[1])
    away = tips.place[during, limb] - contact.point
    return bool((np.linalg.norm(away, axis=1) < _NEAR * tips.torso).all())
