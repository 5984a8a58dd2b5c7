"""What the Ghost does with its hands and feet: the climber's beta without what led nowhere.

Three things are dropped. A *re-grip*: a limb leaves a hold and comes back to it while no other limb gets anywhere. A
*tap*: on the way out and back it touches another hold for less than half a second. A *fidget*: a foot stands somewhere
for less than half a second on its way to another place while no other limb gets anywhere. What remains uses the same
holds, and the hands move in the same order.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from ascension_vision.body.model import tips
from ascension_vision.contacts.contact import LIMBS, Contact
from ascension_vision.wall.wall import Wall

Array = npt.NDArray[np.float64]

HANDS, FEET = (0, 1), (2, 3)

# A longer absence is a decision, not a re-grip.
_REGRIP_SECONDS = 2.5
_TOUCH_SECONDS = 0.5
# The climb begins and ends this long before its first and after its last move.
_LEAD_SECONDS = 0.8
# Contacts without a hold are at the same place when this near, metres: feet are placed worse than hands.
SAME_PLACE, _SAME_PLACE_OF_FEET = 0.07, 0.12
# When limbs come and go is known to within this, seconds; and whether they did at all, where no hold is known.
ABOUT, _UNSURE_SECONDS = 0.15, 0.5


@dataclass(frozen=True)
class Stay:
    """A limb at one place.

    Attributes:
        limb: index in ``LIMBS``.
        hold_id: None where no hold is known there.
        start, end: seconds of the video.
        point: ``(3,)`` wall metres, where the limb's tip is.
        weight: seconds that ``point`` was averaged over.
        confidence: 0 … 1, as the contact's; the least of those that were joined.
    """

    limb: int
    hold_id: int | None
    start: float
    end: float
    point: Array
    weight: float
    confidence: float


@dataclass(frozen=True)
class Dropped:
    """What the Ghost leaves out: from ``start`` to ``end``, seconds of the video, the limb was busy for nothing."""

    kind: Literal["regrip", "tap", "fidget"]
    limb: int
    hold_id: int | None
    start: float
    end: float


@dataclass(frozen=True)
class Beta:
    """``stays[limb]`` in order of time, and what was left out of them in order of time."""

    stays: tuple[tuple[Stay, ...], ...]
    dropped: tuple[Dropped, ...]


def edit(contacts: Sequence[Contact], t: Array, landmarks: npt.NDArray[Any], wall: Wall) -> Beta:
    """The climber's contacts as stays, without re-grips, taps and fidgets.

    Args:
        contacts: of the climber.
        t: ``(frames,)`` seconds of the video of ``landmarks``.
        landmarks: ``(frames, 33, 3)`` wall metres of the fitted body, which say where the tips are.
        wall: to place contacts during which the body was not seen.
    """
    return without_detours(as_stays(contacts, t, landmarks, wall))


def without_detours(stays: list[list[Stay]]) -> Beta:
    """Stays, by limb in order of time, without re-grips, taps and fidgets."""
    stays = [_unbroken(of_limb) for of_limb in stays]
    dropped: list[Dropped] = []
    while found := _first_drop(stays):
        stays, drop = found
        dropped.append(drop)
    return Beta(tuple(tuple(of_limb) for of_limb in stays), tuple(sorted(dropped, key=lambda drop: drop.start)))


def as_stays(contacts: Sequence[Contact], t: Array, landmarks: npt.NDArray[Any], wall: Wall) -> list[list[Stay]]:
    """Every contact as a stay, by limb in order of time; contacts of one limb that overlap are cut short."""
    places = tips(torch.as_tensor(landmarks)).numpy()
    stays: list[list[Stay]] = [[] for _ in LIMBS]
    for contact in sorted(contacts, key=lambda contact: (contact.start, contact.end)):
        limb = LIMBS.index(contact.limb)
        during = (t >= contact.start) & (t <= contact.end)
        seen = places[during, limb]
        point = np.median(seen, axis=0) if len(seen) else wall.on_surface(np.array(contact.point))
        before = stays[limb]
        if before and before[-1].end > contact.start:
            before[-1] = replace(before[-1], end=contact.start)
        before.append(
            Stay(
                limb,
                contact.hold_id,
                contact.start,
                contact.end,
                point,
                contact.end - contact.start,
                contact.confidence,
            )
        )
    return [[stay for stay in of_limb if stay.end > stay.start] for of_limb in stays]


def climb_span(beta: Beta, t: Array) -> tuple[float, float] | None:
    """When the climb begins and ends: with as many limbs on as ever, at most three, and a hand among them."""
    stays = [stay for of_limb in beta.stays for stay in of_limb]
    moments = sorted({float(np.clip(moment, t[0], t[-1])) for stay in stays for moment in (stay.start, stay.end)})

    def on(moment: float) -> list[int]:
        return [stay.limb for stay in stays if stay.start <= moment <= stay.end]

    most = min(3, max(len(on(moment)) for moment in moments))
    steady = [moment for moment in moments if len(on(moment)) >= most and any(limb in HANDS for limb in on(moment))]
    if most < 2 or not steady:
        return None
    start, end = steady[0], steady[-1]
    arrivals = [stay for of_limb in beta.stays for stay in of_limb if start < stay.start <= end]
    if arrivals:
        before = [
            max((other.end for other in beta.stays[stay.limb] if other.end <= stay.start), default=stay.start)
            for stay in arrivals
        ]
        start = max(start, min(before) - _LEAD_SECONDS)
        end = min(end, max(stay.start for stay in arrivals) + _LEAD_SECONDS)
    return start, end


def _first_drop(stays: list[list[Stay]]) -> tuple[list[list[Stay]], Dropped] | None:
    for limb, of_limb in enumerate(stays):
        for index, (stay, following) in enumerate(pairwise(of_limb)):
            away = following.start - stay.end
            if same_place(stay, following) and away <= _REGRIP_SECONDS and not _progress(stays, stay, following):
                joined = [*of_limb[:index], _joined(stay, following), *of_limb[index + 2 :]]
                drop = Dropped("regrip", limb, stay.hold_id, stay.end, following.start)
                return _with(stays, limb, joined), drop
        for index in range(len(of_limb) - 2):
            stay, touched, following = of_limb[index : index + 3]
            if touched.end - touched.start >= _TOUCH_SECONDS or _progress(stays, stay, following):
                continue
            if same_place(stay, following) and following.start - stay.end <= _REGRIP_SECONDS:
                joined = [*of_limb[:index], _joined(stay, following), *of_limb[index + 3 :]]
                return _with(stays, limb, joined), Dropped("tap", limb, touched.hold_id, stay.end, following.start)
            if limb in FEET:
                shorter = [*of_limb[: index + 1], *of_limb[index + 2 :]]
                # where it was going is one step now, which begins when its last part began
                shorter[index] = replace(stay, end=touched.end)
                drop = Dropped("fidget", limb, touched.hold_id, stay.end, touched.end)
                return _with(stays, limb, shorter), drop
    return None


def _unbroken(stays: list[Stay]) -> list[Stay]:
    """A limb that is back at once never left; of what no hold is known of, it takes a while to be sure."""
    whole: list[Stay] = []
    for stay in stays:
        known = whole and whole[-1].hold_id is not None and stay.hold_id is not None
        if whole and same_place(whole[-1], stay) and stay.start - whole[-1].end < (ABOUT if known else _UNSURE_SECONDS):
            whole[-1] = _joined(whole[-1], stay)
        else:
            whole.append(stay)
    return whole


def _with(stays: list[list[Stay]], limb: int, changed: list[Stay]) -> list[list[Stay]]:
    return [*stays[:limb], changed, *stays[limb + 1 :]]


def same_place(one: Stay, other: Stay) -> bool:
    """Whether a limb that goes from one to the other goes nowhere; how far off the wall it is, a camera hardly sees."""
    if one.hold_id is not None and other.hold_id is not None:
        return one.hold_id == other.hold_id
    near = _SAME_PLACE_OF_FEET if one.limb in FEET else SAME_PLACE
    return bool(np.linalg.norm((one.point - other.point)[:2]) < near)


def _progress(stays: list[list[Stay]], stay: Stay, following: Stay) -> bool:
    """Whether another limb arrives at a place where it was not before between the end of one stay and the other."""
    for limb, of_limb in enumerate(stays):
        if limb == stay.limb:
            continue
        for before, after in pairwise(of_limb):
            if stay.end < after.start < following.start and not same_place(before, after):
                return True
    return False


def _joined(stay: Stay, following: Stay) -> Stay:
    weight = stay.weight + following.weight
    point = (stay.weight * stay.point + following.weight * following.point) / weight
    hold_id = stay.hold_id if stay.hold_id is not None else following.hold_id
    confidence = min(stay.confidence, following.confidence)
    return Stay(stay.limb, hold_id, stay.start, following.end, point, weight, confidence)
