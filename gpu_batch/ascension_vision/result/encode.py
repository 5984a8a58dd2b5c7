"""Write motion as smooth curves in an adaptive arithmetic code. The reader is ``result.decode``; what it does not need
to know is here: where to round, so that no value is more than a step off."""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ascension_vision.result import decode

Array = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


class Stream:
    """Whole numbers to base64, for ``decode.Stream``."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._low, self._high = 0, 0xFFFFFF
        self._chances = [[32768, 0] for _ in range(decode.KINDS * decode.SIZES)]

    def number(self, kind: int, value: int) -> None:
        """Append a number."""
        self.count(kind, abs(value))
        if value:
            self._bit(int(value < 0), [32768, -1])

    def count(self, kind: int, value: int) -> None:
        """Append a number ≥ 0."""
        size = value.bit_length()
        if size >= decode.SIZES:
            raise ValueError(f"{value} has too many bits")
        for so_far in range(size):
            self._bit(1, self._chances[kind * decode.SIZES + so_far])
        self._bit(0, self._chances[kind * decode.SIZES + size])
        for place in range(size - 2, -1, -1):
            self._bit(value >> place & 1, [32768, -1])

    def text(self) -> str:
        """All that was written."""
        # The reader goes on with zeros; the bounds differ in their first byte, so the lower one's successor is between.
        tail = bytes([(self._low >> 16) + 1]) if self._low else b""
        return b64encode(bytes(self._bytes) + tail).decode()

    def _bit(self, bit: int, chance: list[int]) -> None:
        p, asked = chance
        middle = self._low + ((self._high - self._low) * p >> 16)
        if bit:
            self._high = middle
        else:
            self._low = middle + 1
        if asked >= 0:
            chance[0] += (65536 - p) // (asked + 2) if bit else -(p // (asked + 2))
            chance[1] = min(asked + 1, 30)
        while (self._low ^ self._high) < 1 << 16:
            self._bytes.append(self._low >> 16)
            self._low, self._high = self._low << 8 & 0xFFFFFF, self._high << 8 & 0xFFFFFF | 255


def steps(values: Iterable[int]) -> str:
    """Whole numbers that change evenly, for ``decode.steps``."""
    stream = Stream()
    last = speed = 0
    for value in values:
        stream.number(0, value - last - speed)
        last, speed = value, value - last
    return stream.text()


def curve(stream: Stream, target: Array, step: int) -> Whole:
    """``(rows,)`` numbers, for ``decode.curve``. Returns what it reads, at most one ``step`` off: a value so near to
    its interpolation stays there, which costs next to nothing and keeps the curve smooth."""
    rows = len(target)
    values = np.zeros(rows, dtype=np.int64)
    for i in range(0, rows, decode.ANCHORS):
        before = int(values[i - decode.ANCHORS]) if i else 0
        steps_on = _nearest((target[i] - before) / step)
        values[i] = before + step * steps_on
        stream.number(0, steps_on)
    for level, half in ((1, 8), (2, 4), (3, 2), (4, 1)):
        at = np.arange(half, rows, 2 * half)
        if not len(at):
            continue
        values[at] = _interpolated(values, at, half)
        errors = (target[at] - values[at]) / step
        corrections = np.where(np.abs(errors) <= 1, 0, np.rint(errors)).astype(np.int64)
        values[at] += step * corrections
        if level == 4:
            _write_sparse(stream, corrections)
        else:
            for correction in corrections.tolist():
                stream.number(level, correction)
    return values


def _write_sparse(stream: Stream, corrections: Whole) -> None:
    """Nearly all are 0: how many are before the first that is not, that one, how many are before the next, …"""
    places = np.flatnonzero(corrections)
    last = -1
    for place in places.tolist():
        stream.count(5, place - last - 1)
        stream.number(4, int(corrections[place]))
        last = place
    stream.count(5, len(corrections) - last - 1)


def _interpolated(values: Whole, at: npt.NDArray[np.intp], half: int) -> Whole:
    last = len(values) - 1
    left, right = values[at - half], values[np.minimum(at + half, last)]
    farther = values[np.maximum(at - 3 * half, 0)] + values[np.minimum(at + 3 * half, last)]
    cubic = 9 * (left + right) - farther + 8 >> 4
    inside = (at >= 3 * half) & (at + 3 * half <= last)
    result: Whole = np.where(at + half > last, left, np.where(inside, cubic, left + right >> 1))
    return result


def plane(
    target: Array,
    decimals: int,
    step: int,
    tree: Mapping[int, int | None],
    links: Whole | None = None,
) -> tuple[dict[str, Any], Whole]:
    """``(rows, channels)`` numbers, for ``decode.plane``, and what it reads.

    Args:
        step: of the corrections, and the largest error, in units of the last decimal.
        links: ``(rows, channels)`` whole numbers that the target is about proportional to.
    """
    fine = target * 10.0**decimals
    coded: dict[str, Any] = {"decimals": decimals, "step": step}
    predicted = np.zeros(target.shape, dtype=np.int64)
    if links is not None:
        power = float((links.astype(np.float64) ** 2).sum())
        coded["gain"] = _nearest(float((links * fine).sum()) / power * 2**17) if power else 0
        predicted = links * coded["gain"] >> 17
    read = np.zeros(target.shape, dtype=np.int64)
    stream = Stream()
    for i, parent in tree.items():
        base = 0 if parent is None else read[:, parent]
        read[:, i] = base + curve(stream, fine[:, i] - predicted[:, i] - base, step)
    return {**coded, "data": stream.text()}, read + predicted


def bones(target: Array, lengths: Whole, decimals: int, step: int) -> tuple[dict[str, Any], Whole]:
    """``(rows, 33, 3)`` numbers, for the decoder's bones, and what it reads.

    Args:
        lengths: of the way from each landmark's parent in units of the last decimal; 0 where it changes.
    """
    fine = target * 10.0**decimals
    streams = [Stream() for _ in range(3)]
    read = np.zeros(target.shape, dtype=np.int64)
    for i, parent in decode.TREE.items():
        base = np.zeros((len(target), 3), dtype=np.int64) if parent is None else read[:, parent]
        way = np.stack([curve(streams[k], fine[:, i, k] - base[:, k], step) for k in range(3)], axis=1)
        if lengths[i]:
            share = lengths[i] / np.sqrt(way[:, 0] * way[:, 0] + way[:, 1] * way[:, 1] + way[:, 2] * way[:, 2])
            way = np.floor(way * share[:, None] + 0.5).astype(np.int64)
        read[:, i] = base + way
    coded = {"decimals": decimals, "step": step}
    axes = {axis: {**coded, "data": streams[k].text()} for k, axis in enumerate("xyz")}
    return {**axes, "lengths": lengths.tolist()}, read


def runs(known: npt.NDArray[np.bool_]) -> list[int]:
    """``(frames,)`` as run lengths, alternately unknown and known, beginning with unknown."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [not known[-1] if len(known) else True]])))
    lengths = np.diff(np.concatenate([[0], edges]))
    return [int(length) for length in lengths]


def outlines(polygons: Iterable[Whole]) -> str:
    """Closed polygons ``(n, 2)`` in steps of 1/10000, for ``decode.holds``."""
    stream = Stream()
    for polygon in polygons:
        stream.count(0, len(polygon))
        last = (0, 0)
        for i, (x, y) in enumerate(polygon.tolist()):
            for now, before in zip((x, y), last, strict=True):
                stream.number(2 if i else 1, now - before)
            last = (x, y)
    return stream.text()


def _nearest(value: float) -> int:
    return int(np.rint(value))
