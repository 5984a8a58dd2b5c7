"""The changes that matter most, each tried alone on the climber's own motion.

Candidates come from where the Ghost differs: the hips in the middle of a move, a re-grip, a tap or a fidget, a pause, a
detour of the centre of gravity, and a foot that the climber moves only after the hand. For each the climber's motion is
taken as it is but for that change, and the loads and the cost (``metrics.effort``) are computed anew. What saves most
of the cost comes first.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from ascension_vision.body.forces import BALANCED, accelerations
from ascension_vision.body.model import BodyModel, tips
from ascension_vision.contacts.contact import LIMBS, Contact
from ascension_vision.ghost.beta import FEET, HANDS, Beta
from ascension_vision.ghost.climbed import Climbed
from ascension_vision.ghost.ghost import Cue
from ascension_vision.ghost.timeline import LONGEST_SHIFT, Timeline
from ascension_vision.metrics.effort import effort
from ascension_vision.metrics.loads import Case, Loads, many_loads
from ascension_vision.metrics.movement import path_length
from ascension_vision.wall.wall import Wall

Array = npt.NDArray[np.float64]

_MOST, _MOST_ALIKE = 3, 2
# What is worth saying: share of the cost saved, metres of the hips, metres of detour, seconds of pause, share of load.
_WORTH, _HIPS, _DETOUR, _PAUSE, _LOAD = 0.002, 0.03, 0.08, 0.3, 0.05
# A change of the hips comes and goes within this time around a move, seconds.
_EASE = 0.3
# A limb can be straight up to this share of its length.
_STRAIGHT = 0.99
_SOCKETS: Final = (11, 12, 23, 24)
_NAMES: Final = ("left hand", "right hand", "left foot", "right foot")


@dataclass(frozen=True)
class Scene:
    """What the cues are made from: the climber, and the Ghost's plan and centre of gravity."""

    model: BodyModel
    climbed: Climbed
    contacts: Sequence[Contact]
    beta: Beta
    timeline: Timeline
    gravity_centre: Array
    types: Mapping[int, str]
    wall: Wall


@dataclass(frozen=True)
class _Candidate:
    cue: Cue
    saved: float


@dataclass(frozen=True)
class _Tried:
    """``load``: relative change of the hands' load; ``saved``: cost; ``possible``: balanced and within reach."""

    load: float
    saved: float
    possible: bool


@dataclass(frozen=True)
class _Proposal:
    """A change of the climber's motion, to be tried.

    Attributes:
        during: ``(n,)`` frames that it changes.
        moved: ``(n, 3)`` metres by which the body moves.
        feet: where feet stand instead, by limb.
        least: relative change of the hands' load that makes it worth saying; None where the load does not matter.
        cue: what to say, by what trying it showed.
    """

    during: npt.NDArray[np.bool_]
    moved: Array
    cue: Callable[[_Tried], Cue]
    feet: Mapping[int, Array] = field(default_factory=dict)
    least: float | None = None


def give_cues(scene: Scene) -> list[Cue]:
    """At most three, the one that saves most first; fewer where little can be saved."""
    total = scene.climbed.effort.cost
    proposals = [*_hips(scene), *_feet_first(scene), *_detours(scene)]
    found = [*_idle(scene)]
    weighed = many_loads([_case(scene, proposal) for proposal in proposals])
    for proposal, new in zip(proposals, weighed, strict=True):
        tried = _tried(scene, proposal, new)
        if tried is not None and (proposal.least is None or tried.load <= proposal.least):
            found.append(_Candidate(proposal.cue(tried), tried.saved))
    chosen: list[Cue] = []
    for candidate in sorted(found, key=lambda candidate: -candidate.saved):
        alike = sum(cue.key == candidate.cue.key for cue in chosen)
        if candidate.saved > _WORTH * total and alike < _MOST_ALIKE and len(chosen) < _MOST:
            chosen.append(candidate.cue)
    return chosen


# --- trying -----------------------------------------------------------------------------------------------------------


def _case(scene: Scene, proposal: _Proposal) -> Case:
    """The climber with that change, and with nothing else changed."""
    climbed, during = scene.climbed, proposal.during
    t = climbed.t[during]
    points = tips(torch.as_tensor(climbed.landmarks[during])).numpy()
    contacts = list(scene.contacts)
    for limb, place in proposal.feet.items():
        points[:, limb] = place
        contacts = [contact for contact in contacts if contact.limb != LIMBS[limb] or not _overlaps(contact, t)]
        hold = next((c for c in scene.contacts if c.limb == LIMBS[limb] and c.start >= t[-1] - 1e-6), None)
        hold_id = None if hold is None else hold.hold_id
        contacts.append(Contact(LIMBS[limb], hold_id, t[0] - 1, t[-1] + 1, 1.0, (0.0, 0.0)))
    gravity = climbed.gravity_centre + proposal.moved
    acceleration = accelerations(climbed.t, gravity)[during]
    return Case(t, points, gravity[during], acceleration, contacts, scene.types, scene.wall.up)


def _tried(scene: Scene, proposal: _Proposal, new: Loads) -> _Tried | None:
    """None where the loads before or after cannot be told."""
    climbed, during = scene.climbed, proposal.during
    both = new.held & climbed.loads.held[during]
    if both.mean() < 0.8:
        return None
    before = climbed.loads.share[during][both, :2].sum(axis=1)
    if before.mean() < 0.02:
        return None
    load = float(new.share[both, :2].sum(axis=1).mean() / before.mean() - 1)
    strained = climbed.loads.strain.copy()
    strained[np.flatnonzero(during)[both]] = new.strain[both]
    gravity = climbed.gravity_centre + proposal.moved
    cost = effort(climbed.t, gravity, strained, climbed.loads.held, scene.model.lengths.height).cost
    balanced = bool((new.imbalance[both] < BALANCED).all())
    return _Tried(load, climbed.effort.cost - cost, balanced and _within_reach(scene, proposal))


def _within_reach(scene: Scene, proposal: _Proposal) -> bool:
    climbed, during, lengths = scene.climbed, proposal.during, scene.model.lengths
    t, landmarks = climbed.t[during], climbed.landmarks[during] + proposal.moved[during, None]
    points = tips(torch.as_tensor(climbed.landmarks[during])).numpy()
    for limb, place in proposal.feet.items():
        points[:, limb] = place
    arm, leg = lengths.upper_arm + lengths.forearm + lengths.hand, lengths.thigh + lengths.shank + lengths.foot * 0.65
    for contact in scene.contacts:
        limb = LIMBS.index(contact.limb)
        on = (t >= contact.start) & (t <= contact.end)
        apart = np.linalg.norm(landmarks[on, _SOCKETS[limb]] - points[on, limb], axis=-1)
        if len(apart) and apart.max() > _STRAIGHT * (arm if limb in HANDS else leg):
            return False
    return True


def _overlaps(contact: Contact, t: Array) -> bool:
    return bool(contact.start <= t[-1] and contact.end >= t[0])


# --- where the body could be otherwise --------------------------------------------------------------------------------

_DIRECTIONS: Final = (
    ("hips_right", "to the right", 0, 1.0),
    ("hips_left", "to the left", 0, -1.0),
    ("hips_to_wall", "closer to the wall", 2, -1.0),
    ("hips_up", "higher", 1, 1.0),
    ("hips_down", "lower", 1, -1.0),
)


def _hips(scene: Scene) -> Iterator[_Proposal]:
    """In each move, the hips where the Ghost has them."""
    climbed = scene.climbed
    away = _ghost_at(scene, climbed.t) - climbed.gravity_centre
    for swing in scene.timeline.swings:
        start, end = (float(scene.timeline.climber_t[frame]) for frame in (swing.lift, swing.land))
        bump = np.clip(np.minimum(climbed.t - start + _EASE, end + _EASE - climbed.t) / _EASE, 0, 1)
        during = bump >= 1
        if not during.any():
            continue
        difference = away[during].mean(axis=0)
        middle = float(climbed.t[during][during.sum() // 2])
        for key, words, axis, sign in _DIRECTIONS:
            shift = sign * float(difference[axis])
            if shift >= _HIPS:
                moved = sign * shift * bump[:, None] * np.eye(3)[axis]
                yield _Proposal(
                    bump > 0, moved, partial(_say_hips, middle, key, words, round(100 * shift)), least=-_LOAD
                )


def _say_hips(at: float, key: str, words: str, centimetres: int, tried: _Tried) -> Cue:
    text = f"At {_clock(at)} bring the hips {centimetres} cm {words}: hand load {_percent(tried.load)}."
    values: dict[str, float | str] = {"cm": centimetres, "percent": round(100 * tried.load)}
    return Cue(at, key, values, text, "hand_load", round(tried.load, 4), tried.possible)


def _feet_first(scene: Scene) -> Iterator[_Proposal]:
    """The foot that moves after a hand stands on its next hold already while the hand moves."""
    climbed, lengths = scene.climbed, scene.model.lengths
    for hand, foot in pairwise(scene.timeline.swings):
        if hand.limb not in HANDS or foot.limb not in FEET or foot.origin is None:
            continue
        start, end = (float(scene.timeline.climber_t[frame]) for frame in (hand.lift, hand.land))
        during = (climbed.t >= start) & (climbed.t <= end)
        if during.sum() < 3:
            continue
        apart = np.linalg.norm(climbed.landmarks[during, _SOCKETS[foot.limb]] - foot.target.point, axis=1)
        leg = lengths.thigh + lengths.shank
        if apart.min() >= 0.45 * leg and apart.max() <= leg:
            yield _Proposal(
                during, np.zeros_like(climbed.gravity_centre), partial(_say_foot, start, foot.limb, hand.limb),
                {foot.limb: foot.target.point}, -_LOAD,
            )  # fmt: skip


def _say_foot(at: float, foot: int, hand: int, tried: _Tried) -> Cue:
    text = f"At {_clock(at)} move the {_NAMES[foot]} up before the {_NAMES[hand]}: hand load {_percent(tried.load)}."
    values: dict[str, float | str] = {"foot": LIMBS[foot], "hand": LIMBS[hand], "percent": round(100 * tried.load)}
    return Cue(at, "foot_before_hand", values, text, "hand_load", round(tried.load, 4), tried.possible)


def _detours(scene: Scene) -> Iterator[_Proposal]:
    """Between two arrivals, the centre of gravity on the Ghost's way."""
    climbed, climber_t = scene.climbed, scene.timeline.climber_t
    ghost = _ghost_at(scene, climbed.t)
    length = path_length(climbed.gravity_centre)
    arrivals = [0, *(swing.land for swing in scene.timeline.swings), len(climber_t) - 1]
    for first, last in pairwise(arrivals):
        start, end = float(climber_t[first]), float(climber_t[last])
        during = (climbed.t >= start) & (climbed.t <= end)
        if during.sum() < 5:
            continue
        detour = path_length(climbed.gravity_centre[during]) - path_length(ghost[during])
        if detour >= _DETOUR:
            share = np.clip(np.minimum(climbed.t - start, end - climbed.t) / _EASE, 0, 1)[:, None]
            moved = share * (ghost - climbed.gravity_centre)
            yield _Proposal(during, moved, partial(_say_detour, start, end, detour, detour / length))


def _say_detour(start: float, end: float, metres: float, share: float, tried: _Tried) -> Cue:
    centimetres = round(100 * metres)
    text = f"From {_clock(start)} to {_clock(end)} move the body straight on: {centimetres} cm less way."
    values: dict[str, float | str] = {"cm": centimetres, "until": round(end, 2)}
    return Cue(start, "straighter", values, text, "path", round(-share, 4), tried.possible)


# --- time -------------------------------------------------------------------------------------------------------------


def _idle(scene: Scene) -> Iterator[_Candidate]:
    """Re-grips, taps, fidgets and pauses, left out."""
    duration = float(scene.climbed.t[-1] - scene.climbed.t[0])
    for drop in scene.beta.dropped:
        # the limb stays on instead: nothing else changes
        seconds = drop.end - drop.start
        name = _NAMES[drop.limb]
        what = {
            "regrip": f"keep the {name} on its hold instead of gripping it again",
            "tap": f"move the {name} only once it goes to its next hold",
            "fidget": f"put the {name} straight on its next hold",
        }[drop.kind]
        if drop.kind == "regrip" and drop.limb in FEET:
            what = f"leave the {name} where it stands instead of placing it again"
        saved = _saved_without(scene, drop.start, drop.end)
        change = -seconds / duration
        text = f"At {_clock(drop.start)} {what}: {seconds:.1f} s less."
        cue = Cue(drop.start, drop.kind, {"limb": LIMBS[drop.limb], "seconds": round(seconds, 1)}, text, "duration",
                  round(change, 4), True)  # fmt: skip
        yield _Candidate(cue, saved)
    for start, end in _pauses(scene):
        change = -(end - start) / duration
        text = f"At {_clock(start)} go on sooner: {end - start:.1f} s less on the holds."
        cue = Cue(start, "pause", {"seconds": round(end - start, 1)}, text, "duration", round(change, 4), True)
        yield _Candidate(cue, _saved_without(scene, start, end))


def _pauses(scene: Scene) -> Iterator[tuple[float, float]]:
    """What of each wait between two moves is longer than a weight shift takes, seconds of the video."""
    swings, climber_t = scene.timeline.swings, scene.timeline.climber_t
    for before, after in pairwise(swings):
        arrived, leaves = float(climber_t[before.land]), float(climber_t[after.lift])
        wasted = sum(max(0.0, min(leaves, drop.end) - max(arrived, drop.start)) for drop in scene.beta.dropped)
        idle = leaves - arrived - wasted - LONGEST_SHIFT
        if idle > _PAUSE:
            yield leaves - idle, leaves


def _saved_without(scene: Scene, start: float, end: float) -> float:
    """The cost of the climb less its cost without the time from ``start`` to ``end``."""
    climbed = scene.climbed
    kept = (climbed.t < start) | (climbed.t > end)
    if kept.sum() < 5 or kept.all():
        return 0.0
    gap = float(np.median(np.diff(climbed.t)))
    t = np.where(climbed.t > end, climbed.t - (end - start), climbed.t)[kept]
    t = t[0] + np.concatenate([[0.0], np.cumsum(np.maximum(np.diff(t), 0.1 * gap))])
    # whoever does not leave needs not come back: the way between where the two parts meet is not travelled
    gravity = climbed.gravity_centre[kept].copy()
    after = climbed.t[kept] > end
    if after.any() and not after.all():
        gravity[after] -= gravity[after][0] - gravity[~after][-1]
    strain, held = climbed.loads.strain[kept], climbed.loads.held[kept]
    return climbed.effort.cost - effort(t, gravity, strain, held, scene.model.lengths.height).cost


def _ghost_at(scene: Scene, times: Array) -> Array:
    """``(n, 3)`` the Ghost's centre of gravity at the same points of the moves as the climber at ``times``."""
    own = np.interp(times, scene.timeline.climber_t, scene.timeline.t)
    return np.stack([np.interp(own, scene.timeline.t, axis) for axis in scene.gravity_centre.T], axis=1)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _percent(change: float) -> str:
    return f"{'−' if change < 0 else '+'}{abs(round(100 * change))} %"
