"""The changes that matter most, each tried alone on the climber's own motion.

Candidates come from where the Ghost differs: the hips in the middle of a move, a re-grip, a tap or a fidget, a pause, a
detour of the centre of gravity, and a foot that the climber moves only after the hand. For each the climber's motion is
taken as it is but for that change, and the loads and the cost (``metrics.effort``) are computed anew. What saves most
of the cost comes first.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from ascension_vision.contacts.contact import LIMBS
from ascension_vision.ghost.beta import FEET
from ascension_vision.ghost.ghost import Cue
from ascension_vision.ghost.order import late_feet
from ascension_vision.ghost.timeline import LONGEST_SHIFT, Timeline
from ascension_vision.ghost.trial import Change, Scene, Tried, try_each
from ascension_vision.metrics.effort import effort
from ascension_vision.metrics.movement import path_length

Array = npt.NDArray[np.float64]

_MOST, _MOST_ALIKE = 3, 2
# What is worth saying: share of the cost saved, metres of the hips, metres of detour, seconds of pause, share of load.
_WORTH, _HIPS, _DETOUR, _PAUSE, _LOAD = 0.002, 0.03, 0.08, 0.3, 0.05
# A change of the hips comes and goes within this time around a move, seconds.
_EASE = 0.3
_NAMES: Final = ("left hand", "right hand", "left foot", "right foot")


@dataclass(frozen=True)
class _Candidate:
    cue: Cue
    saved: float


@dataclass(frozen=True)
class _Proposal:
    """Attributes:
    change: to be tried.
    cue: what to say, by what trying it showed.
    least: relative change of the hands' load that makes it worth saying; None where the load does not matter.
    """

    change: Change
    cue: Callable[[Tried], Cue]
    least: float | None = None


@dataclass(frozen=True)
class _Ghost:
    """What the climber is compared with, as ``give_cues`` takes it."""

    timeline: Timeline
    gravity_centre: Array

    def at(self, times: Array) -> Array:
        """``(n, 3)`` its centre of gravity at the same points of the moves as the climber at ``times``."""
        own = np.interp(times, self.timeline.climber_t, self.timeline.t)
        return np.stack([np.interp(own, self.timeline.t, axis) for axis in self.gravity_centre.T], axis=1)


def give_cues(scene: Scene, timeline: Timeline, gravity_centre: Array) -> list[Cue]:
    """At most three, the one that saves most first; fewer where little can be saved.

    Args:
        timeline: of the Ghost, which may move its feet earlier than the scene's plan does.
        gravity_centre: ``(n, 3)`` wall metres, the Ghost's.
    """
    ghost = _Ghost(timeline, gravity_centre)
    total = scene.climbed.effort.cost
    proposals = [*_hips(scene, ghost), *_feet_first(scene), *_detours(scene, ghost)]
    found = [*_idle(scene)]
    for proposal, tried in zip(proposals, try_each(scene, [one.change for one in proposals]), strict=True):
        if proposal.least is None or tried.load <= proposal.least:
            found.append(_Candidate(proposal.cue(tried), tried.saved))
    chosen: list[Cue] = []
    for candidate in sorted(found, key=lambda candidate: -candidate.saved):
        alike = sum(cue.key == candidate.cue.key for cue in chosen)
        if candidate.saved > _WORTH * total and alike < _MOST_ALIKE and len(chosen) < _MOST:
            chosen.append(candidate.cue)
    return chosen


# --- where the body could be otherwise --------------------------------------------------------------------------------

_DIRECTIONS: Final = (
    ("hips_right", "to the right", 0, 1.0),
    ("hips_left", "to the left", 0, -1.0),
    ("hips_to_wall", "closer to the wall", 2, -1.0),
    ("hips_up", "higher", 1, 1.0),
    ("hips_down", "lower", 1, -1.0),
)


def _hips(scene: Scene, ghost: _Ghost) -> Iterator[_Proposal]:
    """In each move, the hips where the Ghost has them."""
    climbed = scene.climbed
    away = ghost.at(climbed.t) - climbed.gravity_centre
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
                say = partial(_say_hips, middle, key, words, round(100 * shift))
                yield _Proposal(Change(bump > 0, moved), say, -_LOAD)


def _say_hips(at: float, key: str, words: str, centimetres: int, tried: Tried) -> Cue:
    text = f"At {_clock(at)} bring the hips {centimetres} cm {words}: hand load {_percent(tried.load)}."
    values: dict[str, float | str] = {"cm": centimetres, "percent": round(100 * tried.load)}
    return Cue(at, key, values, text, "hand_load", round(tried.load, 4), tried.possible)


def _feet_first(scene: Scene) -> Iterator[_Proposal]:
    """The foot that moves after a hand stands on its next hold already while the hand moves."""
    for late in late_feet(scene):
        yield _Proposal(late.change, partial(_say_foot, late.at, late.foot.limb, late.hand.limb), -_LOAD)


def _say_foot(at: float, foot: int, hand: int, tried: Tried) -> Cue:
    text = f"At {_clock(at)} move the {_NAMES[foot]} up before the {_NAMES[hand]}: hand load {_percent(tried.load)}."
    values: dict[str, float | str] = {"foot": LIMBS[foot], "hand": LIMBS[hand], "percent": round(100 * tried.load)}
    return Cue(at, "foot_before_hand", values, text, "hand_load", round(tried.load, 4), tried.possible)


def _detours(scene: Scene, ghost: _Ghost) -> Iterator[_Proposal]:
    """Between two arrivals, the centre of gravity on the Ghost's way."""
    climbed, climber_t = scene.climbed, scene.timeline.climber_t
    wanted = ghost.at(climbed.t)
    length = path_length(climbed.gravity_centre)
    arrivals = [0, *(swing.land for swing in scene.timeline.swings), len(climber_t) - 1]
    for first, last in pairwise(arrivals):
        start, end = float(climber_t[first]), float(climber_t[last])
        during = (climbed.t >= start) & (climbed.t <= end)
        if during.sum() < 5:
            continue
        detour = path_length(climbed.gravity_centre[during]) - path_length(wanted[during])
        if detour >= _DETOUR:
            share = np.clip(np.minimum(climbed.t - start, end - climbed.t) / _EASE, 0, 1)[:, None]
            moved = share * (wanted - climbed.gravity_centre)
            yield _Proposal(Change(during, moved), partial(_say_detour, start, end, detour, detour / length))


def _say_detour(start: float, end: float, metres: float, share: float, tried: Tried) -> Cue:
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


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _percent(change: float) -> str:
    return f"{'−' if change < 0 else '+'}{abs(round(100 * change))} %"
