"""Everything that is measured of a climb, each number with its error or the reason why there is none.

Errors are found by trying: the measurement is made again on draws of what it was made from (``metrics.doubt``); half
the width of the interval is what nine in ten draws stay within. The draws come from a fixed seed, so that the same
climb has the same numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from ascension_vision.body.forces import accelerations
from ascension_vision.body.model import tips
from ascension_vision.body.motion import BodyMotion
from ascension_vision.body.skeleton import HIPS, SHOULDERS
from ascension_vision.contacts.contact import Contact
from ascension_vision.ghost.ghost import Ghost, NoGhost
from ascension_vision.holds.hold import Hold
from ascension_vision.metrics.catalogue import CATALOGUE
from ascension_vision.metrics.climb import Climb
from ascension_vision.metrics.doubt import ALONG, LANDMARK_PX, Shift, drawn, lasting
from ascension_vision.metrics.effort import effort
from ascension_vision.metrics.loads import Case, Loads, hold_types, many_loads
from ascension_vision.metrics.metric import Metric
from ascension_vision.metrics.movement import (
    geometric_entropy,
    immobility,
    log_dimensionless_jerk,
    path_ratio,
    steadied,
)
from ascension_vision.pose.following import Poses
from ascension_vision.wall.wall import Wall

Array = npt.NDArray[np.float64]
Values = dict[str, float | None]

_DRAWS, _NINE_IN_TEN = 64, 0.9
# Loads are computed in so many of the draws, so many times a second.
_DRAWS_OF_LOADS, _LOADS_RATE = 24, 4.0
# Loads mean something where the contacts hold the body for at least this share of the time.
_HELD_ENOUGH = 0.3
# A Ghost that costs so much more than the climb is none of what the climber did.
_DEARER = 1.1
# An efficiency that may be this much higher or lower is none.
_SAYS_NOTHING = 0.4
# Nobody has to hang as little from the hands as would do: by this share, relative.
_OWN_CHOICE = 0.2
# A Ghost that serves wrong contacts costs more or less than it had to, by this times the root of their share.
_IN_VAIN = 0.3
# Small re-grips and fidgets are not seen. On rendered climbs with many of them the efficiency was too high by up to a
# third, and more, of what it lacks to 1: who is far from it has more of them.
_UNSEEN_FAULTS = 0.3
# A re-grip is too short to be seen, or is seen where a hand only trembled: nobody counts them more surely than this.
_REGRIPS = 1.0
# Seconds: a foot that sets off first or arrives last may not have been seen.
_FIRST_AND_LAST = 0.5

_NO_BODY = "The body was not placed in space: the wall or its scale is unknown."
_NO_CONTACTS = "No hand or foot was seen on a hold."
_NOT_HELD = "The contacts that were seen could not hold the body."
_NO_CLIMB = "At no time are a hand and another limb seen on holds."
_NO_REACH = "No hand arrives while anything else is on a hold."
_NO_GAIN = "The Ghost costs more than the climb itself: some of the contacts that were seen are wrong or missing."
_TOO_DOUBTFUL = "The contacts that were seen are too doubtful to compare the climb with the Ghost."
_TOO_DOUBTFUL_TO_WEIGH = "What was seen is too doubtful to tell what hands and feet bear."


@dataclass(frozen=True)
class Findings:
    """What the analysis found, as far as it got; None where there is none.

    Attributes:
        poses: the climber's landmarks in the video.
        contacts: all that hold the body up, see ``ghost.support``.
        ghost: None where none was asked for.
    """

    poses: Poses
    motion: BodyMotion | None = None
    wall: Wall | None = None
    holds: Sequence[Hold] | None = None
    contacts: Sequence[Contact] | None = None
    ghost: Ghost | NoGhost | None = None


def measure(findings: Findings) -> dict[str, Metric]:
    """All metrics by name; those that cannot be known have no value but a reason."""
    motion, wall = findings.motion, findings.wall
    if motion is None or wall is None or len(motion.t) < 5:
        values, errors = _from_pictures(findings.poses)
        reasons = dict.fromkeys(CATALOGUE, _NO_BODY)
        needs = dict.fromkeys(values, ("poses",))
        assumes = "a camera that stands still"
    else:
        values, errors, reasons = _from_body(findings, motion, wall)
        needs, assumes = {}, None
    return {
        name: Metric(
            value=values.get(name),
            unit=entry.unit,
            meaning=entry.meaning,
            uncertainty=errors.get(name) if values.get(name) is not None else None,
            computed_from=needs.get(name, entry.needs),
            source=entry.source,
            assumes=assumes if name in needs else entry.assumes,
            reason=reasons.get(name, _NOT_HELD) if values.get(name) is None else None,
        )
        for name, entry in CATALOGUE.items()
    }


# --- from the body in space -------------------------------------------------------------------------------------------


def _from_body(findings: Findings, motion: BodyMotion, wall: Wall) -> tuple[Values, dict[str, float], dict[str, str]]:
    types = hold_types(findings.holds)
    contacts = findings.contacts or ()
    climb = Climb.of(motion, contacts, types, wall)
    ghost, reason = _certified(findings.ghost)
    height = motion.model.lengths.height
    values = _along_the_wall(climb)
    draws = list(drawn(climb, _DRAWS, motion, findings.holds or (), wall))
    errors = _errors(values, [_along_the_wall(one) for one, _ in draws])
    reasons = dict.fromkeys(CATALOGUE, _NOT_HELD)
    reasons |= {"max_reach_cm": _NO_REACH, "movement_efficiency": reason or _NOT_HELD}
    if climb.span is None:
        reasons |= dict.fromkeys(set(CATALOGUE) - {"movement_efficiency"}, _NO_CLIMB if contacts else _NO_CONTACTS)
    if "climb_duration_s" in errors:
        errors["climb_duration_s"] = max(errors["climb_duration_s"], _FIRST_AND_LAST)
    if contacts:
        errors["regrip_count"] = max(errors["regrip_count"], _REGRIPS)
        values |= _from_loads(climb, [], ghost, height, thinned=False)[0]
        thin, *others = _from_loads(climb, draws[:_DRAWS_OF_LOADS], ghost, height, thinned=True)
        errors |= _errors(thin, others)
        for name in ("avg_tension", "hand_load"):
            load = values.get(name)
            if load is not None and errors.get(name, 0.0) > load:
                values[name], reasons[name] = None, _TOO_DOUBTFUL_TO_WEIGH
        efficiency = values.get("movement_efficiency")
        if efficiency is not None and efficiency > _DEARER:
            values["movement_efficiency"], reasons["movement_efficiency"] = None, _NO_GAIN
        elif efficiency is not None:
            # what is beyond 1 cannot be right, and says how wrong the rest may be
            values["movement_efficiency"] = min(efficiency, 1.0)
            unseen = _UNSEEN_FAULTS * max(1 - efficiency, 0.0)
            found = float(np.hypot(errors.get("movement_efficiency", 1.0), unseen))
            errors["movement_efficiency"] = max(found, efficiency - 1)
            if errors["movement_efficiency"] > _SAYS_NOTHING:
                values["movement_efficiency"], reasons["movement_efficiency"] = None, _TOO_DOUBTFUL
    # what no draw has cannot be relied on
    return {name: value for name, value in values.items() if name in errors}, errors, reasons


def _certified(ghost: Ghost | NoGhost | None) -> tuple[Ghost | None, str | None]:
    """The Ghost that the climber can be compared with, or why there is none."""
    if ghost is None:
        return None, "No Ghost Climber was asked for."
    if isinstance(ghost, NoGhost):
        return None, f"There is no Ghost: {ghost.reason}"
    if ghost.certificate["passed"]:
        return ghost, None
    gates = ghost.certificate["gates"]
    failed = ", ".join(name.replace("_", " ") for name, gate in gates.items() if not gate["passed"])
    return None, f"The Ghost does not pass its certificate: {failed}."


def _along_the_wall(climb: Climb) -> Values:
    """What does not depend on forces. Lengths and jerk are those along the wall: the distance from the wall is what one
    camera sees worst, and its noise would lengthen every way."""
    even, path = steadied(climb.t, climb.gravity_centre[:, :2])
    _, hips = steadied(climb.t, climb.hips[:, :2])
    during = climb.during(even)
    even, path, hips = even[during], path[during], hips[during]
    values: Values = {
        "geometric_entropy": geometric_entropy(hips),
        "immobility": immobility(even, hips, climb.torso),
        "log_dimensionless_jerk": log_dimensionless_jerk(even, path),
        "path_ratio": path_ratio(path),
        "climb_duration_s": climb.duration,
    }
    if any(climb.stays):
        values |= {
            "max_reach_cm": climb.reach_cm,
            "hold_count": climb.holds,
            "move_count": climb.moves,
            "regrip_count": climb.regrips,
        }
    return values


# --- from loads -------------------------------------------------------------------------------------------------------


def _from_loads(
    found: Climb, drawn: Sequence[tuple[Climb, Shift]], ghost: Ghost | None, height: float, *, thinned: bool
) -> list[Values]:
    """What depends on forces, of the climb as found and of each draw; the efficiency is not limited to 1.

    Args:
        height: of the body, metres.
        thinned: loads are computed on few frames only.
    """
    climbs = [found, *(climb for climb, _ in drawn)]
    cases = [climb.case(found.during(climb.t)) for climb in climbs]
    if ghost is not None:
        cases += [_ghost_case(ghost, found), *(_ghost_case(ghost, climb, shift.depth) for climb, shift in drawn)]
    weighed = many_loads([_thinned(case) if thinned else case for case in cases])
    rng = np.random.default_rng(1)
    # In a draw, any moment may be like those in which the loads are unknown.
    alike = [None, *rng.random(len(drawn))]
    values: list[Values] = []
    for number, like in enumerate(alike):
        loads = weighed[number]
        if loads.held.mean() < _HELD_ENOUGH:
            values.append({})
            continue
        share = _completed(loads.share, loads, like)
        hands, feet = share[:, :2].sum(axis=1), share[:, 2:].sum(axis=1)
        if number > 0:
            hands = hands * np.exp(_OWN_CHOICE * rng.normal())
        told: Values = {
            "avg_tension": float(hands.mean()),
            "hand_load": float(hands.sum() / (hands.sum() + feet.sum())),
        }
        if ghost is not None:
            own, other = (_cost(cases[at], weighed[at], like, height) for at in (number, len(climbs) + number))
            odds = 0.0 if number == 0 else float(rng.normal()) * _IN_VAIN * drawn[number - 1][1].wrong ** 0.5
            told["movement_efficiency"] = other / own * float(np.exp(odds))
        values.append(told)
    return values


def _ghost_case(ghost: Ghost, climb: Climb, depth: float = 0.0) -> Case:
    """The Ghost where the climber climbs, its accelerations blurred like the climber's: what a jump asks for shows in
    both alike."""
    points, gravity = tips(torch.as_tensor(ghost.landmarks)).numpy(), ghost.gravity_centre + depth * np.eye(3)[2]
    return Case(
        ghost.t, points, gravity, accelerations(ghost.t, gravity), ghost.contacts, climb.types, climb.up
    )  # fmt: skip


def _thinned(case: Case) -> Case:
    return case.at(slice(None, None, max(1, round(1 / float(np.median(np.diff(case.t))) / _LOADS_RATE))))


def _cost(case: Case, loads: Loads, like: float | None, height: float) -> float:
    """Of a movement: all of it, though its loads may be known of few frames."""
    every = slice(None, None, -(-len(case.t) // len(loads.strain)))
    strain = np.interp(case.t, case.t[every], _completed(loads.strain, loads, like))
    return effort(case.t, case.gravity_centre, strain, np.ones(len(strain), np.bool_), height).cost


def _completed(values: Array, loads: Loads, like: float | None) -> Array:
    """``(n, …)`` with those of moments in which the loads are unknown: the mean of the others, or those of the moment
    that the share ``like`` of the others are before."""
    known = values[loads.held]
    instead = known.mean(axis=0) if like is None else known[int(like * len(known))]
    complete = values.copy()
    complete[~loads.held] = instead
    return complete


# --- errors -----------------------------------------------------------------------------------------------------------


def _errors(found: Values, drawn: Sequence[Values]) -> dict[str, float]:
    """What nine in ten draws stay within."""
    errors = {}
    for name, value in found.items():
        changes = [abs(other - value) for draw in drawn if value is not None and (other := draw.get(name)) is not None]
        if changes:
            errors[name] = float(np.quantile(changes, _NINE_IN_TEN))
    return errors


# --- from the pictures alone ------------------------------------------------------------------------------------------


def _from_pictures(poses: Poses) -> tuple[Values, dict[str, float]]:
    """What can be said where the wall is unknown."""
    hips = poses.points[:, HIPS, :2].mean(axis=1)
    torso = float(np.nanmedian(np.linalg.norm(poses.points[:, SHOULDERS, :2].mean(axis=1) - hips, axis=1)))

    def values(path: Array) -> Values:
        return {
            "geometric_entropy": geometric_entropy(path[poses.seen]),
            "immobility": immobility(poses.t, path, torso),
        }

    found = values(hips)
    rng = np.random.default_rng(0)
    others = []
    for _ in range(_DRAWS):
        noise = ALONG * LANDMARK_PX * lasting(rng, poses.t)[:, :2] if len(poses.t) > 1 else 0.0
        others.append(values(hips + noise))
    return found, _errors(found, others)
