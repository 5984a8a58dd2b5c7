"""From the climber's motion to the Ghost's: edit the beta, plan, pose, weigh, certify."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch

from ascension_vision.body.forces import accelerations
from ascension_vision.body.model import TIPS, BodyModel, tips
from ascension_vision.body.motion import BodyMotion
from ascension_vision.contacts.contact import LIMBS, Contact
from ascension_vision.ghost.beta import HANDS, Beta, as_stays, climb_span, edit
from ascension_vision.ghost.certificate import Evidence, certify
from ascension_vision.ghost.climbed import Climbed, climbed_between
from ascension_vision.ghost.cues import Scene, give_cues
from ascension_vision.ghost.ghost import Ghost, GhostContact, NoGhost
from ascension_vision.ghost.path import swing_arc
from ascension_vision.ghost.posing import Wishes, pose_clip
from ascension_vision.ghost.timeline import Timeline, lay_out
from ascension_vision.holds.hold import Hold
from ascension_vision.metrics.effort import effort
from ascension_vision.metrics.loads import hold_types, loads, loads_at
from ascension_vision.metrics.movement import jerk, least_jerk, path_length, steadied
from ascension_vision.metrics.reach import longest_reach
from ascension_vision.wall.wall import Wall

Array = npt.NDArray[np.float64]

# Frames a second of the Ghost. Between them a straight line is right to within 4 mm.
RATE = 15.0
_SHORTEST_SECONDS, _SMALLEST_SHARE_SEEN = 1.5, 0.6
# The centre of gravity passes the climber's own place in the middle of each move this nearly, metres, and is about
# there all the time; jerk beyond this, m/s³, is avoided.
_AT_MOVES, _AT_ENDS, _ANYWHERE, _JERK = 0.03, 0.05, 0.4, 2.0
# Off the wall in the middle of a swing: metres, and per metre of the way.
_LIFT, _LIFT_PER_METRE = 0.05, 0.06
# The trunk's own posture is the climber's without what is quicker than this: radians, and rad/s³ as no surprise.
_OWN_TRUNK, _OWN_TRUNK_JERK = 0.15, 5.0
# How the load's change with the centre of gravity's place is found, and how far that may move it, metres.
_PROBE, _LIGHTEN, _RESCUE = 0.02, 0.01, 0.12
_ROUNDS, _STEPS = 3, 12


def find_ghost(
    motion: BodyMotion | None,
    contacts: Sequence[Contact] | None,
    holds: Sequence[Hold] | None,
    wall: Wall | None,
) -> Ghost | NoGhost:
    """The same body on the same holds, moving better; or why there is none.

    Takes about a second of CPU time for half a minute of climbing, and runs on the device of the motion's body model.
    """
    if wall is None:
        return NoGhost("The wall was not found in the picture.")
    if motion is None or len(motion.t) < 5 or motion.t[-1] - motion.t[0] < _SHORTEST_SECONDS:
        return NoGhost("The climber is seen too briefly.")
    if not contacts:
        return NoGhost("No hand or foot was seen on a hold.")
    beta = edit(contacts, motion.t, motion.landmarks, wall)
    span = climb_span(beta, motion.t)
    if span is None:
        return NoGhost("At no time are a hand and another limb seen on holds.")
    start, end = span
    if end - start < _SHORTEST_SECONDS:
        return NoGhost("The climb is too short.")
    if _share_seen(motion.t, start, end) < _SMALLEST_SHARE_SEEN:
        return NoGhost("The climber is hidden for too much of the climb.")
    timeline = lay_out(beta, start, end, RATE)
    if timeline is None:
        return NoGhost("No hand or foot was seen on a hold.")
    types = hold_types(holds)
    climbed = climbed_between(motion, contacts, types, wall, start, end)
    pose = _pose(motion, timeline, types, wall)
    return _present(motion.model, pose, timeline, climbed, contacts, beta, types, wall)


def _share_seen(t: Array, start: float, end: float) -> float:
    inside = t[(t >= start) & (t <= end)]
    gaps = np.diff(np.concatenate([[start], inside, [end]]))
    return float(1 - gaps[gaps > 0.3].sum() / (end - start))


def _at(times: Array, t: Array, values: Array) -> Array:
    return np.stack([np.interp(times, t, column) for column in values.T], axis=1)


# --- planning ---------------------------------------------------------------------------------------------------------


def _pose(motion: BodyMotion, timeline: Timeline, types: Mapping[int, str], wall: Wall) -> torch.Tensor:
    """``(n, degrees of freedom)``: plan the centre of gravity's path, pose the body, see what it carries, and again."""
    model: BodyModel = motion.model
    own = _own_posture(motion, timeline)
    gravity = _at(timeline.climber_t, motion.t, motion.gravity_centre)
    wishes = Wishes(
        own=model.tensor(own), points=model.tensor(_tip_places(timeline)),
        on=torch.as_tensor(timeline.on, device=model.device), across=model.tensor(_across(motion, timeline)),
        gravity=model.tensor(_path(timeline, gravity)), rate=RATE,
    )  # fmt: skip
    pose = pose_clip(model, wishes, wishes.own, _STEPS)
    aside = np.zeros_like(gravity)
    for _ in range(_ROUNDS - 1):
        aside = aside + _lighter(model, pose, timeline, types, wall)
        wishes = replace(wishes, gravity=model.tensor(_path(timeline, gravity + aside)))
        pose = pose_clip(model, wishes, pose, _STEPS // 2)
    return pose


def _own_posture(motion: BodyMotion, timeline: Timeline) -> Array:
    """The climber's posture at the same point of the same move, the trunk without its swaying."""
    own = _at(timeline.climber_t, motion.t, motion.pose)
    deviation = np.full(len(own), _OWN_TRUNK)
    trunk = slice(3, 12)  # pelvis, spine and neck
    own[:, trunk] = least_jerk(own[:, trunk], deviation, RATE, _OWN_TRUNK_JERK)
    return own


def _path(timeline: Timeline, gravity: Array) -> Array:
    """Least jerk past where the climber's centre of gravity is in the middle of each move."""
    wanted, deviation = gravity.copy(), np.full(len(gravity), _ANYWHERE)
    for swing in timeline.swings:
        middle = (swing.lift + swing.land) // 2
        wanted[middle] = np.median(gravity[swing.lift : swing.land + 1], axis=0)
        deviation[middle] = _AT_MOVES
    deviation[[0, -1]] = _AT_ENDS
    return least_jerk(wanted, deviation, RATE, _JERK)


def _tip_places(timeline: Timeline) -> Array:
    """``(n, 4, 3)``: on the holds and, between them, on arcs off the wall; NaN where a limb is free."""
    points = timeline.points.copy()
    for swing in timeline.swings:
        if swing.origin is not None:
            origin, target = swing.origin.point, swing.target.point
            lift = _LIFT + _LIFT_PER_METRE * float(np.linalg.norm(target - origin))
            arc = swing_arc(origin, target, swing.land - swing.lift + 1, lift)
            points[swing.lift : swing.land + 1, swing.limb] = arc
    return points


def _across(motion: BodyMotion, timeline: Timeline) -> Array:
    """``(n, 2, 3)`` from little-finger to index knuckle while a hand holds on: the climber's mean in that contact."""
    across = np.full((len(timeline.t), len(HANDS), 3), np.nan)
    for contact in timeline.contacts:
        hand = LIMBS.index(contact.limb)
        if hand not in HANDS:
            continue
        little, index = TIPS[hand][0], TIPS[hand][-1]
        seen = motion.landmarks[:, index] - motion.landmarks[:, little]
        held = (timeline.t >= contact.start - 1e-6) & (timeline.t <= contact.end + 1e-6)
        own = timeline.climber_t[held]
        during = (motion.t >= own[0]) & (motion.t <= own[-1])
        mean = seen[during].mean(axis=0) if during.any() else _at(own[:1], motion.t, seen)[0]
        across[held, hand] = mean / np.linalg.norm(mean) * np.linalg.norm(seen[0])
    return across


def _lighter(
    model: BodyModel, pose: torch.Tensor, timeline: Timeline, types: Mapping[int, str], wall: Wall
) -> Array:  # fmt: skip
    """``(n, 3)`` metres by which the centre of gravity should move so that the limbs carry less, and can at all."""
    places = model.landmarks(pose)
    points, gravity = tips(places), model.gravity_centre(pose).cpu().numpy()
    acceleration = accelerations(timeline.t, gravity)

    def strain(offset: Array) -> tuple[Array, Array]:
        found = loads_at(timeline.t, points, gravity + offset, acceleration, timeline.contacts, types, wall)
        return found.strain, found.imbalance

    _, lacking = strain(np.zeros(3))
    slope, rescue = np.zeros_like(gravity), np.zeros_like(gravity)
    for axis in range(3):
        (up, lacking_up), (down, lacking_down) = (strain(sign * _PROBE * np.eye(3)[axis]) for sign in (1, -1))
        slope[:, axis] = (up - down) / (2 * _PROBE)
        rescue[:, axis] = (lacking_up - lacking_down) / (2 * _PROBE)
    held = (lacking < 0.01)[:, None]
    # A tenth of the strain a metre is worth moving for; beyond balance, as far as balance needs.
    ease = -np.where(held, slope, 0.0)
    ease *= _LIGHTEN / np.maximum(np.linalg.norm(ease, axis=1, keepdims=True), 1.0)
    steep = np.maximum(np.square(rescue).sum(axis=1, keepdims=True), 0.05)
    needed = -1.5 * lacking[:, None] * rescue / steep
    needed *= np.minimum(1, _RESCUE / np.maximum(np.linalg.norm(needed, axis=1, keepdims=True), 1e-9))
    return np.asarray(ease + np.where(held, 0.0, needed))


# --- presenting -------------------------------------------------------------------------------------------------------


def _present(
    model: BodyModel, pose: torch.Tensor, timeline: Timeline, climbed: Climbed, contacts: Sequence[Contact],
    beta: Beta, types: Mapping[int, str], wall: Wall,
) -> Ghost:  # fmt: skip
    landmarks = model.landmarks(pose).cpu().numpy()
    gravity = model.gravity_centre(pose).cpu().numpy()
    carried = loads(timeline.t, landmarks, gravity, timeline.contacts, types, wall)
    cost = effort(timeline.t, gravity, carried.strain, carried.held, model.lengths.height)
    reach = longest_reach(_as_held(contacts, climbed, wall))
    evidence = Evidence(
        t=timeline.t, landmarks=landmarks, contacts=timeline.contacts,
        violation_deg=np.degrees(model.limit_violation(pose).amax(dim=1).cpu().numpy()),
        imbalance=carried.imbalance, reach_cm=None if reach is None else 100 * reach[0],
    )  # fmt: skip
    change = {
        "jerk": _change(_rms_jerk(timeline.t, gravity), _rms_jerk(climbed.t, climbed.gravity_centre)),
        "hand_load": _change(_mean(carried.hands), _mean(climbed.loads.hands)),
        "path": _change(_length(timeline.t, gravity), _length(climbed.t, climbed.gravity_centre)),
        "duration": _change(float(timeline.t[-1]), float(climbed.t[-1] - climbed.t[0])),
    }
    scene = Scene(model, climbed, contacts, beta, timeline, gravity, types, wall)
    return Ghost(
        t=timeline.t, climber_t=timeline.climber_t, landmarks=landmarks, loads=carried.share,
        contacts=timeline.contacts, certificate=certify(evidence, change),
        cues=give_cues(scene), gravity_centre=gravity, effort=cost, climber_effort=climbed.effort,
    )  # fmt: skip


def _as_held(contacts: Sequence[Contact], climbed: Climbed, wall: Wall) -> list[GhostContact]:
    """The climber's contacts in metres, of which any part is in the climb."""
    stays = as_stays(contacts, climbed.t, climbed.landmarks, wall)
    return [
        GhostContact(LIMBS[stay.limb], stay.hold_id, stay.start, stay.end, (float(x), float(y), float(z)))
        for of_limb in stays
        for stay in of_limb
        for x, y, z in [stay.point]
        if stay.end > climbed.t[0] and stay.start < climbed.t[-1]
    ]


def _rms_jerk(t: Array, path: Array) -> float:
    return float(np.sqrt(np.square(jerk(*steadied(t, path))).sum(axis=1).mean()))


def _length(t: Array, path: Array) -> float:
    return path_length(steadied(t, path)[1])


def _mean(values: Array) -> float | None:
    return float(np.nanmean(values)) if np.isfinite(values).any() else None


def _change(new: float | None, old: float | None) -> float | None:
    return None if new is None or not old else new / old - 1
