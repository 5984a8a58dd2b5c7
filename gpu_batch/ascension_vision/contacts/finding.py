"""Which limb was on which hold, from when to when.

Every limb's way over the clip is cut into rests (``rests``), each on the hold that its place tells (``touch``), once
what is off in the same way all over the clip is taken off the places (``bias``). Whoever climbs a route of one colour
is taken to keep to it.
"""

import numpy as np
import numpy.typing as npt

from ascension_vision.body.posture import phases
from ascension_vision.camera.track import CameraTrack
from ascension_vision.contacts import nearness
from ascension_vision.contacts.bias import without_bias
from ascension_vision.contacts.contact import DEMANDED, LIMBS, Contact
from ascension_vision.contacts.flight import with_flights
from ascension_vision.contacts.rests import SEEN, Rest, find_rests
from ascension_vision.contacts.stay import Stay
from ascension_vision.contacts.support import demanded
from ascension_vision.contacts.tips import Tips, limb_tips
from ascension_vision.contacts.touch import Touch
from ascension_vision.holds.hold import Hold
from ascension_vision.pose.following import Poses
from ascension_vision.wall.wall import Wall

Array = npt.NDArray[np.float64]

# What speaks against a volume, on which another hold may sit, and against holds of another colour than the route's.
_VOLUME, _OFF_ROUTE = -0.5, -2.0
_ROUTE_SHARE, _ROUTE_HOLDS = 0.7, 5
# Seconds and torso lengths: a limb that is back on its hold so soon, and was not surely seen farther away, was there.
_LONGEST_GAP, _AWAY = 2.5, 0.4
# Torso lengths by which the toes of a foot move that turns about its heel, and seconds.
_TURN, _TURN_SECONDS = 0.3, 0.8
_MIN_SECONDS, _MIN_SECONDS_NO_HOLD = 0.2, 0.5
# What is left of the confidence by the distance from the hold, and where there is none.
_AWAY_CONFIDENCE = ((0.1, 0.4), (1.0, 0.6))
_BARE = 0.7


def find_contacts(poses: Poses, track: CameraTrack, holds: list[Hold], wall: Wall | None = None) -> list[Contact]:
    """Contacts in order of time while the climber climbs.

    Args:
        poses: cleaned, with ``visibility`` as ``body.trust`` makes it.
        holds: with outlines in reference pixels.
        wall: tells by how much limbs are seen beside their holds, see ``bias``, and how a body falls, see ``flight``.
    """
    tips = limb_tips(poses, track)
    if tips is None:
        return []
    leaning = np.array([_VOLUME if hold.kind == "volume" else 0.0 for hold in holds])
    tips = without_bias(tips, holds, leaning, wall)
    stays = _stays(tips, holds, leaning)
    route = _route(tips, holds, stays)
    if route.any():
        stays = _stays(tips, holds, leaning + route)
    distances = nearness.distances(tips, holds)
    stays += demanded(tips, distances, stays)
    contacts = [_contact(tips, distances, holds, stay) for stay in stays]
    if wall is not None:
        contacts = with_flights(contacts, tips, wall)
    before, climbing, _ = phases(poses.t, poses.points)
    first, last = poses.t[before], poses.t[before + climbing - 1]
    kept = [contact for contact in contacts if contact.end > first + _MIN_SECONDS and contact.start < last]
    return sorted(kept, key=lambda contact: (contact.start, LIMBS.index(contact.limb)))


def _route(tips: Tips, holds: list[Hold], stays: list[Stay]) -> Array:
    """``(holds,)`` what speaks for each hold because it belongs to the route that is climbed, if there is one: to the
    colour on which limbs are for most of the time."""
    seconds: dict[str, float] = {}
    used: dict[str, set[int]] = {}
    for stay in stays:
        color = holds[stay.hold].color if stay.hold >= 0 else None
        if color is not None and holds[stay.hold].kind == "hold":
            seconds[color] = seconds.get(color, 0.0) + tips.t[stay.stop - 1] - tips.t[stay.start]
            used.setdefault(color, set()).add(stay.hold)
    route = max(seconds, key=lambda color: seconds[color], default=None)
    if route is None or len(used[route]) < _ROUTE_HOLDS or seconds[route] < _ROUTE_SHARE * sum(seconds.values()):
        return np.zeros(len(holds))
    return np.array([_OFF_ROUTE if hold.kind == "hold" and hold.color != route else 0.0 for hold in holds])


def _stays(tips: Tips, holds: list[Hold], leaning: Array) -> list[Stay]:
    found: list[Stay] = []
    for limb in range(4):
        rests = find_rests(tips, limb, Touch(holds, limb, tips.place[:, limb], tips.torso, leaning))
        found += _joined(tips, [Stay(limb, rest.hold, rest.start, rest.stop) for rest in rests if _lasts(tips, rest)])
    return found


def _lasts(tips: Tips, rest: Rest) -> bool:
    least = _MIN_SECONDS if rest.hold >= 0 else _MIN_SECONDS_NO_HOLD
    return bool(tips.t[rest.stop - 1] - tips.t[rest.start] >= least)


def _joined(tips: Tips, stays: list[Stay]) -> list[Stay]:
    """Two stays of a limb on one hold are one where, as far as it is seen, it never went away between them; and of a
    hooking foot on two holds, for it turns about its heel, and its toes go from one hold to the next."""
    joined: list[Stay] = []
    for stay in stays:
        last = joined[-1] if joined else None
        if last is not None and last.hold == stay.hold and _stayed(tips, last, stay):
            joined[-1] = Stay(stay.limb, stay.hold, last.start, stay.stop)
        elif last is not None and _turned(tips, last, stay):
            longer = max(last, stay, key=lambda one: one.stop - one.start)
            joined[-1] = Stay(stay.limb, longer.hold, last.start, stay.stop)
        else:
            joined.append(stay)
    return joined


def _stayed(tips: Tips, before: Stay, after: Stay) -> bool:
    between = slice(before.stop, after.start)
    if tips.t[after.start] - tips.t[before.stop - 1] > _LONGEST_GAP:
        return False
    ends = np.concatenate(
        [tips.place[before.start : before.stop, before.limb], tips.place[after.start : after.stop, before.limb]]
    )
    seen = tips.seen[between, before.limb] > SEEN[1]
    away = np.linalg.norm(tips.place[between, before.limb] - np.median(ends, axis=0), axis=1) / tips.torso
    return not (seen & (away > _AWAY)).any()


def _turned(tips: Tips, before: Stay, after: Stay) -> bool:
    foot = after.limb - LIMBS.index("left_foot")
    if foot < 0 or min(before.hold, after.hold) < 0 or tips.t[after.start] - tips.t[before.stop - 1] > _TURN_SECONDS:
        return False
    stays = (slice(before.start, before.stop), slice(after.start, after.stop))
    if min(tips.hooking[frames, foot].mean() for frames in stays) < 0.5:
        return False
    places = [np.median(tips.place[frames, after.limb], axis=0) for frames in stays]
    between = slice(before.stop, after.start)
    away = np.min([np.linalg.norm(tips.place[between, after.limb] - place, axis=1) for place in places], axis=0)
    seen = tips.seen[between, after.limb] > SEEN[1]
    near = _TURN * tips.torso
    return bool(np.linalg.norm(places[0] - places[1]) < near and not (seen & (away > near)).any())


def _contact(tips: Tips, distances: Array, holds: list[Hold], stay: Stay) -> Contact:
    frames = slice(stay.start, stay.stop)
    x, y = np.median(tips.place[frames, stay.limb], axis=0)
    confidence = float(tips.seen[frames, stay.limb].mean())
    if stay.demanded:
        confidence = DEMANDED
    elif stay.hold < 0:
        confidence *= _BARE
    else:
        away = float(np.median(distances[frames, stay.limb, stay.hold]))
        confidence *= float(np.interp(away, *_AWAY_CONFIDENCE))
    start, end = stay.seconds(tips)
    hold = holds[stay.hold].id if stay.hold >= 0 else None
    return Contact(LIMBS[stay.limb], hold, start, end, round(confidence, 3), (float(x), float(y)))
