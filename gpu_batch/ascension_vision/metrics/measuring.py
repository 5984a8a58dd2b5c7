"""Everything that is measured of a climb, each number with its error or the reason why there is none.

Errors are found by trying: the measurement is made again on draws of what it was made from, with the noise that is left
in it; half the width of the interval is what nine in ten draws stay within. The draws come from a fixed seed, so that
the same climb has the same numbers.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ascension_vision.body.motion import BodyMotion
from ascension_vision.body.skeleton import HIPS, SHOULDERS
from ascension_vision.contacts.contact import LIMBS, Contact
from ascension_vision.ghost.beta import as_stays, climb_span, edit
from ascension_vision.ghost.ghost import Ghost, GhostContact, NoGhost
from ascension_vision.ghost.support import with_standing_feet
from ascension_vision.holds.hold import Hold
from ascension_vision.metrics.catalogue import CATALOGUE
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
from ascension_vision.metrics.reach import longest_reach
from ascension_vision.pose.following import Poses
from ascension_vision.wall.wall import Wall

Array = npt.NDArray[np.float64]
Values = dict[str, float | None]

DWELL_SECONDS = 0.5
_DRAWS, _NINE_IN_TEN = 24, 0.9
# How many standard errors cover nine in ten cases of a normal distribution.
_NORMAL = 1.645
# Loads are computed so many times a second in each draw.
_LOADS_RATE = 6.0
# Loads mean something where the contacts hold the body for at least this share of the time.
_HELD_ENOUGH = 0.3
# What is left of landmarks' errors of ``_LANDMARK_PX`` in the middle of the fitted body: along the wall and off it, as
# shares; how long an error lasts; and the error of the place of a contact, as a share. See docs/ghost.md.
_LANDMARK_PX = 5.0
_ALONG, _OFF, _LASTS_SECONDS = 0.2, 0.6, 0.12
_PLACE = 0.5
# Bones are known to this share of their length.
_BONES = 0.08
# Contacts begin and end at about the time said, seconds.
_CONTACT_SECONDS = 0.08

_NO_BODY = "The body was not placed in space: the wall or its scale is unknown."
_NO_CONTACTS = "No hand or foot was seen on a hold."
_NOT_HELD = "The contacts that were seen could not hold the body."
_NO_CLIMB = "At no time are a hand and another limb seen on holds."


@dataclass(frozen=True)
class Findings:
    """What the analysis found, as far as it got; None where there is none.

    Attributes:
        poses: the climber's landmarks in the video.
        ghost: None where none was asked for.
    """

    poses: Poses
    motion: BodyMotion | None = None
    wall: Wall | None = None
    holds: Sequence[Hold] | None = None
    contacts: Sequence[Contact] | None = None
    ghost: Ghost | NoGhost | None = None


@dataclass(frozen=True)
class _Touch(GhostContact):
    """A contact of the climber, placed in wall metres."""

    confidence: float


@dataclass(frozen=True)
class _Climb:
    """What the numbers are computed from: as found, and in every draw.

    Attributes:
        torso: its length, metres.
        t, hips, gravity_centre, landmarks: ``(n, …)`` of the climb, wall metres.
        touches: all contacts, in wall metres.
        thinned: whether loads are computed on few frames only.
    """

    torso: float
    t: Array
    hips: Array
    gravity_centre: Array
    landmarks: Array
    touches: list[_Touch]
    thinned: bool


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
    contacts = with_standing_feet(findings.contacts, motion, wall) if findings.contacts else []
    beta = edit(contacts, motion.t, motion.landmarks, wall) if contacts else None
    span = climb_span(beta, motion.t) if beta is not None else None
    start, end = span or (float(motion.t[0]), float(motion.t[-1]))
    inside = (motion.t >= start - 1e-6) & (motion.t <= end + 1e-6)
    places = motion.landmarks[inside]
    climb = _Climb(
        torso=motion.model.lengths.trunk,
        t=motion.t[inside],
        hips=places[:, HIPS].mean(axis=1),
        gravity_centre=motion.gravity_centre[inside],
        landmarks=places,
        touches=_touches(contacts, motion, wall),
        thinned=False,
    )
    measured = _Measured(findings, motion, wall, hold_types(findings.holds))
    [values] = measured.values([climb])
    reasons = dict.fromkeys(CATALOGUE, _NOT_HELD)
    if span is None:
        reasons = dict.fromkeys(CATALOGUE, _NO_CLIMB if contacts else _NO_CONTACTS)
    else:
        values["climb_duration_s"] = end - start
        reasons["max_reach_cm"] = "No hand arrives while anything else is on a hold."
    if isinstance(findings.ghost, NoGhost):
        reasons["movement_efficiency"] = f"There is no Ghost: {findings.ghost.reason}"
    elif isinstance(findings.ghost, Ghost) and not findings.ghost.certificate["passed"]:
        gates = findings.ghost.certificate["gates"]
        failed = ", ".join(name.replace("_", " ") for name, gate in gates.items() if not gate["passed"])
        reasons["movement_efficiency"] = f"The Ghost does not pass its certificate: {failed}."
    elif findings.ghost is None:
        reasons["movement_efficiency"] = "No Ghost Climber was asked for."
    if beta is not None:
        values["regrip_count"] = sum(drop.kind == "regrip" for drop in beta.dropped)
    errors = _errors(measured, climb, motion, wall)
    errors["climb_duration_s"] = _NORMAL * 2**0.5 * _CONTACT_SECONDS
    doubt = float(np.sqrt(sum(contact.confidence * (1 - contact.confidence) for contact in contacts)))
    errors["regrip_count"] = errors["move_count"] = _NORMAL * doubt
    if (reach := values.get("max_reach_cm")) is not None:
        errors["max_reach_cm"] = float(np.hypot(errors["max_reach_cm"], _NORMAL * wall.scale_error * reach))
    return values, errors, reasons


def _touches(contacts: Sequence[Contact], motion: BodyMotion, wall: Wall) -> list[_Touch]:
    """The contacts as they are."""
    return [
        _Touch(LIMBS[stay.limb], stay.hold_id, stay.start, stay.end, (float(x), float(y), float(z)), stay.confidence)
        for of_limb in as_stays(contacts, motion.t, motion.landmarks, wall)
        for stay in of_limb
        for x, y, z in [stay.point]
    ]


@dataclass(frozen=True)
class _Measured:
    findings: Findings
    motion: BodyMotion
    wall: Wall
    types: Mapping[int, str]

    def values(self, climbs: Sequence[_Climb]) -> list[Values]:
        """All numbers of each draw."""
        cases = [_case(climb) for climb in climbs]
        carried = many_loads(cases, self.types, self.wall) if cases[0].touches else [None] * len(cases)
        return [self._values(*one) for one in zip(climbs, cases, carried, strict=True)]

    def _values(self, climb: _Climb, case: Case, found: Loads | None) -> Values:
        lengths = self.motion.model.lengths
        even, path = steadied(climb.t, climb.gravity_centre)
        hip_times, hips = steadied(climb.t, climb.hips)
        values: Values = {
            "geometric_entropy": geometric_entropy(hips[:, :2]),
            "immobility": immobility(hip_times, hips[:, :2], climb.torso),
            "log_dimensionless_jerk": log_dimensionless_jerk(even, path),
            "path_ratio": path_ratio(path),
        }
        if found is None:
            return values
        reach = longest_reach(climb.touches)
        values["max_reach_cm"] = None if reach is None else 100 * reach[0]
        values["hold_count"] = len(
            {
                touch.hold_id
                for touch in climb.touches
                if touch.hold_id is not None and touch.end - touch.start >= DWELL_SECONDS
            }
        )
        values["move_count"] = _moves(climb.touches)
        held = found.held
        if held.mean() < _HELD_ENOUGH:
            return values
        hands, feet = (found.share[held, limbs].sum() for limbs in (slice(0, 2), slice(2, 4)))
        values["avg_tension"] = float(found.share[held, :2].sum(axis=1).mean())
        values["hand_load"] = float(hands / (hands + feet))
        ghost = self.findings.ghost
        if isinstance(ghost, Ghost) and ghost.certificate["passed"]:
            strain = np.interp(climb.t, case.t[held], found.strain[held])
            known = np.interp(climb.t, case.t, held) > 0.5
            own = effort(climb.t, climb.gravity_centre, strain, known, lengths.height)
            values["movement_efficiency"] = float(min(1.0, ghost.effort.cost / own.cost))
        return values


def _case(climb: _Climb) -> Case:
    whole = Case.moving(climb.t, climb.landmarks, climb.gravity_centre, climb.touches)
    if not climb.thinned:
        return whole
    every = slice(None, None, max(1, round(1 / float(np.median(np.diff(climb.t))) / _LOADS_RATE)))
    return replace(
        whole,
        t=whole.t[every],
        points=whole.points[every],
        gravity_centre=whole.gravity_centre[every],
        acceleration=whole.acceleration[every],
    )


def _moves(touches: Sequence[GhostContact]) -> int:
    """How often a limb goes to another place."""
    count = 0
    for limb in LIMBS:
        places = [touch for touch in touches if touch.limb == limb]
        for before, after in pairwise(places):
            same = before.hold_id == after.hold_id if before.hold_id is not None else False
            count += not same and float(np.linalg.norm(np.subtract(before.point, after.point))) > 0.07
    return count


# --- errors -----------------------------------------------------------------------------------------------------------


def _errors(measured: _Measured, climb: _Climb, motion: BodyMotion, wall: Wall) -> dict[str, float]:
    thin = replace(climb, thinned=True)
    found, *drawn = measured.values([thin, *_draws(thin, motion, wall)])
    changes: dict[str, list[float]] = {}
    for draw in drawn:
        for name, value in draw.items():
            known = found.get(name)
            if value is not None and known is not None:
                changes.setdefault(name, []).append(abs(value - known))
    return {name: float(np.quantile(values, _NINE_IN_TEN)) for name, values in changes.items()}


def _draws(climb: _Climb, motion: BodyMotion, wall: Wall) -> Iterator[_Climb]:
    """The climb with the noise that is left in it, again and again."""
    rng = np.random.default_rng(0)
    pixel = _metres_a_pixel(wall, climb.hips.mean(axis=0))
    noise = pixel * max(_LANDMARK_PX, float(np.median(motion.error_px)))
    for _ in range(_DRAWS):
        off = noise * np.array([_ALONG, _ALONG, _OFF]) * _lasting(rng, climb.t)
        touches = []
        for touch in climb.touches:
            start, end = rng.normal((touch.start, touch.end), _CONTACT_SECONDS)
            x, y, z = np.array(touch.point) + rng.normal(0, _PLACE * noise, 3) * (1, 1, 0)
            if rng.random() < touch.confidence and end > start:
                touches.append(replace(touch, start=float(start), end=float(end), point=(float(x), float(y), float(z))))
        yield replace(
            climb,
            torso=climb.torso * (1 + _BONES * float(rng.normal())),
            hips=climb.hips + off,
            gravity_centre=climb.gravity_centre + off,
            touches=touches,
        )


def _metres_a_pixel(wall: Wall, place: Array) -> float:
    """Metres along the wall that one reference pixel spans there."""
    aside = np.array([0.05, 0.0, 0.0])
    near = wall.project(np.stack([place - aside, place + aside]))
    return 0.1 / float(np.linalg.norm(near[1] - near[0]))


def _lasting(rng: np.random.Generator, t: Array) -> Array:
    """``(n, 3)`` noise of standard deviation 1 that lasts for a while: white noise after a Gaussian."""
    interval = float(np.median(np.diff(t)))
    reach = max(1, round(3 * _LASTS_SECONDS / interval))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * interval / _LASTS_SECONDS) ** 2)
    kernel /= np.linalg.norm(kernel)
    white = rng.normal(size=(len(t) + 2 * reach, 3))
    return np.stack([np.convolve(axis, kernel, mode="valid") for axis in white.T], axis=1)


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
    drawn = []
    for _ in range(_DRAWS):
        noise = _ALONG * _LANDMARK_PX * _lasting(rng, poses.t)[:, :2] if len(poses.t) > 1 else 0.0
        drawn.append(values(hips + noise))
    errors = {}
    for name, value in found.items():
        changes = [abs(other - value) for draw in drawn if (other := draw[name]) is not None and value is not None]
        if changes:
            errors[name] = float(np.quantile(changes, _NINE_IN_TEN))
    return found, errors
