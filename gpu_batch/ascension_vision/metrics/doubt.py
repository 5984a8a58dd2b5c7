"""A climb as it may have been, given what is known of how wrong an analysis can be.

Each draw takes one value of everything that is not known for sure. What each deviates by was measured on 18 rendered
climbs, seen through the whole analysis, and is told in docs/ghost.md.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from ascension_vision.body.motion import BodyMotion
from ascension_vision.ghost.beta import Stay
from ascension_vision.holds.hold import TYPES, Hold
from ascension_vision.metrics.climb import Climb
from ascension_vision.wall.wall import Wall

Array = npt.NDArray[np.float64]

# What is left of landmarks' errors of ``LANDMARK_PX`` in the middle of the fitted body: along the wall and off it, as
# shares; and how long an error lasts.
LANDMARK_PX = 5.0
ALONG: Final = 0.2
_OFF, _LASTS_SECONDS = 0.6, 0.12
# What a network sees wrongly it sees wrongly for longer: metres along the wall and off it, seconds.
_SLOW_ALONG, _SLOW_OFF, _SLOW_SECONDS = 0.01, 0.025, 0.4
# The whole body is nearer to the wall or farther from it than it seems, metres.
_DEPTH = 0.08
# Bones are known to this share of their length.
_BONES = 0.08
# Contacts begin and end at about the time said, seconds; and are about at the place said, metres: a sure one, and how
# much farther one that is not sure at all.
_CONTACT_SECONDS, _PLACE, _PLACE_OF_DOUBT = 0.08, 0.02, 0.12
# With the square of their doubt, 1 − confidence, contacts are none, or elsewhere: of those with confidence 0.9, 0.8,
# 0.65 and 0.4 about 0, 5, 25 and 75 % were.
_NONE, _ELSEWHERE = 0.25, 2.0
# Of thirty contacts that are seen there is one more that is not.
_UNSEEN = 1 / 30
# The wall's angle, degrees, by who said it.
_ANGLE: Final = {"user": 1.5, "estimated": 8.0, "assumed": 15.0}


@dataclass(frozen=True)
class Shift:
    """What one draw is off by, for whoever else climbs there.

    Attributes:
        types, up: see ``Climb``.
        depth: metres off the wall.
        wrong: share of the contacts that are none or elsewhere.
    """

    types: Mapping[int, str]
    up: Array
    depth: float
    wrong: float


def drawn(
    climb: Climb, count: int, motion: BodyMotion, holds: Sequence[Hold], wall: Wall
) -> Iterator[tuple[Climb, Shift]]:
    """The climb as it may have been, so many times; always the same for the same climb."""
    rng = np.random.default_rng(0)
    noise = _metres_a_pixel(wall, climb.hips.mean(axis=0)) * max(LANDMARK_PX, float(np.median(motion.error_px)))
    contacts = max(1, sum(map(len, climb.stays)))
    for _ in range(count):
        angle = wall.angle_deg + float(rng.normal(0, _ANGLE[wall.angle_source]))
        depth = float(rng.normal(0, _DEPTH))
        off = noise * np.array([ALONG, ALONG, _OFF]) * lasting(rng, climb.t)
        off += np.array([_SLOW_ALONG, _SLOW_ALONG, _SLOW_OFF]) * lasting(rng, climb.t, _SLOW_SECONDS)
        stays, wrong = zip(*(_stays(rng, of_limb, climb.t) for of_limb in climb.stays), strict=True)
        maybe = replace(
            climb,
            hips=climb.hips + off,
            gravity_centre=climb.gravity_centre + off + [0.0, 0.0, depth],
            stays=list(stays),
            unseen=int(rng.poisson(_UNSEEN * contacts)),
            torso=climb.torso * (1 + _BONES * float(rng.normal())),
            scale=1 + wall.scale_error * float(rng.normal()),
            types=_types(rng, holds),
            up=replace(wall, angle_deg=angle).up,
        )
        yield maybe, Shift(maybe.types, maybe.up, depth, sum(wrong) / contacts)


def lasting(rng: np.random.Generator, t: Array, seconds: float = _LASTS_SECONDS) -> Array:
    """``(n, 3)`` noise of standard deviation 1 that lasts for a while: white noise after a Gaussian."""
    interval = float(np.median(np.diff(t)))
    reach = max(1, round(3 * seconds / interval))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * interval / seconds) ** 2)
    kernel /= np.linalg.norm(kernel)
    white = rng.normal(size=(len(t) + 2 * reach, 3))
    return np.stack([np.convolve(axis, kernel, mode="valid") for axis in white.T], axis=1)


def _stays(rng: np.random.Generator, stays: Sequence[Stay], t: Array) -> tuple[list[Stay], int]:
    """A limb's contacts, and how many of those that were found are wrong. A doubtful one is more often elsewhere than
    none: a limb that seems to rest on a hold mostly rests on something beside it."""
    found: list[Stay] = []
    wrong = 0
    for number, stay in enumerate(stays):
        doubt = 1 - stay.confidence
        none, elsewhere = rng.random(2) < (_NONE * doubt**2, _ELSEWHERE * doubt**2)
        wrong += int(none or elsewhere)
        start, end = rng.normal((stay.start, stay.end), _CONTACT_SECONDS)
        if stay.start <= t[0]:  # it began before, and whether that was a little sooner makes no difference
            start = stay.start
        aside = rng.normal(0, _PLACE + _PLACE_OF_DOUBT * doubt, 3) * (1, 1, 0)
        if found:
            start = max(start, found[-1].end)
        if none or end <= start:
            continue
        hold_id = -1 - number - 1000 * stay.limb if elsewhere and stay.hold_id is not None else stay.hold_id
        found.append(replace(stay, hold_id=hold_id, start=float(start), end=float(end), point=stay.point + aside))
    return found, wrong


def _types(rng: np.random.Generator, holds: Sequence[Hold]) -> dict[int, str]:
    """Of holds by id: the type that was said as often as that is right, else any."""
    others = rng.choice(len(TYPES), len(holds))
    right = rng.random(len(holds)) < [hold.type_confidence or 0.0 for hold in holds]
    return {
        hold.id: hold.type if kept else TYPES[other]
        for hold, kept, other in zip(holds, right, others, strict=True)
    }  # fmt: skip


def _metres_a_pixel(wall: Wall, place: Array) -> float:
    """Metres along the wall that one reference pixel spans there."""
    aside = np.array([0.05, 0.0, 0.0])
    near = wall.project(np.stack([place - aside, place + aside]))
    return 0.1 / float(np.linalg.norm(near[1] - near[0]))
