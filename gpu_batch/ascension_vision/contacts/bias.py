"""By how much a clip's limbs are off all in the same way.

The pose network places feet at steep walls, and hands, beside where they are, for a whole clip in the same way and
mirrored on the other side of the body. A camera that stands aside sees all that is off the wall moved to one side. The
holds tell: what all rests lie beside in the same way is no coincidence.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ascension_vision.contacts.rests import Rest, find_rests
from ascension_vision.contacts.tips import Tips
from ascension_vision.contacts.touch import Touch
from ascension_vision.holds.hold import Hold

Array = npt.NDArray[np.float64]

# Torso lengths: how large the mirrored offset of hands or feet usually is, and their height's; how large the shift of
# all limbs; the largest of each that are looked for, in how many steps.
_STEP = 0.03
_USUAL, _STEPS = 0.12, 12
_USUAL_SHIFT, _SHIFT_STEPS = 0.08, 6
# Rests that were hardly seen say nothing.
_LEAST_LOOKS = 4.0
_KINDS = ((0, 1), (2, 3))


def without_bias(tips: Tips, holds: Sequence[Hold], leaning: Array) -> Tips:
    """The limbs' ends where they would be were they not all off in the same way."""
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
