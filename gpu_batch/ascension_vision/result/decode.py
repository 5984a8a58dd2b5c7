"""The reference decoder: a compact result (``ascension.analysis.compact/2``) in, the verbose one out.

It needs nothing but Python and may be copied into any client; docs/result-format.md describes the same in words.
Usable as a command too: ``python decode.py < compact.json > verbose.json``.
"""

import json
import sys
from base64 import b64decode
from math import atan2, floor, pi, sqrt
from typing import Any

COMPACT_SCHEMA = "ascension.analysis.compact/2"
VERBOSE_SCHEMA = "ascension.analysis/1"

ANCHORS = 16  # rows between two values that are not interpolated
# Kinds of numbers, each with its own statistics: anchors, corrections of the four levels between them, runs of zeros;
# in each kind, one chance for every bit that a number's size may have.
KINDS, SIZES = 6, 32
# Each landmark is coded relative to another, its parent; in this order, parents first.
TREE = {
    23: None, 24: 23, 11: 23, 12: 11, 0: 11, **dict.fromkeys(range(1, 11), 0), 13: 11, 14: 12, 15: 13, 16: 14,
    17: 15, 18: 16, 19: 15, 20: 16, 21: 15, 22: 16, 25: 23, 26: 24, 27: 25, 28: 26, 29: 27, 30: 28, 31: 27, 32: 28,
}  # fmt: skip
CORNERS = {0: None, 1: 0, 2: 0, 3: 0}
ALONE = dict.fromkeys(range(33))
ANGLES = {
    "left_elbow": (11, 13, 15), "right_elbow": (12, 14, 16), "left_shoulder": (13, 11, 23),
    "right_shoulder": (14, 12, 24), "left_hip": (11, 23, 25), "right_hip": (12, 24, 26), "left_knee": (23, 25, 27),
    "right_knee": (24, 26, 28), "left_ankle": (25, 27, 31), "right_ankle": (26, 28, 32),
}  # fmt: skip
# (mass, where between the means of two groups of landmarks its centre lies, the groups)
SEGMENTS: list[tuple[float, float, tuple[int, ...], tuple[int, ...]]] = [
    (0.0681, 0.5, (11, 12), (7, 8)),
    (0.43015, 0.5035, (11, 12), (23, 24)),
]
for _mass, _centre, _from, _to in (
    (0.0263, 0.576, 11, (13,)), (0.015, 0.4565, 13, (15,)), (0.00585, 0.766, 15, (17, 19)), (0.1447, 0.3895, 23, (25,)),
    (0.0457, 0.4385, 25, (27,)), (0.0133, 0.4215, 29, (31,)),
):  # fmt: skip
    SEGMENTS += [(_mass, _centre, (_from + side,), tuple(i + side for i in _to)) for side in (0, 1)]


class Stream:
    """Whole numbers from base64: an adaptive binary arithmetic code with 24-bit bounds."""

    def __init__(self, text: str) -> None:
        self.bytes = b64decode(text)
        self.at, self.low, self.high, self.code = 0, 0, 0xFFFFFF, 0
        self.chances = [[32768, 0] for _ in range(KINDS * SIZES)]  # of a 1, in 65536ths, and how often asked
        for _ in range(3):
            self._byte()

    def number(self, kind: int) -> int:
        """The next number: a count and, unless it is 0, the sign."""
        magnitude = self.count(kind)
        return -magnitude if magnitude and self._bit([32768, -1]) else magnitude

    def count(self, kind: int) -> int:
        """The next number that is not negative: how many bits it has, as so many ones and a zero, then those bits."""
        size = 0
        while self._bit(self.chances[kind * SIZES + size]):
            size += 1
            if size == SIZES:
                raise ValueError("a stream is damaged")
        magnitude = min(size, 1)
        for _ in range(size - 1):
            magnitude = 2 * magnitude + self._bit([32768, -1])
        return magnitude

    def _bit(self, chance: list[int]) -> int:
        p, asked = chance
        middle = self.low + ((self.high - self.low) * p >> 16)
        one = self.code <= middle
        if one:
            self.high = middle
        else:
            self.low = middle + 1
        if asked >= 0:
            chance[0] += (65536 - p) // (asked + 2) if one else -(p // (asked + 2))
            chance[1] = min(asked + 1, 30)
        while (self.low ^ self.high) < 1 << 16:
            self.low, self.high = self.low << 8 & 0xFFFFFF, self.high << 8 & 0xFFFFFF | 255
            self._byte()
        return int(one)

    def _byte(self) -> None:
        following = self.bytes[self.at] if self.at < len(self.bytes) else 0
        self.code, self.at = self.code << 8 & 0xFFFFFF | following, self.at + 1


def steps(text: str, count: int) -> list[int]:
    """Whole numbers that change evenly, such as times: coded as second differences."""
    stream, values, speed, value = Stream(text), [], 0, 0
    for _ in range(count):
        speed += stream.number(0)
        value += speed
        values.append(value)
    return values


def curve(stream: Stream, rows: int, step: int) -> list[int]:
    """A smooth channel: anchors, then ever finer values between them, each a correction of its interpolation."""
    values = [0] * rows
    for i in range(0, rows, ANCHORS):
        values[i] = (values[i - ANCHORS] if i else 0) + step * stream.number(0)
    for level, half in ((1, 8), (2, 4), (3, 2), (4, 1)):
        zeros = stream.count(5) if level == 4 and rows > 1 else 0
        for i in range(half, rows, 2 * half):
            if i + half >= rows:
                values[i] = values[i - half]
            elif i < 3 * half or i + 3 * half >= rows:
                values[i] = values[i - half] + values[i + half] >> 1
            else:
                near, far = values[i - half] + values[i + half], values[i - 3 * half] + values[i + 3 * half]
                values[i] = 9 * near - far + 8 >> 4
            if zeros:
                zeros -= 1
            else:
                values[i] += step * stream.number(level)
                zeros = stream.count(5) if level == 4 else 0
    return values


def plane(coded: dict[str, Any], rows: int, tree: dict[int, int | None], links: list[list[int]] | None = None) -> Any:
    """``[channel][row]`` whole numbers: each its curve, plus its parent's, plus ``links`` times the plane's gain."""
    stream = Stream(coded["data"])
    channels: dict[int, list[int]] = {}
    for i, parent in tree.items():
        channels[i] = curve(stream, rows, coded["step"])
        if parent is not None:
            channels[i] = [a + b for a, b in zip(channels[i], channels[parent], strict=True)]
    if links is None:
        return [channels[i] for i in range(len(tree))]
    gain = coded["gain"]
    return [[a + (gain * b >> 17) for a, b in zip(channels[i], links[i], strict=True)] for i in range(len(tree))]


def presence(runs: list[int], count: int) -> list[bool]:
    """Run lengths, alternately of frames without and with something, beginning without."""
    known = [bool(i % 2) for i, length in enumerate(runs) for _ in range(length)]
    if len(known) != count:
        raise ValueError(f"{len(known)} frames in the runs, {count} expected")
    return known


def spread(rows: list[Any], known: list[bool]) -> list[Any]:
    """One entry a frame: the rows in turn where something is known, None elsewhere."""
    following = iter(rows)
    return [next(following) if there else None for there in known]


def poses(coded: dict[str, Any], times: list[float]) -> list[dict[str, Any]]:
    """``poses.frames`` of the verbose result."""
    seen = presence(coded["seen"], len(times))
    rows = sum(seen)
    image = [plane(coded[axis], rows, TREE) for axis in "xy"]
    links = [
        [[2 * a - b - c for a, b, c in zip(one, axis[23], axis[24], strict=True)] for one in axis] for axis in image
    ]
    world = [plane(coded[f"world_{axis}"], rows, TREE, link) for axis, link in zip("xy", links, strict=True)]
    world.append(plane(coded["world_z"], rows, TREE))
    depth = plane(coded["z"], rows, TREE, [[2 * value for value in channel] for channel in world[2]])
    visible = plane(coded["visibility"], rows, ALONE)
    units = [10 ** coded[name]["decimals"] for name in ("x", "y", "z", "visibility", "world_x")]
    bodies = []
    for row in range(rows):
        landmarks = [
            [image[0][i][row] / units[0], image[1][i][row] / units[1], depth[i][row] / units[2],
             min(max(visible[i][row], 0), units[3]) / units[3]]
            for i in range(33)
        ]  # fmt: skip
        space = [[axis[i][row] / units[4] for axis in world] for i in range(33)]
        angles = {name: angle(*(space[i] for i in joint)) for name, joint in ANGLES.items()}
        bodies.append(
            {"landmarks": landmarks, "world": space, "angles": angles, "center_of_gravity": gravity(landmarks)}
        )
    nothing = {"landmarks": None, "world": None, "angles": None, "center_of_gravity": None}
    before, climb, after = coded["phases"]
    phases = ["before"] * before + ["climb"] * climb + ["after"] * after
    return [
        {"t": t, "phase": phase, **(body or nothing)}
        for t, phase, body in zip(times, phases, spread(bodies, seen), strict=True)
    ]


def angle(a: list[float], joint: list[float], b: list[float]) -> float:
    """Degrees between the ways from a joint to its neighbours."""
    (ux, uy, uz), (vx, vy, vz) = ([end[k] - joint[k] for k in range(3)] for end in (a, b))
    cx, cy, cz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    return rounded(atan2(sqrt(cx * cx + cy * cy + cz * cz), ux * vx + uy * vy + uz * vz) * 180 / pi, 1)


def gravity(points: list[list[float]]) -> list[float]:
    """Where the centre of gravity is seen."""
    total, masses = [0.0, 0.0], 0.0
    for mass, centre, start, end in SEGMENTS:
        for k in range(2):
            a, b = _mean([points[i][k] for i in start]), _mean([points[i][k] for i in end])
            total[k] += mass * (a + centre * (b - a))
        masses += mass
    return [rounded(value / masses, 5) for value in total]


def _mean(values: list[float]) -> float:
    return values[0] if len(values) == 1 else (values[0] + values[1]) / 2


def rounded(value: float, decimals: int) -> float:
    """To the nearest, halves upwards."""
    power: int = 10**decimals
    return floor(value * power + 0.5) / power


def camera(coded: dict[str, Any] | None, count: int) -> dict[str, Any]:
    """``camera`` of the verbose result: from the frame's corners (0, 0), (1, 0), (1, 1), (0, 1) as the reference has
    them (P. Heckbert 1989, section 2.2.3)."""
    if coded is None:
        return {"frames": [None] * count, "still": False}
    known = presence(coded["known"], count)
    if coded["still"]:
        return {"frames": spread([[[1, 0, 0], [0, 1, 0], [0, 0, 1]] for _ in range(sum(known))], known), "still": True}
    corners = [plane(coded[axis], sum(known), CORNERS) for axis in "xy"]
    unit = 10 ** coded["x"]["decimals"]
    matrices = []
    for row in range(sum(known)):
        (x0, x1, x2, x3), (y0, y1, y2, y3) = ([corner[row] / unit for corner in axis] for axis in corners)
        ax, bx, sx = x1 - x2, x3 - x2, x0 - x1 + x2 - x3
        ay, by, sy = y1 - y2, y3 - y2, y0 - y1 + y2 - y3
        area = ax * by - bx * ay
        g, h = (sx * by - bx * sy) / area, (ax * sy - sx * ay) / area
        matrix = [[x1 - x0 + g * x1, x3 - x0 + h * x3, x0], [y1 - y0 + g * y1, y3 - y0 + h * y3, y0], [g, h, 1]]
        matrices.append([[rounded(value, 7) for value in line] for line in matrix])
    return {"frames": spread(matrices, known), "still": False}


def holds(coded: list[dict[str, Any]] | None, outlines: str | None) -> list[dict[str, Any]] | None:
    """``holds`` of the verbose result."""
    if coded is None:
        return None
    stream, spelled = Stream(outlines or ""), []
    for hold in coded:
        x = y = 0
        outline = []
        for i in range(stream.count(0)):
            x, y = x + stream.number(2 if i else 1), y + stream.number(2 if i else 1)
            outline.append([x / 10000, y / 10000])
        x0, y0, x1, y1 = hold["box"]
        spelled.append({**hold, "center": [rounded((x0 + x1) / 2, 5), rounded((y0 + y1) / 2, 5)], "outline": outline})
    return spelled


def series(coded: dict[str, Any] | None, count: int, channels: int) -> list[list[float] | None]:
    """Some numbers a frame, or None."""
    if coded is None:
        return [None] * count
    known = presence(coded["known"], count)
    columns, unit = plane(coded, sum(known), dict.fromkeys(range(channels))), 10 ** coded["decimals"]
    return spread([[max(column[row], 0) / unit for column in columns] for row in range(sum(known))], known)


def ghost(compact: dict[str, Any], times: list[float], homographies: list[Any]) -> dict[str, Any] | None:
    """``ghost`` of the verbose result."""
    coded = compact["ghost"]
    if coded is None:
        return None
    count = coded["count"]
    climber = [value / 1000 for value in steps(coded["climber_t"], count)]
    body, unit = _bones(coded, count), 10 ** coded["x"]["decimals"]
    loads = series(coded["loads"], count, 4)
    frames, near = [], 0
    for i in range(count):
        while near + 1 < len(times) and abs(times[near + 1] - climber[i]) < abs(times[near] - climber[i]):
            near += 1
        world = [[value / unit for value in body[mark][i]] for mark in range(33)]
        frames.append(
            {
                "t": rounded(i / coded["rate"], 4),
                "climber_t": climber[i],
                "landmarks": seen_from(compact["wall"]["projection"], homographies[near], world),
                "world": world,
                "loads": loads[i],
            }
        )
    certificate = dict(coded["certificate"])
    measures = {name: series(values, count, 1) for name, values in certificate.get("frames", {}).items()}
    certificate["frames"] = {name: [value and value[0] for value in values] for name, values in measures.items()}
    return {**{key: coded[key] for key in ("contacts", "cues")}, "certificate": certificate, "frames": frames}


def _bones(coded: dict[str, Any], rows: int) -> list[list[list[int]]]:
    """``[landmark][row]`` x, y, z: each landmark's way from its parent, made as long as the bone is."""
    streams = [Stream(coded[axis]["data"]) for axis in "xyz"]
    body: dict[int, list[list[int]]] = {}
    for i, parent in TREE.items():
        ways = [curve(s, rows, coded[axis]["step"]) for s, axis in zip(streams, "xyz", strict=True)]
        length, body[i] = coded["lengths"][i], []
        for row, (x, y, z) in enumerate(zip(*ways, strict=True)):
            if length:
                share = length / sqrt(x * x + y * y + z * z)
                x, y, z = floor(x * share + 0.5), floor(y * share + 0.5), floor(z * share + 0.5)
            a, b, c = (0, 0, 0) if parent is None else body[parent][row]
            body[i].append([x + a, y + b, z + c])
    return [body[i] for i in range(33)]


def seen_from(projection: list[list[float]], to_reference: Any, points: list[list[float]]) -> list[list[float]] | None:
    """Points on the wall as a frame sees them, with depth from the middle of the hips; None where that is unknown."""
    if to_reference is None:
        return None
    (a, b, c), (d, e, f), (g, h, k) = to_reference
    back = [
        [e * k - f * h, c * h - b * k, b * f - c * e],
        [f * g - d * k, a * k - c * g, c * d - a * f],
        [d * h - e * g, b * g - a * h, a * e - b * d],
    ]
    eye = [[sum3(*(back[i][k] * projection[k][j] for k in range(3))) for j in range(4)] for i in range(3)]
    seen = [[sum3(row[0] * x, row[1] * y, row[2] * z) + row[3] for row in eye] for x, y, z in points]
    u, w = ((seen[23][k] + seen[24][k]) / 2 for k in (0, 2))  # the middle of the hips
    across, along = [eye[0][j] - u / w * eye[2][j] for j in range(3)], eye[2][:3]
    far = sqrt(sum3(*(value * value for value in along)))
    depth = sqrt(sum3(*(value * value for value in across))) / far if far else 0.0
    return [[rounded(x / z, 5), rounded(y / z, 5), rounded((z / w - 1) * depth, 4), 1] for x, y, z in seen]


def sum3(a: float, b: float, c: float) -> float:
    """From left to right, so that every language comes to the same last digit."""
    return a + b + c


def verbose(compact: dict[str, Any]) -> dict[str, Any]:
    """Spell a compact result out. Raises ``ValueError`` for another schema or a malformed part."""
    if compact.get("schema") != COMPACT_SCHEMA:
        raise ValueError(f"not a compact result: schema {compact.get('schema')!r}")
    count = compact["video"]["frame_count"]
    times = [value / 1000 for value in steps(compact["poses"]["t"], count)]
    seen_by = camera(compact["camera"], count)
    loads = compact["loads"]
    result = {key: value for key, value in compact.items() if key not in ("schema", "outlines")}
    return {
        "schema": VERBOSE_SCHEMA,
        **result,
        "poses": {"frames": poses(compact["poses"], times)},
        "camera": seen_by,
        "holds": holds(compact["holds"], compact["outlines"]),
        "loads": None if loads is None else {"frames": series(loads, count, 4)},
        "ghost": ghost(compact, times, seen_by["frames"]),
    }


if __name__ == "__main__":
    json.dump(verbose(json.load(sys.stdin)), sys.stdout, separators=(",", ":"))
