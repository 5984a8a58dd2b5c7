"""A change of the climber's motion, tried alone: everything else stays as the climber did it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from ascension_vision.body.forces import BALANCED, accelerations
from ascension_vision.body.model import BodyModel, tips
from ascension_vision.contacts.contact import LIMBS, Contact
from ascension_vision.ghost.beta import HANDS, Beta
from ascension_vision.ghost.climbed import Climbed
from ascension_vision.ghost.timeline import Timeline
from ascension_vision.metrics.effort import effort
from ascension_vision.metrics.loads import Case, Loads, many_loads
from ascension_vision.wall.wall import Wall

Array = npt.NDArray[np.float64]

# Landmarks of the shoulders and hips, by limb.
SOCKETS: Final = (11, 12, 23, 24)
# A limb can be straight up to this share of its length.
_STRAIGHT = 0.99
# Loads can be told where the contacts hold the body for this share of the time, and changes of the hands' load where
# that is so much of the body's weight.
_KNOWN, _LEAST_LOAD = 0.8, 0.02


@dataclass(frozen=True)
class Scene:
    """What is tried on: the climber, and the plan of a Ghost that moves in the climber's order."""

    model: BodyModel
    climbed: Climbed
    contacts: Sequence[Contact]
    beta: Beta
    timeline: Timeline
    types: Mapping[int, str]
    wall: Wall


@dataclass(frozen=True)
class Change:
    """Attributes:
    during: ``(n,)`` frames of the climber's that it changes.
    moved: ``(n, 3)`` metres by which the body moves.
    feet: where feet stand instead, by limb.
    """

    during: npt.NDArray[np.bool_]
    moved: Array
    feet: Mapping[int, Array] = field(default_factory=dict)


@dataclass(frozen=True)
class Tried:
    """``load``: relative change of the hands' load, NaN where it cannot be told before or after; ``saved``: cost;
    ``possible``: surely balanced, and within reach."""

    load: float
    saved: float
    possible: bool


def try_each(scene: Scene, changes: Sequence[Change]) -> list[Tried]:
    """Each change by itself, with loads and cost (``metrics.effort``) computed anew."""
    weighed = many_loads([_case(scene, change) for change in changes])
    return [_tried(scene, change, new) for change, new in zip(changes, weighed, strict=True)]


def _case(scene: Scene, change: Change) -> Case:
    """The climber with that change, and with nothing else changed."""
    climbed, during = scene.climbed, change.during
    t = climbed.t[during]
    points = tips(torch.as_tensor(climbed.landmarks[during])).numpy()
    contacts = list(scene.contacts)
    for limb, place in change.feet.items():
        points[:, limb] = place
        contacts = [contact for contact in contacts if contact.limb != LIMBS[limb] or not _overlaps(contact, t)]
        hold = next((c for c in scene.contacts if c.limb == LIMBS[limb] and c.start >= t[-1] - 1e-6), None)
        hold_id = None if hold is None else hold.hold_id
        contacts.append(Contact(LIMBS[limb], hold_id, t[0] - 1, t[-1] + 1, 1.0, (0.0, 0.0)))
    gravity = climbed.gravity_centre + change.moved
    acceleration = accelerations(climbed.t, gravity)[during]
    return Case(t, points, gravity[during], acceleration, contacts, scene.types, scene.wall.up)


def _tried(scene: Scene, change: Change, new: Loads) -> Tried:
    climbed, during = scene.climbed, change.during
    both = new.held & climbed.loads.held[during]
    load, balanced = float("nan"), False
    strained = climbed.loads.strain.copy()
    if both.mean() >= _KNOWN and (before := climbed.loads.share[during][both, :2].sum(axis=1)).mean() >= _LEAST_LOAD:
        load = float(new.share[both, :2].sum(axis=1).mean() / before.mean() - 1)
        balanced = bool((new.imbalance[both] < BALANCED).all())
        strained[np.flatnonzero(during)[both]] = new.strain[both]
    gravity = climbed.gravity_centre + change.moved
    cost = effort(climbed.t, gravity, strained, climbed.loads.held, scene.model.lengths.height).cost
    return Tried(load, climbed.effort.cost - cost, balanced and _within_reach(scene, change))


def _within_reach(scene: Scene, change: Change) -> bool:
    climbed, during, lengths = scene.climbed, change.during, scene.model.lengths
    t, landmarks = climbed.t[during], climbed.landmarks[during] + change.moved[during, None]
    points = tips(torch.as_tensor(climbed.landmarks[during])).numpy()
    for limb, place in change.feet.items():
        points[:, limb] = place
    arm, leg = lengths.upper_arm + lengths.forearm + lengths.hand, lengths.thigh + lengths.shank + lengths.foot * 0.65
    for contact in scene.contacts:
        limb = LIMBS.index(contact.limb)
        on = (t >= contact.start) & (t <= contact.end)
        apart = np.linalg.norm(landmarks[on, SOCKETS[limb]] - points[on, limb], axis=-1)
        if len(apart) and apart.max() > _STRAIGHT * (arm if limb in HANDS else leg):
            return False
    return True


def _overlaps(contact: Contact, t: Array) -> bool:
    return bool(contact.start <= t[-1] and contact.end >= t[0])
