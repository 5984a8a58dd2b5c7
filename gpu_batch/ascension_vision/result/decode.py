"""The reference decoder: a compact result (``ascension.analysis.compact/1``) in, the verbose one out.

It needs nothing but Python and may be copied into any client; docs/result-format.md describes the same in words.
Usable as a command too: ``python decode.py < compact.json > verbose.json``.
"""

import json
import sys
from typing import Any

COMPACT_SCHEMA = "ascension.analysis.compact/1"
VERBOSE_SCHEMA = "ascension.analysis/1"

_DIGITS = {c: i for i, c in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")}


def verbose(compact: dict[str, Any]) -> dict[str, Any]:
    """Spell a compact result out. Raises ``ValueError`` for another schema or a malformed channel."""
    if compact.get("schema") != COMPACT_SCHEMA:
        raise ValueError(f"not a compact result: schema {compact.get('schema')!r}")
    poses = compact["poses"]
    times = channel(poses["t"]["data"], poses["t"]["scale"], 3)
    x, y, z = (_group(poses[name], 5) for name in ("x", "y", "z"))
    visibility = _group(poses["visibility"], 3)
    world = [_group(poses[name], 4) for name in ("world_x", "world_y", "world_z")]
    angles = dict(zip(poses["angles"]["names"], _group(poses["angles"], 1), strict=True))
    gravity = _group(poses["center_of_gravity"], 5)

    phases = _phases(poses.get("phases"), len(times))

    frames: list[dict[str, Any]] = []
    row = 0  # channels hold values for the frames in which the climber is seen, and only for those
    for t, phase, seen in zip(times, phases, _presence(poses["seen"], len(times)), strict=True):
        if not seen:
            nothing = {"landmarks": None, "world": None, "angles": None, "center_of_gravity": None}
            frames.append({"t": t, "phase": phase, **nothing})
            continue
        body = range(len(x))
        frames.append(
            {
                "t": t,
                "phase": phase,
                "landmarks": [[x[i][row], y[i][row], z[i][row], visibility[i][row]] for i in body],
                "world": [[axis[i][row] for axis in world] for i in body],
                "angles": {name: values[row] for name, values in angles.items()},
                "center_of_gravity": [axis[row] for axis in gravity],
            }
        )
        row += 1

    result = {key: value for key, value in compact.items() if key not in ("schema", "poses", "camera")}
    camera = compact["camera"]
    return {
        "schema": VERBOSE_SCHEMA,
        **result,
        "poses": {"frames": frames},
        "camera": {"frames": [None] * len(frames)} if camera is None else camera,
    }


def _group(group: dict[str, Any], decimals: int) -> list[list[float]]:
    return [channel(text, group["scale"], decimals) for text in group["data"]]


def channel(text: str, scale: float, decimals: int) -> list[float]:
    """One channel: its first character says how often it was differenced, the rest are base64 VLQ integers."""
    if text[:1] not in ("1", "2"):
        raise ValueError(f"a channel begins with 1 or 2, not {text[:1]!r}")
    values = _integers(text[1:])
    for _ in range(int(text[0])):
        total = 0
        for i, step in enumerate(values):
            total += step
            values[i] = total
    return [round(value / scale, decimals) for value in values]


def _integers(text: str) -> list[int]:
    """Base64 VLQ as in source maps: five bits a character, the lowest first, 32 for "more follows"; sign in bit 0."""
    values, value, shift = [], 0, 0
    for character in text:
        digit = _DIGITS.get(character)
        if digit is None:
            raise ValueError(f"{character!r} is no digit of a channel")
        value += (digit & 31) << shift
        shift += 5
        if not digit & 32:
            values.append(-(value >> 1) if value & 1 else value >> 1)
            value, shift = 0, 0
    if shift:
        raise ValueError("a channel ends within a number")
    return values


def _presence(runs: list[int], count: int) -> list[bool]:
    """Run lengths, alternately of frames without and with the climber, beginning without."""
    seen = [bool(i % 2) for i, length in enumerate(runs) for _ in range(length)]
    if len(seen) != count:
        raise ValueError(f"{len(seen)} frames in the runs of `seen`, {count} times")
    return seen


def _phases(lengths: list[int] | None, count: int) -> list[str]:
    """Results made before phases were known have none: then all frames belong to the climb."""
    before, climb, after = lengths or (0, count, 0)
    if before + climb + after != count:
        raise ValueError(f"{before + climb + after} frames in `phases`, {count} times")
    return ["before"] * before + ["climb"] * climb + ["after"] * after


if __name__ == "__main__":
    json.dump(verbose(json.load(sys.stdin)), sys.stdout, separators=(",", ":"))
