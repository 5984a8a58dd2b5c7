"""Write motion as channels: quantised, differenced, base64 VLQ. The reader is ``result.decode``."""

from typing import Any

import numpy as np
import numpy.typing as npt

_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def group(values: npt.NDArray[Any], scale: int) -> dict[str, Any]:
    """``(frames, channels)`` finite numbers, kept to the nearest ``1 / scale``."""
    return {"scale": scale, "data": [channel(column, scale) for column in np.asarray(values).T]}


def channel(values: npt.NDArray[Any], scale: int) -> str:
    """``(frames,)`` numbers as text, differenced once or twice, whichever is shorter."""
    steps = np.rint(np.asarray(values, dtype=np.float64) * scale).astype(np.int64)
    candidates = [f"{order}{_text(_differences(steps, order))}" for order in (1, 2)]
    return min(candidates, key=_cost)


def runs(seen: npt.NDArray[np.bool_]) -> list[int]:
    """``(frames,)`` as run lengths, alternately not seen and seen, beginning with not seen."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], seen, [not seen[-1] if len(seen) else True]])))
    lengths = np.diff(np.concatenate([[0], edges]))
    return [int(length) for length in lengths]


def _differences(steps: npt.NDArray[np.int64], order: int) -> npt.NDArray[np.int64]:
    for _ in range(order):
        steps = np.diff(steps, prepend=0)
    return steps


def _cost(text: str) -> float:
    """What the text costs after entropy coding, about: its length times its characters' entropy."""
    counts = np.unique(list(text), return_counts=True)[1]
    return float(-(counts * np.log2(counts / counts.sum())).sum())


def _text(integers: npt.NDArray[np.int64]) -> str:
    characters = []
    for integer in integers.tolist():
        rest = -integer << 1 | 1 if integer < 0 else integer << 1
        while rest > 31:
            characters.append(_DIGITS[rest & 31 | 32])
            rest >>= 5
        characters.append(_DIGITS[rest])
    return "".join(characters)
