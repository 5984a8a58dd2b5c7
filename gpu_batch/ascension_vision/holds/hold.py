"""One hold, as the rest of the analysis knows it."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Kind = Literal["hold", "volume"]

TYPES = ("jug", "crimp", "sloper", "pinch", "pocket", "edge", "foothold", "volume")
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Hold:
    """A hold or a volume on the wall.

    Attributes:
        id: 0, 1, 2, … in one analysis; never given twice, not even after corrections.
        type: one of ``TYPES``, or ``UNKNOWN``.
        type_confidence: 0 … 1, how often a type said so surely is right on rendered holds; None where unknown.
        confidence: 0 … 1, that there is a hold.
        box: x0, y0, x1, y1 in reference pixels.
        outline: ``(n, 2)`` reference pixels, a closed polygon.
        color: its name, None where it cannot be told.
        route: the same number for holds that seem to belong together; None where that cannot be told.
        wall_m: x, y, z in the wall frame, metres; None where the scale is unknown.
        wall_error_cm: half width of the interval that holds the true place in nine of ten cases.
        by: who found it: the detector, the user, or the limb that rests where nobody sees the wall.
    """

    id: int
    kind: Kind
    type: str
    type_confidence: float | None
    confidence: float
    box: tuple[float, float, float, float]
    outline: Array
    color: str | None = None
    route: int | None = None
    wall_m: tuple[float, float, float] | None = None
    wall_error_cm: float | None = None
    by: Literal["detector", "user", "limb"] = "detector"

    @property
    def center(self) -> tuple[float, float]:
        """The middle of the box, reference pixels."""
        x0, y0, x1, y1 = self.box
        return (x0 + x1) / 2, (y0 + y1) / 2

    def shifted(self, origin: tuple[float, float]) -> "Hold":
        """A hold in a picture's pixels, as one in the pixels in which the picture's upper left corner is ``origin``."""
        (x, y), (x0, y0, x1, y1) = origin, self.box
        return replace(self, box=(x0 + x, y0 + y, x1 + x, y1 + y), outline=self.outline + origin)
