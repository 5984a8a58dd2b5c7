"""Which limb was on which hold, from when to when.

For every limb the most likely sequence of "on this hold", "still, but on no hold" and "in the air" is found over the
whole clip (Viterbi 1967), from how fast the limb's end moves and how far it is from each hold's outline. Coming and
going cost something, which is a hysteresis in time as well as in distance. What is hidden says nothing.
"""

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from ascension_vision.body.posture import phases
from ascension_vision.camera.track import CameraTrack
from ascension_vision.contacts.contact import LIMBS, Contact
from ascension_vision.contacts.tips import Tips, limb_tips
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
_VOLUME, _OFF_ROUTE, _ROUTE_SHARE = -0.5, -0.8, 0.6
_FAR = 1.0
# Over this time all that is wrong with a landmark stays the same: its frames together say as much as one.
_INDEPENDENT_SECONDS = 0.12
_COMING, _GOING, _CHANGING = 2.5, 2.5, 2.0
_HIDDEN = 0.4
# Seconds and torso lengths: a limb that is back on its hold so soon, and was not seen farther away, never left it.
_LONGEST_GAP, _AWAY = 2.5, 0.4
_HIDDEN_AIR = 0.15
# From which chance on a place counts fully, and below which not at all.
_SEEN = (0.5, 0.8)

# Torso lengths from its place at which a limb is surely under way; how long a reach takes from there to rest, at most;
# and how much of a stay says where that place is.
_LEFT, _SLOWEST_SECONDS, _SETTLE_SECONDS, _PLACE_FRAMES = 0.15, 0.3, 0.4, 8
# Farther from where the sequence changes is another reach.
_EDGE_SECONDS = 0.45

_MIN_SECONDS, _MIN_SECONDS_NO_HOLD = 0.2, 0.5


@dataclass(frozen=True)
class _Stay:
    """Frames ``start`` to ``stop`` (exclusive) of one limb; ``hold`` its position in the list, -1 for no hold."""

    limb: int
    hold: int
    start: int
    stop: int


def find_contacts(poses: Poses, track: CameraTrack, holds: list[Hold]) -> list[Contact]:
    """Contacts in order of time while the climber climbs.

    Args:
        poses: cleaned, with ``visibility`` as ``body.trust`` makes it.
        holds: with outlines in reference pixels.
    """
    tips = limb_tips(poses, track)
    if tips is None:
        return []
    distances = _distances(tips, holds)
    leaning = np.array([_VOLUME if hold.kind == "volume" else 0.0 for hold in holds])
    stays = _all_stays(tips, distances, leaning)
    stays = _all_stays(tips, distances, leaning + _route(tips, holds, stays))
    contacts = [_contact(tips, holds, stay) for stay in stays]
    before, climbing, _ = phases(poses.t, poses.points)
    first, last = poses.t[before], poses.t[before + climbing - 1]
    kept = [contact for contact in contacts if contact.end > first + _MIN_SECONDS and contact.start < last]
    return sorted(kept, key=lambda contact: (contact.start, LIMBS.index(contact.limb)))


def _distances(tips: Tips, holds: list[Hold]) -> Array:
    """``(frames, 4, holds)`` torso lengths from each tip to each outline, 0 within it; at most ``_FAR``."""
    result = np.full((len(tips.t), 4, len(holds)), _FAR)
    for h, hold in enumerate(holds):
        outline = hold.outline.astype(np.float32)
        low, high = outline.min(axis=0) - _FAR * tips.torso, outline.max(axis=0) + _FAR * tips.torso
        near = ((tips.place > low) & (tips.place < high)).all(axis=2)
        for frame, limb in np.argwhere(near):
            x, y = tips.place[frame, limb]
            outside = -cv2.pointPolygonTest(outline, (float(x), float(y)), True) / tips.torso
            result[frame, limb, h] = min(max(0.0, outside), _FAR)
    return result


def _route(tips: Tips, holds: list[Hold], stays: list[_Stay]) -> Array:
    """``(holds,)`` what speaks for each hold because it belongs to the route that is climbed, if there is one: to the
    colour on which limbs are for most of the time."""
    seconds: dict[str, float] = {}
    for stay in stays:
        color = holds[stay.hold].color if stay.hold >= 0 else None
        if color is not None and holds[stay.hold].kind == "hold":
            seconds[color] = seconds.get(color, 0.0) + tips.t[stay.stop - 1] - tips.t[stay.start]
    route = max(seconds, key=lambda color: seconds[color], default=None)
    if route is None or seconds[route] < _ROUTE_SHARE * sum(seconds.values()):
        return np.zeros(len(holds))
    return np.array([_OFF_ROUTE if hold.kind == "hold" and hold.color != route else 0.0 for hold in holds])


def _all_stays(tips: Tips, distances: Array, leaning: Array) -> list[_Stay]:
    return [stay for limb in range(4) for stay in _joined(tips, _stays(tips, distances, leaning, limb))]


def _joined(tips: Tips, stays: list[_Stay]) -> list[_Stay]:
    """Two stays of a limb on one hold are one where, as far as it is seen, it never went away between them."""
    joined: list[_Stay] = []
    for stay in stays:
        last = joined[-1] if joined else None
        if last is not None and last.hold == stay.hold and _stayed(tips, last, stay):
            joined[-1] = _Stay(stay.limb, stay.hold, last.start, stay.stop)
        else:
            joined.append(stay)
    return joined


def _stayed(tips: Tips, before: _Stay, after: _Stay) -> bool:
    between = slice(before.stop, after.start)
    if tips.t[after.start] - tips.t[before.stop - 1] > _LONGEST_GAP:
        return False
    ends = np.concatenate(
        [tips.place[before.start : before.stop, before.limb], tips.place[after.start : after.stop, before.limb]]
    )
    seen = tips.seen[between, before.limb] > _HIDDEN
    away = np.linalg.norm(tips.place[between, before.limb] - np.median(ends, axis=0), axis=1) / tips.torso
    return not (seen & (away > _AWAY)).any()


def _stays(tips: Tips, distances: Array, leaning: Array, limb: int) -> list[_Stay]:
    kind = LIMBS[limb].split("_")[1]
    # Only holds that the limb ever comes near.
    near = np.flatnonzero(distances[:, limb].min(axis=0, initial=_FAR) < _DISTANCES[kind][3])
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
    found: list[_Stay] = []
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
                found.append(_Stay(limb, hold, run.start + int(start), run.start + int(stop)))
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


def _contact(tips: Tips, holds: list[Hold], stay: _Stay) -> Contact:
    frames = slice(stay.start, stay.stop)
    place, weight = tips.place[frames, stay.limb], tips.seen[frames, stay.limb]
    x, y = np.median(place, axis=0)
    start, end = float(tips.t[stay.start]), float(tips.t[stay.stop - 1])
    exact = _edge(tips, stay, -1), _edge(tips, stay, 1)
    start = exact[0] if abs(exact[0] - start) < _EDGE_SECONDS else start
    end = exact[1] if start < exact[1] and abs(exact[1] - end) < _EDGE_SECONDS else end
    return Contact(
        LIMBS[stay.limb], holds[stay.hold].id if stay.hold >= 0 else None, start, end,
        round(float(weight.mean()), 3), (float(x), float(y)),
    )  # fmt: skip


def _edge(tips: Tips, stay: _Stay, way: int) -> float:
    """When the limb comes to rest (``way`` -1) or sets off (1), seconds.

    The end of a reach is too slow to be told from noise. But a reach of least jerk (Flash and Hogan 1985) ends as the
    cube of the time that is left: from its distance and speed where both are still large follows when it is over.
    """
    run = next(run for run in tips.runs() if run.start <= stay.start < run.stop)
    inner = min(int(np.searchsorted(tips.t[stay.start : stay.stop] - tips.t[stay.start], _SETTLE_SECONDS)),
                (stay.stop - stay.start) // 2)  # fmt: skip
    k = stay.start + inner if way < 0 else stay.stop - 1 - inner
    near = np.arange(k, k - way * _PLACE_FRAMES, -way)
    near = near[(near >= stay.start) & (near < stay.stop)]
    rest = np.median(tips.place[near, stay.limb], axis=0)
    away = np.linalg.norm(tips.place[run, stay.limb] - rest, axis=1) / tips.torso
    k -= run.start
    while 0 < k < len(away) - 1 and away[k] < _LEFT:
        k += way
    t, speed = tips.t[run], tips.speed[run, stay.limb]
    if away[k] < _LEFT or not 0 <= k - way < len(away):
        return float(t[k])
    step = (away[k] - _LEFT) / max(away[k] - away[k - way], 1e-9)
    crossed = t[k] + (t[k - way] - t[k]) * min(step, 1.0)
    fast = max(speed[k], speed[k - way], 1e-6)
    return float(crossed - way * min(_SLOWEST_SECONDS, 3 * _LEFT / fast))
