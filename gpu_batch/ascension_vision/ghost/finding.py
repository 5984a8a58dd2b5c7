"""From the climber's motion to the Ghost's: edit the beta, plan, pose, weigh, certify; and again in a better order."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt
import torch

from ascension_vision.body.forces import BALANCED, GRAVITY, accelerations
from ascension_vision.body.model import TIPS, BodyModel, tips
from ascension_vision.body.motion import BodyMotion
from ascension_vision.contacts.contact import LIMBS, Contact
from ascension_vision.ghost.balance import Balance, Room
from ascension_vision.ghost.beta import ABOUT, HANDS, Stay, as_stays, climb_span, edit
from ascension_vision.ghost.certificate import Evidence, certify
from ascension_vision.ghost.climbed import climbed_between
from ascension_vision.ghost.cues import give_cues
from ascension_vision.ghost.ghost import Ghost, GhostContact, NoGhost
from ascension_vision.ghost.order import better_earlier, told
from ascension_vision.ghost.path import course, load_case, swing_arc
from ascension_vision.ghost.posing import Wishes, pose_clip
from ascension_vision.ghost.timeline import Flight, Timeline, flights, lay_out
from ascension_vision.ghost.trial import Scene
from ascension_vision.holds.hold import Hold
from ascension_vision.metrics.effort import effort
from ascension_vision.metrics.loads import hold_types, many_loads
from ascension_vision.metrics.movement import jerk, least_jerk, path_length, steadied
from ascension_vision.metrics.reach import longest_reach
from ascension_vision.wall.wall import Wall

Array = npt.NDArray[np.float64]

# Frames a second of the Ghost. Between them a straight line is right to within 4 mm.
RATE = 15.0
_SHORTEST_SECONDS, _SMALLEST_SHARE_SEEN = 1.5, 0.6
# Where the climber's own contacts hold the body for less of the time, and what climbs on them moves no better than the
# climber, too many are missing.
_LEAST_HELD = 0.2
# Whoever goes so much farther than the climber, a share of the way, does not move better, but for the run-up to a jump.
_WILD = 0.5
# A climber's centre of gravity falls at this share of gravity in a jump, on average and as blurred as it is seen.
_FALLING = 0.1
# Where the body would fall it is asked to go farther by what it lacks, at most so far at once, metres. More than so
# many times what the certificate allows is much, as are so many degrees beyond a joint's limit, and where on average so
# much is lacking nothing will help. The body is not quite asked to use up what is allowed: it is safe up to this share.
# A tip is about on its hold when it is this near, metres.
_MORE, _MUCH, _HOPELESS, _SAFELY, _SLIP = 0.02, 5.0, 0.5, 0.7, 0.005
# On average so much is lacking where a body is held nowhere, and no haste helps.
_NOWHERE = 4.0
# A quicker path is worth its haste where less than this share of what was lacking is lacking still.
_WORTH = 0.5
# What each foot that goes earlier must save, as a share of what the Ghost's moves cost on average. Of Ghosts up to so
# many seconds long two other orders are tried, of longer ones one; and only these are planned twice where a gate fails.
_CLEARLY, _TWICE = 0.1, 20.0
# How near to its path the centre of gravity should be, metres: with so few limbs on, exactly.
_FEW, _NEARLY, _EXACTLY = 2, 0.01, 0.0007
# So many times as much jerk of the joints is no surprise where the body jumps, and so long before and after its path
# jerks by more than this, seconds and m/s³.
_QUICKER, _AROUND, _JOLT = 10.0, 0.2, 10.0
# So long before and after what is lacking, seconds, the body is asked to go farther.
_BESIDE = 0.4
# Off the wall in the middle of a swing: metres, and per metre of the way.
_LIFT, _LIFT_PER_METRE = 0.05, 0.06
# The trunk's own posture is the climber's without what is quicker than this: radians, and rad/s³ as no surprise.
_OWN_TRUNK, _OWN_TRUNK_JERK = 0.15, 5.0
# How the load's change with the centre of gravity's place is found, and how far that may move it at once, metres.
_PROBE, _LIGHTEN = 0.02, 0.01
# Rounds of weighing and posing: so many make the load less, more only help the balance. After so many without a gain by
# this factor the path is led nearer to where the body goes, and after so many nothing helps. Long climbs must be posed
# in fewer rounds: so many frames in all.
_ROUNDS, _MOST_ROUNDS, _STUCK, _PATIENCE, _BETTER = 2, 12, 2, 6, 0.9
_MOST_WORK = 3600
# Steps of posing with loose, firmer and firm pins: at first, when the path changed, and to follow it more nearly.
_STEPS, _FEW_STEPS, _FIRM_STEPS = (6, 4, 4), (3, 2, 3), (0, 0, 6)


def find_ghost(
    motion: BodyMotion | None,
    contacts: Sequence[Contact] | None,
    holds: Sequence[Hold] | None,
    wall: Wall | None,
) -> Ghost | NoGhost:
    """The same body on the same holds, moving better; or why there is none.

    Takes about four seconds of CPU time for half a minute of climbing, twice as many where another order of moves is
    tried, and runs on the device of the motion's body model.

    Args:
        contacts: all that hold the body up, see ``ghost.support``.
    """
    if wall is None:
        return NoGhost("The wall was not found in the picture.")
    if motion is None or len(motion.t) < 5 or motion.t[-1] - motion.t[0] < _SHORTEST_SECONDS:
        return NoGhost("The climber is seen too briefly.")
    if not contacts:
        return NoGhost("No hand or foot was seen on a hold.")
    types = hold_types(holds)
    beta = edit(contacts, motion.t, motion.landmarks, wall)
    span = climb_span(beta, motion.t)
    if span is None:
        return NoGhost("At no time are a hand and another limb seen on holds.")
    start, end = span
    if end - start < _SHORTEST_SECONDS:
        return NoGhost("The climb is too short.")
    if _share_seen(motion.t, start, end) < _SMALLEST_SHARE_SEEN:
        return NoGhost("The climber is hidden for too much of the climb.")
    climbed = climbed_between(motion, contacts, types, wall, start, end)
    ghost = None
    jumps = [flight for flight in flights(beta, start, end) if _falls(motion, flight, wall)]
    for patient, leaping in ((True, jumps), (True, [])) if jumps else ((True, []), (False, [])):
        if ghost is not None and len(ghost.t) > _TWICE * RATE:
            break
        plan = partial(lay_out, beta, start, end, RATE, _arm_span(motion.model), patient, leaping)
        timeline = plan()
        if timeline is None:
            return NoGhost("No hand or foot was seen on a hold.")
        scene = Scene(motion.model, climbed, contacts, beta, timeline, types, wall)
        found = _present(motion, _pose(motion, contacts, timeline, types, wall), timeline, scene)
        if ghost is None or _failures(found) < _failures(ghost):
            ghost, shown = found, scene
        if found.certificate["passed"]:
            ghost = _with_earlier_feet(found, motion, scene, plan)
            break
    assert ghost is not None
    passed = ghost.certificate["passed"]
    wild = _wild(ghost, shown.timeline)
    if wild if passed else not _smoother(ghost):
        # Where too many contacts are missing only a wild swing may be possible. What is shown should rather be calm and
        # fail by name.
        calm = _present(motion, _calm_pose(motion, shown.timeline), shown.timeline, shown)
        ghost = calm if wild else min(ghost, calm, key=_failures)
    if climbed.loads.held.mean() < _LEAST_HELD and not ghost.certificate["passed"] and not _smoother(ghost):
        return NoGhost("The contacts that were seen could not hold the body.")
    return ghost


def _with_earlier_feet(
    ghost: Ghost, motion: BodyMotion, scene: Scene, plan: Callable[[Sequence[Stay]], Timeline | None]
) -> Ghost:
    """The Ghost that moves feet before hands where that costs clearly less and passes every gate, too; else the same.

    Args:
        ghost: with the climber's order of moves, which passes every gate.
        plan: the same with feet that go earlier to these places, see ``lay_out``.
    """
    late = better_earlier(scene)
    orders = [late] if late else []
    if len(late) > 1 and len(ghost.t) <= _TWICE * RATE:
        orders.append(late[:1])
    for some in orders:
        timeline = plan([one.foot.target for one in some])
        if timeline is None:
            continue
        pose = _pose(motion, scene.contacts, timeline, scene.types, scene.wall)
        other = _present(motion, pose, timeline, scene)
        saved = 1 - other.effort.cost / ghost.effort.cost
        if other.certificate["passed"] and saved >= _CLEARLY * len(some) / len(timeline.swings):
            return replace(other, certificate=other.certificate | {"foot_order": told(some, saved)})
    return ghost


def _smoother(ghost: Ghost) -> bool:
    return bool(ghost.certificate["change"]["jerk"] < 0)


def _wild(ghost: Ghost, timeline: Timeline) -> bool:
    jumps = not timeline.on.any(axis=1).all()
    return bool(ghost.certificate["change"]["path"] > _WILD) and not jumps


def _arm_span(model: BodyModel) -> float:
    lengths = model.lengths
    return 2 * (lengths.upper_arm + lengths.forearm + lengths.hand) + lengths.shoulders


def _falls(motion: BodyMotion, flight: Flight, wall: Wall) -> bool:
    """Whether the climber's body falls while no limb is seen on: else one is on that was not seen."""
    flying = (motion.t >= flight.start) & (motion.t <= flight.end)
    rising = accelerations(motion.t, motion.gravity_centre)[flying] @ wall.up
    return bool(flying.any() and rising.mean() < -_FALLING * GRAVITY)


def _failures(ghost: Ghost) -> tuple[int, float]:
    """How many gates fail, and how much balance is missing: the less, the nearer to what a body can do."""
    gates = ghost.certificate["gates"]
    return sum(not gate["passed"] for gate in gates.values()), float(
        np.mean(ghost.certificate["frames"]["equilibrium"])
    )


def _share_seen(t: Array, start: float, end: float) -> float:
    inside = t[(t >= start) & (t <= end)]
    gaps = np.diff(np.concatenate([[start], inside, [end]]))
    return float(1 - gaps[gaps > 0.3].sum() / (end - start))


def _at(times: Array, t: Array, values: Array) -> Array:
    return np.stack([np.interp(times, t, column) for column in values.T], axis=1)


# --- planning ---------------------------------------------------------------------------------------------------------


def _pose(
    motion: BodyMotion, contacts: Sequence[Contact], timeline: Timeline, types: Mapping[int, str], wall: Wall
) -> torch.Tensor:
    """``(n, degrees of freedom)``: plan the centre of gravity's path, pose the body, see what it carries, and again."""
    model: BodyModel = motion.model
    balance = Balance(timeline, types, wall, model.device, Room.of(motion, contacts))
    aim = course(timeline, _at(timeline.climber_t, motion.t, motion.gravity_centre), RATE)
    path, lacks = balance.held(aim)
    few = _bearing(timeline.on).sum(axis=1) <= _FEW
    if (lacks > 1).any() and np.clip(lacks - 1, 0, _MUCH).mean() < _NOWHERE:
        # where no path close to the climber's places is held, one that is less close and quicker may be
        loose = aim.loosened(lacks > 1)
        other, still = balance.held(loose)
        if np.clip(still - 1, 0, None).sum() < _WORTH * np.clip(lacks - 1, 0, None).sum():
            aim, path, lacks = loose, other, still
    if np.clip(lacks - 1, 0, _MUCH).mean() > _HOPELESS:
        # what cannot be held at all should at least be calm
        path = aim.calm()
    quick = aim.quick | _hasty(path)
    wishes = _wishes(motion, timeline, path, few | quick, quick)
    pose = pose_clip(model, wishes, wishes.own, _STEPS)
    best, least, since = pose, np.inf, 0
    aside = np.zeros_like(path)
    most = max(_ROUNDS, min(_MOST_ROUNDS, _MOST_WORK // len(path)))
    for done in range(most + 1):
        gravity = model.gravity_centre(pose).cpu().numpy()
        # of poses in which nothing is lacking the last carries least
        lacks = np.clip(balance.lacking(gravity) - _SAFELY, 0, _MUCH) + _astray(model, pose, wishes)
        lacking = float(lacks.mean())
        since = 0 if lacking < _BETTER * least else since + 1
        if lacking <= least:
            best, least = pose, lacking
        if done == most or (done >= _ROUNDS and (lacking == 0 or least > _HOPELESS or since >= _PATIENCE)):
            break
        if lacking:
            # the body does not quite go where it is asked to: it is asked for more
            if since == _STUCK:
                path = balance.nearest(gravity - aside, RATE)
            aside = aside + _near(lacks > 0)[:, None] * np.clip(path - gravity, -_MORE, _MORE)
        else:
            aim = aim.moved(_ease(model, pose, gravity, timeline, types, wall))
            path, _ = balance.held(aim)
        wishes = replace(wishes, gravity=model.tensor(path + aside))
        pose = pose_clip(model, wishes, pose, _FIRM_STEPS if lacking else _FEW_STEPS)
    return best


def _calm_pose(motion: BodyMotion, timeline: Timeline) -> torch.Tensor:
    """``(n, degrees of freedom)``: past the climber's own places with least jerk, whatever holds the body."""
    path = course(timeline, _at(timeline.climber_t, motion.t, motion.gravity_centre), RATE).calm()
    never = np.zeros(len(path), np.bool_)
    wishes = _wishes(motion, timeline, path, never, never)
    return pose_clip(motion.model, wishes, wishes.own, _STEPS)


def _wishes(
    motion: BodyMotion, timeline: Timeline, path: Array, exactly: npt.NDArray[np.bool_], quick: npt.NDArray[np.bool_]
) -> Wishes:
    """A body that holds on and moves as planned, with its centre of gravity on a path, ``exactly`` or about."""
    model: BodyModel = motion.model
    return Wishes(
        own=model.tensor(_own_posture(motion, timeline)), points=model.tensor(_tip_places(timeline)),
        on=torch.as_tensor(timeline.on, device=model.device), across=model.tensor(_across(motion, timeline)),
        gravity=model.tensor(path), nearly=model.tensor(np.where(exactly, _EXACTLY, _NEARLY)),
        ease=model.tensor(np.where(quick, _QUICKER, 1.0)), rate=RATE,
    )  # fmt: skip


def _bearing(on: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """``(n, 4)`` which limbs can bear something: those that neither have just arrived nor leave."""
    return np.asarray(on & np.concatenate([on[:1], on[:-1]]) & np.concatenate([on[1:], on[-1:]]))


def _astray(model: BodyModel, pose: torch.Tensor, wishes: Wishes) -> Array:
    """``(n,)`` how far joints are beyond their limits and tips beside their holds, in multiples of what is little."""
    beyond = np.degrees(model.limit_violation(pose).amax(dim=1).cpu().numpy())
    away = (model.tips(pose) - wishes.points).norm(dim=2)
    slips = torch.where(wishes.on, away, 0.0).amax(dim=1).cpu().numpy()
    return np.asarray(np.clip(beyond, 0, _MUCH) + np.clip(slips / _SLIP - 1, 0, _MUCH))


def _near(frames: npt.NDArray[np.bool_]) -> Array:
    """``(n,)`` 1 in these frames, less around them, 0 elsewhere."""
    reach = round(_BESIDE * RATE)
    bell = np.hanning(2 * reach + 3)[1:-1]
    return np.asarray(np.clip(np.convolve(frames, bell, "same"), 0, 1))


def _hasty(path: Array) -> npt.NDArray[np.bool_]:
    """``(n,)`` where balance asks the centre of gravity for a jolt."""
    jolts = np.linalg.norm(jerk(np.arange(len(path)) / RATE, path), axis=1) > _JOLT
    around = round(_AROUND * RATE)
    # a jerk is of four places
    return np.asarray(np.convolve(jolts, np.ones(2 * around + 4))[around : around + len(path)] > 0.5)


def _own_posture(motion: BodyMotion, timeline: Timeline) -> Array:
    """The climber's posture at the same point of the same move, the trunk without its swaying."""
    own = _at(timeline.climber_t, motion.t, motion.pose)
    deviation = np.full(len(own), _OWN_TRUNK)
    trunk = slice(3, 12)  # pelvis, spine and neck
    own[:, trunk] = least_jerk(own[:, trunk], deviation, RATE, _OWN_TRUNK_JERK)
    return own


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


def _ease(
    model: BodyModel, pose: torch.Tensor, gravity: Array, timeline: Timeline, types: Mapping[int, str], wall: Wall
) -> Array:
    """``(n, 3)`` metres by which the centre of gravity should move so that the limbs carry less."""
    # every second frame will do: what is found is smoothed with the path
    some = slice(None, None, 2)
    points = tips(model.landmarks(pose)).cpu().numpy()
    case = load_case(timeline, points, gravity, types, wall).at(some)
    offsets = [sign * _PROBE * axis for axis in np.eye(3) for sign in (1, -1)]
    found = many_loads([case.moved(offset) for offset in offsets], model.device)
    slope = np.stack([up.strain - down.strain for up, down in zip(found[::2], found[1::2], strict=True)], axis=1)
    slope /= 2 * _PROBE
    # A strain that changes by less than 1 a metre is worth less than the whole step.
    ease = -slope * _LIGHTEN / np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1.0)
    # where the contacts do not hold the body, its load means nothing
    held = np.max([one.imbalance for one in found], axis=0) < 5 * BALANCED
    return _at(timeline.t, case.t, np.where(held[:, None], ease, 0.0))


# --- presenting -------------------------------------------------------------------------------------------------------


def _present(motion: BodyMotion, pose: torch.Tensor, timeline: Timeline, scene: Scene) -> Ghost:
    model, climbed, types, wall = scene.model, scene.climbed, scene.types, scene.wall
    landmarks = model.landmarks(pose).cpu().numpy()
    gravity = model.gravity_centre(pose).cpu().numpy()
    points = tips(torch.as_tensor(landmarks)).numpy()
    [carried] = many_loads([load_case(timeline, points, gravity, types, wall)])
    cost = effort(timeline.t, gravity, carried.strain, carried.held, model.lengths.height)
    # of the beta, too: places of stays that were joined are averages
    own = [as_stays(scene.contacts, motion.t, motion.landmarks, wall), scene.beta.stays]
    reaches = [_own_reach(stays, float(climbed.t[0]), float(climbed.t[-1])) for stays in own]
    evidence = Evidence(
        t=timeline.t, landmarks=landmarks, contacts=timeline.contacts,
        violation_deg=np.degrees(model.limit_violation(pose).amax(dim=1).cpu().numpy()),
        imbalance=carried.imbalance, reach_cm=max((reach for reach in reaches if reach is not None), default=None),
    )  # fmt: skip
    change = {
        "jerk": _change(_rms_jerk(timeline.t, gravity), _rms_jerk(climbed.t, climbed.gravity_centre)),
        "hand_load": _change(_mean(carried.hands), _mean(climbed.loads.hands)),
        "path": _change(_length(timeline.t, gravity), _length(climbed.t, climbed.gravity_centre)),
        "duration": _change(float(timeline.t[-1]), float(climbed.t[-1] - climbed.t[0])),
    }
    return Ghost(
        t=timeline.t, climber_t=timeline.climber_t, landmarks=landmarks, loads=carried.share,
        contacts=timeline.contacts, certificate=certify(evidence, change),
        cues=give_cues(scene, timeline, gravity), gravity_centre=gravity, effort=cost, climber_effort=climbed.effort,
    )  # fmt: skip


def _own_reach(stays: Sequence[Sequence[Stay]], start: float, end: float) -> float | None:
    """The climber's own longest reach in centimetres, from stays of which any part is in the climb; those that began
    before count from its beginning. A foot that left just before a hand arrived was on, see ``timeline``."""
    touches = [
        GhostContact(
            LIMBS[stay.limb], stay.hold_id, max(stay.start, start), stay.end, (float(x), float(y), float(z))
        )
        for of_limb in stays
        for stay in of_limb
        for x, y, z in [stay.point]
        if stay.end > start and stay.start < end
    ]  # fmt: skip
    reach = longest_reach(touches, about=ABOUT)
    return None if reach is None else 100 * reach[0]


def _rms_jerk(t: Array, path: Array) -> float:
    return float(np.sqrt(np.square(jerk(*steadied(t, path))).sum(axis=1).mean()))


def _length(t: Array, path: Array) -> float:
    return path_length(steadied(t, path)[1])


def _mean(values: Array) -> float | None:
    return float(np.nanmean(values)) if np.isfinite(values).any() else None


def _change(new: float | None, old: float | None) -> float | None:
    return None if new is None or not old else new / old - 1
