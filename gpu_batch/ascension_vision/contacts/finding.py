"""Which limb was on which hold, from when to when.

For every limb the most likely sequence of "on this hold", "still, but on no hold" and "in the air" is found over the
whole clip (Viterbi 1967), from how fast the limb's end moves and how far it is from each hold's outline. Coming and
going cost something, which is a hysteresis in time as well as in distance. What is hidden says nothing.
"""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ascension_vision.body.posture import phases
from ascension_vision.camera.track import CameraTrack
from ascension_vision.contacts import nearness
from ascension_vision.contacts.contact import DEMANDED, LIMBS, Contact
from ascension_vision.contacts.nearness import FAR
from ascension_vision.contacts.stay import Stay
from ascension_vision.contacts.support import demanded
from ascension_vision.contacts.tips import HIDDEN, Tips, limb_tips
from ascension_vision.holds.hold import Hold
from ascension_vision.pose.following import Poses

Array = npt.NDArray[np.float64]

# How much more likely a limb at rest shows this speed (torso lengths a second) than one that moves, as a logarithm.
_SPEEDS, _SPEED_EVIDENCE = (0.0, 0.15, 0.4, 0.8, 1.5, 2.5), (1.2, 1.0, 0.0, -1.2, -2.5, -3.0)
# The same for the distance from a hold's outline (torso lengths): hands are placed better than feet.
_DISTANCES = {"hand": (0.0, 0.08, 0.18, 0.35, 0.6), "foot": (0.0, 0.13, 0.32, 0.55, 0.85)}
_DISTANCE_EVIDENCE = (1.0, 0.6, -0.3, -2.0, -4.0)
_NO_HOLD = -0.9
# What speaks against a volume, on which another hold may sit, and against holds of another colour than the route's.
_VOLUME, _OFF_ROUTE = -0.5, -0.8
_ROUTE_SHARE, _ROUTE_HOLDS = 0.7, 5
# Over this time all that is wrong with a landmark stays the same: its frames together say as much as one.
_INDEPENDENT_SECONDS = 0.12
_COMING, _GOING, _CHANGING = 2.5, 2.5, 2.0
# Seconds and torso lengths: a limb that is back on its hold so soon, and was not seen farther away, never left it.
_LONGEST_GAP, _AWAY = 2.5, 0.4
_HIDDEN_AIR = 0.15
# From which chance on a place counts fully, and below which not at all.
_SEEN = (0.5, 0.8)

_MIN_SECONDS, _MIN_SECONDS_NO_HOLD = 0.2, 0.5
# What is left of the confidence by the distance from the hold, and where there is none.
_AWAY_CONFIDENCE = ((0.1, 0.4), (1.0, 0.6))
_BARE = 0.7


def find_contacts(poses: Poses, track: CameraTrack, holds: list[Hold]) -> list[Contact]:
    """Contacts in order of time while the climber climbs.

    Args:
        poses: cleaned, with ``visibility`` as ``body.trust`` makes it.
        holds: with outlines in reference pixels.
    """
    tips = limb_tips(poses, track)
    if tips is None:
        return []
    distances = nearness.distances(tips, holds)
    leaning = np.array([_VOLUME if hold.kind == "volume" else 0.0 for hold in holds])
    stays = _all_stays(tips, distances, leaning)
    stays = _all_stays(tips, distances, leaning + _route(tips, holds, stays))
    stays += demanded(tips, distances, stays)
    contacts = [_contact(tips, distances, holds, stay) for stay in stays]
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


def _all_stays(tips: Tips, distances: Array, leaning: Array) -> list[Stay]:
    return [stay for limb in range(4) for stay in _joined(tips, _stays(tips, distances, leaning, limb))]


def _joined(tips: Tips, stays: list[Stay]) -> list[Stay]:
    """Two stays of a limb on one hold are one where, as far as it is seen, it never went away between them."""
    joined: list[Stay] = []
    for stay in stays:
        last = joined[-1] if joined else None
        if last is not None and last.hold == stay.hold and _stayed(tips, last, stay):
            joined[-1] = Stay(stay.limb, stay.hold, last.start, stay.stop)
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
    seen = tips.seen[between, before.limb] > HIDDEN
    away = np.linalg.norm(tips.place[between, before.limb] - np.median(ends, axis=0), axis=1) / tips.torso
    return not (seen & (away > _AWAY)).any()


def _stays(tips: Tips, distances: Array, leaning: Array, limb: int) -> list[Stay]:
    kind = LIMBS[limb].split("_")[1]
    # Only holds that the limb ever comes near.
    near = np.flatnonzero(distances[:, limb].min(axis=0, initial=FAR) < _DISTANCES[kind][3])
    still = np.interp(tips.speed[:, limb], _SPEEDS, _SPEED_EVIDENCE)
    evidence = np.zeros((len(tips.t), len(near) + 2))
    for state, h in enumerate(near):
        nearness = np.interp(distances[:, limb, h], _DISTANCES[kind], _DISTANCE_EVIDENCE)
        evidence[:, state] = still + nearness + leaning[h]
    evidence[:, -2] = still + _NO_HOLD
    weight = np.interp(tips.seen[:, limb], _SEEN, (0.0, 1.0))
    evidence *= weight[:, None]
    # A limb that is hidden for long is not held to be where it was last seen.
    evidence[:, -1] += (1 - weight) * _HIDDEN_AIR
    found: list[Stay] = []
    for run in tips.runs():
        share = np.gradient(tips.t[run]) / _INDEPENDENT_SECONDS
        states = _most_likely(evidence[run] * share[:, None])
        edges = np.flatnonzero(np.diff(np.concatenate([[-9], states, [-9]])))
        for start, stop in pairwise(edges):
            state = int(states[start])
            if state == len(near) + 1:
                continue
            hold = int(near[state]) if state < len(near) else -1
            seconds = tips.t[run][stop - 1] - tips.t[run][start]
            if seconds >= (_MIN_SECONDS if hold >= 0 else _MIN_SECONDS_NO_HOLD):
                found.append(Stay(limb, hold, run.start + int(start), run.start + int(stop)))
    return found


def _most_likely(evidence: Array) -> npt.NDArray[np.intp]:
    """``(frames,)`` the best sequence of ``(frames, states)``; the last state is the air."""
    frames, states = evidence.shape
    air = states - 1
    came_from = np.zeros((frames, states), dtype=np.intp)
    best = evidence[0].copy()
    stay = np.arange(states)
    for frame in range(1, frames):
        leave = int(best[:air].argmax()) if air else air
        into = best[air] - _COMING
        change = best[leave] - _GOING - _COMING - _CHANGING
        source = stay.copy()
        value = best.copy()
        landed = value[:air] < max(into, change)
        source[:air][landed] = air if into >= change else leave
        value[:air][landed] = max(into, change)
        if best[leave] - _GOING > value[air]:
            source[air], value[air] = leave, best[leave] - _GOING
        came_from[frame] = source
        best = value + evidence[frame]
    path = np.zeros(frames, dtype=np.intp)
    path[-1] = int(best.argmax())
    for frame in range(frames - 1, 0, -1):
        path[frame - 1] = came_from[frame, path[frame]]
    return path


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
