"""Boxes that several looks at one picture agree upon."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Boxes:
    """Detections: ``corners`` (n, 4) x0, y0, x1, y1 in pixels, ``scores`` (n,) 0 … 1, ``kinds`` (n,) into KINDS."""

    corners: Array
    scores: Array
    kinds: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.scores)

    def chosen(self, which: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> "Boxes":
        """Some of them."""
        return Boxes(self.corners[which], self.scores[which], self.kinds[which])


def joined(parts: list[Boxes]) -> Boxes:
    """All of them."""
    return Boxes(
        np.concatenate([part.corners for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.kinds for part in parts]),
    )


def overlaps(a: Array, b: Array) -> Array:
    """Intersection over union of boxes (n, 4) with boxes (m, 4): (n, m)."""
    both = _shared(a, b, 0) * _shared(a, b, 1)
    areas = (a[:, 2:] - a[:, :2]).prod(-1)[:, None] + (b[:, 2:] - b[:, :2]).prod(-1)[None]
    areas -= both
    both /= np.maximum(areas, 1e-9, out=areas)
    return both


def _shared(a: Array, b: Array, axis: int) -> Array:
    """(n, m) how long the stretch is along an axis that two boxes have in common."""
    length: Array = np.minimum(a[:, None, 2 + axis], b[None, :, 2 + axis])
    length -= np.maximum(a[:, None, axis], b[None, :, axis])
    return np.maximum(length, 0, out=length)


def merged(found: Boxes, same: float = 0.5, alike: float = 0.65) -> Boxes:
    """One box for each object, in falling order of scores.

    Of boxes of one kind that overlap by ``same`` the surest stays, moved to the mean of those that overlap it by
    ``alike``, weighted by their scores.
    """
    return agreed([found], same, alike)


def agreed(looks: Sequence[Boxes], same: float = 0.5, alike: float = 0.65) -> Boxes:
    """The same for what several looks found: an object's score is the mean of each look's surest box of it, 0 for a
    look that has none."""
    found = joined(list(looks))
    by = np.repeat(np.arange(len(looks)), [len(look) for look in looks])
    kept: list[Boxes] = [Boxes(np.zeros((0, 4)), np.zeros(0), np.zeros(0, np.int64))]
    for kind in np.unique(found.kinds):
        order = np.flatnonzero(found.kinds == kind)
        order = order[np.argsort(-found.scores[order], kind="stable")]
        mine, whose = found.chosen(order), by[order]
        iou = overlaps(mine.corners, mine.corners)
        free = np.ones(len(mine), bool)
        first = []
        corners, scores = mine.corners.copy(), mine.scores.copy()
        for i in range(len(mine)):
            if not free[i]:
                continue
            first.append(i)
            voices = np.where(iou[i] >= alike, mine.scores, 0.0)
            corners[i] = voices @ mine.corners / voices.sum()
            one = free & (iou[i] >= same)
            free &= ~one
            if len(looks) > 1:
                surest = np.zeros(len(looks))
                np.maximum.at(surest, whose[one], mine.scores[one])
                scores[i] = surest.mean()
        which = np.array(first, np.int64)
        kept.append(Boxes(corners[which], scores[which], mine.kinds[which]))
    every = joined(kept)
    return every.chosen(np.argsort(-every.scores, kind="stable"))
