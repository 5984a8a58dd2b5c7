"""Average precision at an overlap of 0.5, as COCO counts it: 101 recalls, precision made monotone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from ascension_vision.holds.boxes import overlaps

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Found:
    """What a detector says about one photo, and the truth: boxes (n, 4), scores (n,) and (m, 4), of one kind."""

    boxes: Array
    scores: Array
    truth: Array


@dataclass(frozen=True)
class Curve:
    """``right`` (n,) of the detections in falling order of ``scores`` (n,), and how many there were to find."""

    scores: Array
    right: npt.NDArray[np.bool_]
    wanted: int

    @property
    def precision(self) -> Array:
        return np.asarray(np.cumsum(self.right) / np.arange(1, len(self.right) + 1))

    @property
    def recall(self) -> Array:
        return np.asarray(np.cumsum(self.right) / max(self.wanted, 1))

    def average_precision(self) -> float:
        """Mean of the precision at recalls 0, 0.01 … 1: 0 where the recall is not reached. NaN without any truth."""
        if not self.wanted:
            return float("nan")
        best = np.maximum.accumulate(self.precision[::-1])[::-1]
        at = np.searchsorted(self.recall, np.linspace(0, 1, 101), side="left")
        return float(np.mean(np.append(best, 0.0)[np.minimum(at, len(best))]))


def curve(photos: Sequence[Found], least: float = 0.5) -> Curve:
    """Detections over all photos, each right if it overlaps a box not yet taken by ``least`` or more."""
    scores, right = [np.zeros(0)], [np.zeros(0, bool)]
    for photo in photos:
        order = np.argsort(-photo.scores, kind="stable")
        iou = overlaps(photo.boxes[order], photo.truth)
        free = np.ones(len(photo.truth), bool)
        hits = np.zeros(len(order), bool)
        for i in range(len(order)):
            possible = np.where(free, iou[i], 0.0) if len(free) else np.zeros(1)
            best = int(possible.argmax())
            if possible[best] >= least:
                free[best], hits[i] = False, True
        scores.append(photo.scores[order])
        right.append(hits)
    every, hit = np.concatenate(scores), np.concatenate(right)
    falling = np.argsort(-every, kind="stable")
    return Curve(every[falling], hit[falling], sum(len(photo.truth) for photo in photos))
