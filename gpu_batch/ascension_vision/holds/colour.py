"""The names of holds' colours."""

import numpy as np
import numpy.typing as npt

# Lightness and hue angles in CIE Lab (D65), degrees, where one name ends and the next begins, for coloured pixels.
_HUES = ((14, "pink"), (48, "red"), (70, "orange"), (105, "yellow"), (182, "green"), (228, "turquoise"),
         (296, "blue"), (328, "purple"), (360, "pink"))  # fmt: skip
NAMES = ("black", "gray", "white", "brown", "red", "orange", "yellow", "green", "turquoise", "blue", "purple", "pink")
# Below this chroma a pixel is grey; where the sky lights a wall, grey things look blue, so blue takes more. Chalk and
# highlights are light and grey, shadow is dark and grey: if as much as this share of a hold is coloured, that is its
# colour.
_GRAY, _BLUISH_GRAY = 14.0, 21.0
_COLORED_SHARE = 0.3
_FEWEST = 6


def name_of(pixels: npt.NDArray[np.float32], wall: npt.NDArray[np.float32]) -> str | None:
    """One of ``NAMES`` for a hold's pixels ``(n, 3)`` in Lab; None if there are too few to tell.

    ``wall`` ``(k, 3)``: the wall's main colours in Lab. The lightest grey one tells what white
    looks like in this light.
    """
    if len(pixels) < _FEWEST:
        return None
    cast = _cast(wall)
    lightness, a, b = pixels[:, 0], pixels[:, 1] - cast[0], pixels[:, 2] - cast[1]
    chroma = np.hypot(a, b)
    # dark pixels cannot be colourful: what counts is chroma for their lightness
    bluish = (b < 0) & (np.abs(a) < -b)
    colored = chroma > np.where(bluish, _BLUISH_GRAY, _GRAY) * np.clip(lightness / 45, 0.55, 1.0)
    if colored.mean() < _COLORED_SHARE:
        return _gray(float(np.median(lightness)))
    weight = np.where(colored, chroma, 0)
    angle = np.degrees(
        np.arctan2((weight * b / np.maximum(chroma, 1e-6)).sum(), (weight * a / np.maximum(chroma, 1e-6)).sum())
    )
    light, strong = float(np.median(lightness[colored])), float(np.median(chroma[colored]))
    name = next(name for end, name in _HUES if angle % 360 < end)
    if name in ("orange", "yellow", "red") and strong < 34 and light < 62:
        return "brown"
    if name in ("orange", "yellow") and light < 40:
        return "brown"
    if name == "red" and light > 66:
        return "pink"
    return name


def _gray(lightness: float) -> str:
    return "black" if lightness < 36 else "white" if lightness > 74 else "gray"


def _cast(wall: npt.NDArray[np.float32]) -> tuple[float, float]:
    """Half of a, b of wall colours that are nearly grey: the rest may be their paint. (0, 0) where there is none."""
    near = wall[(np.hypot(wall[:, 1], wall[:, 2]) < 12) & (wall[:, 0] > 45)] if len(wall) else wall
    if not len(near):
        return 0.0, 0.0
    lightest = near[near[:, 0].argmax()]
    return float(lightest[1]) / 2, float(lightest[2]) / 2
