"""How well a network does on the photos that choices are made with."""

from collections.abc import Sequence

import numpy as np
from ascension_vision.holds.boxes import Boxes
from ascension_vision.holds.looking import look
from ascension_vision.holds.network import KINDS, HoldNetwork

from training.holds.photos import Photo
from training.holds.precision import Curve, Found, curve


def tuned(network: HoldNetwork, photos: Sequence[Photo], side: float = 1110) -> dict[str, float]:
    """Average precision of both kinds in one look: quicker than, and not as good as, the looks in use."""
    curves = measured(photos, [look(network, photo.image, [side], [side])[0] for photo in photos])
    return {f"ap50_{kind}": c.average_precision() for kind, c in curves.items()}


def measured(photos: Sequence[Photo], found: Sequence[Boxes]) -> dict[str, Curve]:
    """Precision and recall of what was found in the photos, by kind."""
    curves: dict[str, Curve] = {}
    for number, kind in enumerate(KINDS):
        pairs = []
        for photo, boxes in zip(photos, found, strict=True):
            mine = boxes.chosen(boxes.kinds == number)
            truth = photo.boxes[photo.kinds == number].astype(np.float64)
            pairs.append(Found(mine.corners, mine.scores, truth))
        curves[kind] = curve(pairs)
    return curves
