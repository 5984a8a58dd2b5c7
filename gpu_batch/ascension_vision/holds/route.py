"""Which holds seem to belong to one route: those of one colour that hang within reach of each other."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

# Wooden and grey holds and volumes serve many routes.
_SHARED = ("gray", "brown")
_FEWEST = 3
# Holds of one colour farther apart than this share of the wall's shown diagonal are of two routes.
_GAP = 0.3


def routes(centers: npt.NDArray[np.float64], colors: Sequence[str | None], kinds: Sequence[str]) -> list[int | None]:
    """A number for each hold, counted from the largest route; None for holds that seem to belong to none.

    Args:
        centers: ``(n, 2)`` pixels.
        colors: names, or None.
        kinds: volumes belong to no route: setters leave them for all.
    """
    count = len(colors)
    if not count:
        return []
    diagonal = float(np.linalg.norm(np.ptp(centers, axis=0)))
    groups: list[list[int]] = []
    for color in sorted({c for c in colors if c is not None and c not in _SHARED}):
        mine = [i for i in range(count) if colors[i] == color and kinds[i] == "hold"]
        groups.extend(_near(centers, mine, _GAP * diagonal))
    answer: list[int | None] = [None] * count
    groups = sorted((g for g in groups if len(g) >= _FEWEST), key=lambda g: (-len(g), g[0]))
    for number, group in enumerate(groups):
        for i in group:
            answer[i] = number
    return answer


def _near(centers: npt.NDArray[np.float64], of: list[int], gap: float) -> list[list[int]]:
    """``of`` in groups in which each member is no farther than ``gap`` from another."""
    left, groups = set(of), []
    while left:
        group = [min(left)]
        left.discard(group[0])
        for i in group:  # grows while it is walked through
            close = [j for j in sorted(left) if np.linalg.norm(centers[i] - centers[j]) <= gap]
            left.difference_update(close)
            group.extend(close)
        groups.append(sorted(group))
    return groups
