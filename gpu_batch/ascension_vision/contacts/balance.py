"""Hands that must be on a hold, for the body would fall without them: hidden ones, and those that are seen too late.

``support`` knows this from the picture alone, for bodies that nothing else holds up. Here the body is known in metres,
and what its contacts can carry: a hand behind the trunk that stays at the wall while the others cannot hold the body is
on the hold that is next to it. And a hand that catches the body does so at once, though the network's arm may still be
stretching: the body stops falling when the hand is there.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch

from ascension_vision.body.forces import GRAVITY, accelerations
from ascension_vision.body.model import tips
from ascension_vision.body.motion import BodyMotion
from ascension_vision.contacts.contact import DEMANDED, LIMBS, Contact
from ascension_vision.ghost.beta import HANDS
from ascension_vision.ghost.support import FALLING, at_rest, with_standing_feet
from ascension_vision.holds.hold import Hold
from ascension_vision.metrics.loads import Case, hold_types, loads, many_loads
from ascension_vision.wall.wall import Wall

Array = npt.NDArray[np.float64]

# A hand that is seen as surely as this, on average, is where it is seen, and nothing has to be inferred.
_SEEN = 0.8
# For so long the body would fall without it, seconds; the hold is so near, metres.
_FALLS, _BESIDE = 0.5, 0.15
# A hand so near to its hold, metres, so shortly before it is seen to be there, seconds, may be there.
_ARRIVING, _LATE = 0.25, 0.4
# A hidden place trembles: on the same hold after a shorter time, seconds, it never left.
_TREMBLES = 0.3


def with_hidden_hands(
    contacts: Sequence[Contact], motion: BodyMotion, visibility: Array, holds: Sequence[Hold], wall: Wall
) -> list[Contact]:
    """The contacts, and with little confidence those of hidden hands that balance demands, in order of time.

    Args:
        visibility: ``(frames of motion, 33)`` 0 … 1.
    """
    if len(motion.t) < 5 or not contacts:
        return list(contacts)
    places = tips(torch.as_tensor(motion.landmarks)).numpy()
    standing = with_standing_feet(contacts, motion, wall)
    held = loads(motion.t, motion.landmarks, motion.gravity_centre, standing, hold_types(holds), wall).held
    falling = np.where(held, 0.0, np.gradient(motion.t))
    found = list(contacts)
    for limb in HANDS:
        seen = visibility[:, [17 + limb, 19 + limb]].mean(axis=1)
        for during in at_rest(limb, contacts, motion, places):
            if seen[during].mean() >= _SEEN or falling[during].sum() < _FALLS:
                continue
            place = np.median(places[during, limb], axis=0)
            hold = _beside(place, holds, wall)
            if hold is None:
                continue
            start, end = motion.t[during][[0, -1]].tolist()
            before = found[-1]
            if (before.limb, before.hold_id) == (LIMBS[limb], hold.id) and 0 < start - before.end < _TREMBLES:
                found[-1] = replace(before, end=end)
                continue
            x, y = wall.project(place).tolist()
            found.append(Contact(LIMBS[limb], hold.id, start, end, DEMANDED, (x, y)))
    return sorted(found, key=lambda contact: (contact.start, LIMBS.index(contact.limb)))


def with_hands_in_time(
    contacts: Sequence[Contact], motion: BodyMotion, holds: Sequence[Hold], wall: Wall
) -> list[Contact]:
    """The contacts; those of hands begin when the body stops falling, where nothing else held it before they do."""
    if len(motion.t) < 5 or not contacts:
        return list(contacts)
    places = tips(torch.as_tensor(motion.landmarks)).numpy()
    gravity = motion.gravity_centre
    standing = with_standing_feet(contacts, motion, wall)
    body = Case(motion.t, places, gravity, accelerations(motion.t, gravity), standing, hold_types(holds), wall.up)
    hands = [contact for contact in contacts if contact.limb.endswith("hand")]
    return [
        replace(contact, start=_caught(contact, hands, body)) if contact in hands else contact for contact in contacts
    ]


def _caught(contact: Contact, hands: Sequence[Contact], body: Case) -> float:
    """When a hand's contact begins, seconds: as it is said, or somewhat sooner, if from then on the body does not fall
    though no other hand is on, nothing else holds it, and this hand is about there."""
    t, hand = body.t, body.points[:, LIMBS.index(contact.limb), :2]
    during = (t >= contact.start) & (t <= contact.end)
    maybe = (t >= contact.start - _LATE) & (t < contact.start)
    for other in hands:
        if other is not contact:
            maybe &= (t < other.start) | (t > other.end)
    maybe &= body.acceleration @ body.up >= -FALLING * GRAVITY
    if not maybe.any() or not during.any():
        return contact.start
    maybe &= np.linalg.norm(hand - np.median(hand[during], axis=0), axis=1) < _ARRIVING
    if maybe.any():
        maybe[maybe] = ~many_loads([body.at(maybe)])[0].held
    first = np.flatnonzero(t < contact.start)[::-1]
    since = first[np.cumprod(maybe[first]).astype(bool)]
    return float(t[since[-1]]) if len(since) else contact.start


def _beside(place: Array, holds: Sequence[Hold], wall: Wall) -> Hold | None:
    """The hold whose outline is nearest, if it is near."""
    gaps = [np.linalg.norm(wall.on_surface(hold.outline)[:, :2] - place[:2], axis=1).min() for hold in holds]
    nearest = int(np.argmin(gaps)) if gaps else -1
    return holds[nearest] if gaps and gaps[nearest] <= _BESIDE else None
