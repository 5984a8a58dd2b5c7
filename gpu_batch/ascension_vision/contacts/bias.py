"""By how much a clip's limbs are off all in the same way.

Landmarks lie off the wall, and are seen beside what they touch: lower at steep walls, to one side by a camera that
stands aside. The pose network draws feet too near to each other. All this is known roughly, from the wall and from how
it is on rendered climbs. What is left is the same for a whole clip, mirrored on the other side of the body or in one
direction for all limbs, and the holds tell it: what all rests lie beside in the same way is no coincidence.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ascension_vision.contacts.rests import Rest, find_rests
from ascension_vision.contacts.tips import Tips
from ascension_vision.contacts.touch import Touch
from ascension_vision.holds.hold import Hold
from ascension_vision.wall.wall import Wall

Array = npt.NDArray[np.float64]

# Torso lengths: how large the mirrored offset of hands or feet usually is, and their height's; how large the shift of
# all limbs; the largest of each that are looked for, in how many steps.
_STEP = 0.03
_USUAL, _STEPS = 0.09, 12
_USUAL_SHIFT, _SHIFT_STEPS = 0.06, 6
# Rests that were hardly seen say nothing.
_LEAST_LOOKS = 4.0
_KINDS = ((0, 1), (2, 3))
# So far off the wall are hands' and feet's landmarks, metres, and so far beside the middles of their holds (towards the
# other side of the body, down), torso lengths. Measured on 32 rendered climbs (docs/wall-and-contacts.md).
_OFF_WALL_M = (0.07, 0.16)
_BESIDE = ((0.05, -0.025), (0.05, -0.08))


def without_bias(tips: Tips, holds: Sequence[Hold], leaning: Array, wall: Wall | None = None) -> Tips:
    """The limbs' ends where they would be were they not all off in the same way.

    Args:
        holds: in reference pixels.
        leaning: ``(holds,)`` see ``Touch``.
        wall: how it stands before the camera, where that is known.
    """
    tips = _as_known(tips, wall)
    given_shift = []
    for limbs in _KINDS:
        touches = {limb: Touch(holds, limb, tips.place[:, limb], tips.torso, leaning) for limb in limbs}
        rests = [rest for limb in limbs for rest in find_rests(tips, limb, touches[limb])]
        given_shift.append(_offsets(rests, touches))
    shifts = _STEP * np.arange(-_SHIFT_STEPS, _SHIFT_STEPS + 1)
    evidence = np.sum([evidence for evidence, _ in given_shift], axis=0)
    chance = _chances(evidence - 0.5 * (shifts / _USUAL_SHIFT) ** 2)
    place = tips.place.copy()
    for limbs, (_, offsets) in zip(_KINDS, given_shift, strict=True):
        aside, down = chance @ offsets
        for limb in limbs:
            side = -1 if limb % 2 else 1
            place[:, limb] -= np.array([chance @ shifts + side * aside, down]) * tips.torso
    return replace(tips, place=place)


def _as_known(tips: Tips, wall: Wall | None) -> Tips:
    """The limbs' ends less what is known of all climbs."""
    place = tips.place.copy()
    for limbs, off_wall, (aside, down) in zip(_KINDS, _OFF_WALL_M, _BESIDE, strict=True):
        for limb in limbs:
            side = -1 if limb % 2 else 1
            if wall is not None:
                place[:, limb] = wall.project(wall.on_surface(place[:, limb], off_wall) * (1, 1, 0))
            place[:, limb] -= np.array([side * aside, down]) * tips.torso
    return replace(tips, place=place)


def _offsets(rests: Sequence[Rest], touches: dict[int, Touch]) -> tuple[Array, Array]:
    """For each shift of all limbs: ``(shifts,)`` how likely it makes the rests of hands or feet, a logarithm, and
    ``(shifts, 2)`` by how much they are then off to the climber's right (mirrored for limbs on the right) and down."""
    wide = _STEPS + _SHIFT_STEPS
    x, y = (_STEP * np.arange(-n, n + 1) for n in (wide, _STEPS))
    tried = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
    shape = 2 * wide + 1, 2 * _STEPS + 1
    by_side = np.zeros((2, *shape))
    for rest in rests:
        if rest.looks >= _LEAST_LOOKS:
            touch = touches[rest.limb]
            each = touch.each(rest.place - tried * touch.torso)
            likely = np.logaddexp(0, np.logaddexp.reduce(each, axis=1, initial=-np.inf))
            by_side[rest.limb % 2] += likely.reshape(shape)
    aside, down = np.meshgrid(y, y, indexing="ij")
    usual = -0.5 * (aside**2 + down**2) / _USUAL**2
    evidence, offsets = [], []
    for shift in range(2 * _SHIFT_STEPS + 1):
        columns = slice(shift, shift + 2 * _STEPS + 1)
        score = usual + by_side[0, columns] + by_side[1, columns][::-1]
        chance = _chances(score)
        evidence.append(score.max() + np.log(np.exp(score - score.max()).sum()))
        offsets.append([(chance * aside).sum(), (chance * down).sum()])
    return np.array(evidence), np.array(offsets)


def _chances(scores: Array) -> Array:
    chances = np.exp(scores - scores.max())
    return np.asarray(chances / chances.sum(), np.float64)
