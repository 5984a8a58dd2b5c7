"""How long a climber's bones are."""

from dataclasses import astuple, dataclass, fields
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

# Shares of the height. De Leva 1996 (see ``gravity``), mean of his women of 1.735 m and men of 1.741 m: trunk (from
# the middle of the shoulder joints to that of the hip joints), upper arm, forearm, hand (wrist to third knuckle),
# thigh, shank, foot, head. Widths: Winter 2009, *Biomechanics and Motor Control of Human Movement*, after Drillis and
# Contini 1966: shoulders 0.259 across less the deltoids, hip joints 0.127 apart; eyes at 0.936, shoulders at 0.818.
_SHARES: Final = {
    "trunk": 0.2915,
    "shoulders": 0.2008,
    "hips": 0.1272,
    "upper_arm": 0.1602,
    "forearm": 0.1534,
    "hand": 0.0472,
    "thigh": 0.2274,
    "shank": 0.2492,
    "foot": 0.1399,
    "head": 0.1161,
    "neck": 0.1150,
}
# How much people of equal height differ, as a share of each length: half of what lies between de Leva's women and men,
# and more where a network's idea of hips, shoulders and hands differs from an anatomist's.
SPREAD: Final = dict.fromkeys(_SHARES, 0.08) | dict.fromkeys(
    ("upper_arm", "forearm", "thigh", "shank", "head", "neck"), 0.03
)

# Pairs of landmarks whose distance is so many of that length; the means of both sides are used.
_SEEN: Final = {
    "shoulders": (((11, 12),), 1.0),
    "hips": (((23, 24),), 1.0),
    "upper_arm": (((11, 13), (12, 14)), 1.0),
    "forearm": (((13, 15), (14, 16)), 1.0),
    "thigh": (((23, 25), (24, 26)), 1.0),
    "shank": (((25, 27), (26, 28)), 1.0),
    "foot": (((29, 31), (30, 32)), 0.82),
}


@dataclass(frozen=True)
class Lengths:
    """Metres. Both sides of a body are taken to be equal.

    Attributes:
        trunk: from the middle of the hips to the middle of the shoulders, upright.
        shoulders, hips: from left to right.
        hand: from the wrist to the knuckles.
        foot: heel to tip; the landmarks of heel and toe are 0.82 of it apart.
        head: chin to crown.
        neck: from the middle of the shoulders to that of the ears.
    """

    trunk: float
    shoulders: float
    hips: float
    upper_arm: float
    forearm: float
    hand: float
    thigh: float
    shank: float
    foot: float
    head: float
    neck: float

    @classmethod
    def from_height(cls, height_m: float) -> "Lengths":
        """A person of average proportions."""
        return cls(**{name: share * height_m for name, share in _SHARES.items()})

    @classmethod
    def from_landmarks(cls, landmarks: npt.NDArray[Any], visibility: npt.NDArray[Any] | None = None) -> "Lengths":
        """From bodies in space: the median of each bone, pulled towards average proportions of their common height.

        Args:
            landmarks: ``(n, 33, 3)`` metres in any frame.
            visibility: ``(n, 33)`` 0 … 1; bones with an end that is hardly seen are left out.
        """
        seen = np.isfinite(landmarks[..., 0])
        if visibility is not None:
            seen = seen & (visibility >= 0.5)
        ratios = {}
        for name, (pairs, factor) in _SEEN.items():
            found = np.concatenate(
                [np.linalg.norm(landmarks[:, a] - landmarks[:, b], axis=-1)[seen[:, a] & seen[:, b]] for a, b in pairs]
            )
            if len(found):
                ratios[name] = float(np.median(found)) / factor / _SHARES[name]
        if not ratios:
            raise ValueError("no bone is seen")
        height = float(np.median([ratios[name] for name in ratios]))
        # A bone that was measured counts as much as what is known about people.
        return cls(
            **{name: share * (height + ratios.get(name, height)) / 2 for name, share in _SHARES.items()},
        )

    @property
    def height(self) -> float:
        """Of the person of average proportions whose trunk, arms and legs are as long together, metres."""
        long = ("trunk", "upper_arm", "forearm", "thigh", "shank")
        return float(sum(getattr(self, name) for name in long) / sum(_SHARES[name] for name in long))

    def array(self) -> Array:
        """``(11,)`` in the order of the fields."""
        return np.array(astuple(self))


LENGTHS: Final = tuple(field.name for field in fields(Lengths))
