"""Boxes that several looks at one picture agree upon."""

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
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    both = np.clip(high - low, 0, None).prod(-1)
    areas = (a[:, 2:] - a[:, :2]).prod(-1)[:, None] + (b[:, 2:] - b[:, :2]).prod(-1)[None]
    return np.asarray(both / np.maximum(areas - both, 1e-9))


def merged(found: Boxes, same: float = 0.5, alike: float = 0.65) -> Boxes:
    """One box for each object, in falling order of scores.

    Of boxes of one kind that overlap by ``same`` the surest stays, moved to the mean of those that overlap it by
    ``alike``, weighted by their scores.
    """
    kept: list[Boxes] = [Boxes(np.zeros((0, 4)), np.zeros(0), np.zeros(0, np.int64))]
    for kind in np.unique(found.kinds):
        mine = found.chosen(found.kinds == kind)
        mine = mine.chosen(np.argsort(-mine.scores, kind="stable"))
        iou = overlaps(mine.corners, mine.corners)
        free = np.ones(len(mine), bool)
        first = []
        corners = mine.corners.copy()
        for i in range(len(mine)):
            if not free[i]:
                continue
            first.append(i)
            free &= iou[i] < same
            voices = np.where(iou[i] >= alike, mine.scores, 0.0)
            corners[i] = voices @ mine.corners / voices.sum()
        which = np.array(first, np.int64)
        kept.append(Boxes(corners[which], mine.scores[which], mine.kinds[which]))
    every = joined(kept)
    return every.chosen(np.argsort(-every.scores, kind="stable"))
