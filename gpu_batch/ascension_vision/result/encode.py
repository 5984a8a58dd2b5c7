"""Write motion as sparse corrections of smooth curves. The reader is ``result.decode``; what it need not know is here:
where to round, so that no value is more than a step off, and how long the codes of the numbers are."""

from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ascension_vision.result import decode

Array = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

_LONGEST_ORDER = 15


def plane(
    target: Array, decimals: int, step: int, tree: decode.Tree, links: Whole | None = None
) -> tuple[dict[str, Any], Whole]:
    """``(rows, channels)`` numbers, for ``decode.plane``, and what it reads, at most one ``step`` off: a value so near
    to its interpolation stays there, which costs next to nothing and keeps the curve smooth.

    Args:
        step: of the corrections, and the largest error, in units of the last decimal.
        links: ``(rows, channels)`` whole numbers that the target is about proportional to.
    """
    fine = target * 10.0**decimals
    coded: dict[str, Any] = {"decimals": decimals, "step": step}
    predicted = np.zeros(target.shape, dtype=np.int64)
    if links is not None:
        power = float((links.astype(np.float64) ** 2).sum())
        coded["gain"] = int(np.rint(float((links * fine).sum()) / power * 2**17)) if power else 0
        predicted = links * coded["gain"] >> 17
    levels, read = _corrected(fine - predicted, step, tree, idle=1.0)
    return {**coded, **_packed(levels)}, read + predicted


def times(milliseconds: Whole) -> dict[str, Any]:
    """``(rows,)`` moments as a plane with one channel, exactly."""
    levels, _ = _corrected(milliseconds[:, None].astype(np.float64), 1, {0: None}, idle=0.0)
    return {"decimals": 3, "step": 1, **_packed(levels)}


def runs(known: npt.NDArray[np.bool_]) -> list[int]:
    """``(frames,)`` as run lengths, alternately unknown and known, beginning with unknown."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [not known[-1] if len(known) else True]])))
    lengths = np.diff(np.concatenate([[0], edges]))
    return [int(length) for length in lengths]


def outline(polygon: Whole) -> list[int]:
    """A closed polygon ``(n, 2)`` in 1/10000: x, y of the first point, then of the way to each following one."""
    ways: list[int] = np.diff(polygon, axis=0, prepend=np.zeros((1, 2), dtype=np.int64)).ravel().tolist()
    return ways


def _corrected(fine: Array, step: int, tree: decode.Tree, idle: float) -> tuple[list[Whole], Whole]:
    """The corrections of each level, in steps and in the order of telling them, and ``(rows, channels)`` as read.

    Args:
        idle: an interpolation that is so many steps off is not corrected.
    """
    rows = len(fine)
    count = max(rows - 1, 0).bit_length() + 1 if rows else 0
    levels: list[list[Whole]] = [[] for _ in range(count)]
    read = np.zeros(fine.shape, dtype=np.int64)
    for i, parent in tree.items():
        base = 0 if parent is None else read[:, parent]
        target, values = fine[:, i] - base, np.zeros(rows, dtype=np.int64)
        for level, corrections in enumerate(levels):
            half = 1 << count - 1 - level
            at = np.arange(half if level else 0, rows, 2 * half)
            values[at] = _predicted(values, at, half) if level else 0
            errors = (target[at] - values[at]) / step
            corrections.append(np.where(np.abs(errors) <= idle, 0, np.rint(errors)).astype(np.int64))
            values[at] += step * corrections[-1]
        read[:, i] = base + values
    return [np.concatenate(corrections) for corrections in levels], read


def _predicted(values: Whole, at: npt.NDArray[np.intp], half: int) -> Whole:
    last = len(values) - 1
    left, right = values[at - half], values[np.minimum(at + half, last)]
    farther = values[np.maximum(at - 3 * half, 0)] + values[np.minimum(at + 3 * half, last)]
    cubic = 9 * (left + right) - farther + 8 >> 4
    inside = (at >= 3 * half) & (at + 3 * half <= last)
    result: Whole = np.where(at + half > last, left, np.where(inside, cubic, left + right >> 1))
    return result


def _packed(levels: Sequence[Whole]) -> dict[str, Any]:
    """Each level's corrections as Golomb-Rice codes: how many are 0 before the next that is not, and that one."""
    bits = []
    for corrections in levels:
        places = np.flatnonzero(corrections)
        skips = np.diff(np.concatenate([[-1], places, [len(corrections)]])) - 1
        sizes = 2 * (np.abs(corrections[places]) - 1) + (corrections[places] < 0)
        near, far = _order(skips), _order(sizes)
        bits.append(f"{near:04b}{far:04b}")
        for skip, size in zip(skips.tolist(), sizes.tolist(), strict=False):
            bits += [_code(skip, near), _code(size, far)]
        bits.append(_code(int(skips[-1]), near))
    together = "".join(bits)
    length = -(-len(together) // 8)
    content = int(together.ljust(8 * length, "0") or "0", 2).to_bytes(length)
    return {"data": b64encode(content).decode()}


def _order(counts: Whole) -> int:
    """With how many low bits a Golomb-Rice code of the counts is shortest."""
    return int(np.argmin([(counts >> order).sum() + order * len(counts) for order in range(_LONGEST_ORDER + 1)]))


def _code(count: int, order: int) -> str:
    low = f"{count & (1 << order) - 1:0{order}b}" if order else ""
    return "1" * (count >> order) + "0" + low
