"""docs/result-format.md is enough: a decoder that was written from its text alone agrees with the test vectors.

It imports nothing of ours and is laid out as the text is, not as the reference decoders are.
"""

import json
import math
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

VECTORS = Path(__file__).resolve().parents[3] / "docs/result-vectors"
NAMES = sorted(path.name.removesuffix(".compact.json") for path in VECTORS.glob("*.compact.json"))
# The table of parents, column after column.
PARENTS = [(23, -1), (24, 23), (11, 23), (12, 11), (0, 11), *((i, 0) for i in range(1, 11))]
PARENTS += [(13, 11), (14, 12), (15, 13), (16, 14), (17, 15), (18, 16)]
PARENTS += [(19, 15), (20, 16), (21, 15), (22, 16), (25, 23), (26, 24)]
PARENTS += [(27, 25), (28, 26), (29, 27), (30, 28), (31, 27), (32, 28)]
LEFT_ANGLES = {
    "elbow": (11, 13, 15),
    "shoulder": (13, 11, 23),
    "hip": (11, 23, 25),
    "knee": (23, 25, 27),
    "ankle": (25, 27, 31),
}
PAIRED_SEGMENTS = [
    (0.0263, 0.576, [11], [13]),
    (0.015, 0.4565, [13], [15]),
    (0.00585, 0.766, [15], [17, 19]),
    (0.1447, 0.3895, [23], [25]),
    (0.0457, 0.4385, [25], [27]),
    (0.0133, 0.4215, [29], [31]),
]


def without_parents(count: int) -> list[tuple[int, int]]:
    return [(i, -1) for i in range(count)]


def bits_of(data: str) -> Iterator[int]:
    for byte in b64decode(data, validate=True):
        for place in range(7, -1, -1):
            yield byte >> place & 1


def plain(bits: Iterator[int], length: int) -> int:
    value = 0
    for _ in range(length):
        value = 2 * value + next(bits)
    return value


def a_count(bits: Iterator[int], order: int) -> int:
    ones = 0
    while next(bits):
        ones += 1
    return (ones << order) + plain(bits, order)


def read_plane(told: dict[str, Any], rows: int, channels: list[tuple[int, int]], links: Any = None) -> Any:
    curves = {channel: [0] * rows for channel, _ in channels}
    bits = bits_of(told["data"])
    half = 1
    while half < rows:
        half *= 2
    level = [0]
    while rows:
        skips, sizes = plain(bits, 4), plain(bits, 4)
        if level != [0]:
            for v in curves.values():
                for i in level:
                    v[i] = between(v, i, half)
        places = [(channel, i) for channel, _ in channels for i in level]
        at = a_count(bits, skips)
        while at < len(places):
            channel, i = places[at]
            c = a_count(bits, sizes)
            curves[channel][i] += told["step"] * ((c >> 1) + 1) * (-1 if c % 2 else 1)
            at += 1 + a_count(bits, skips)
        half //= 2
        if half == 0:
            break
        level = list(range(half, rows, 2 * half))
    for channel, parent in channels:
        if parent >= 0:
            curves[channel] = [own + above for own, above in zip(curves[channel], curves[parent], strict=True)]
    for i, link in enumerate(links or []):
        curves[i] = [own + (told["gain"] * shared >> 17) for own, shared in zip(curves[i], link, strict=True)]
    return [curves[i] for i in range(len(channels))]


def between(v: list[int], i: int, h: int) -> int:
    if i + h >= len(v):
        return v[i - h]
    if i - 3 * h < 0 or i + 3 * h >= len(v):
        return (v[i - h] + v[i + h]) >> 1
    return (9 * (v[i - h] + v[i + h]) - v[i - 3 * h] - v[i + 3 * h] + 8) >> 4


def decimals(told: dict[str, Any], channels: Any) -> Any:
    return [[value / 10 ** told["decimals"] for value in channel] for channel in channels]


def with_it(runs: list[int]) -> list[bool]:
    return [i % 2 == 1 for i, length in enumerate(runs) for _ in range(length)]


def over_frames(runs: list[int], rows: list[Any]) -> list[Any]:
    remaining = list(reversed(rows))
    return [remaining.pop() if there else None for there in with_it(runs)]


def to(places: int, value: float) -> float:
    power: int = 10**places
    return math.floor(value * power + 0.5) / power


def read_poses(told: dict[str, Any], t: list[float]) -> list[Any]:
    rows = sum(with_it(told["seen"]))
    whole = {name: read_plane(told[name], rows, PARENTS) for name in ("x", "y", "world_z")}
    for name in "xy":
        p = whole[name]
        links = [[2 * p[i][r] - p[23][r] - p[24][r] for r in range(rows)] for i in range(33)]
        whole[f"world_{name}"] = read_plane(told[f"world_{name}"], rows, PARENTS, links)
    whole["z"] = read_plane(
        told["z"], rows, PARENTS, [[2 * value for value in channel] for channel in whole["world_z"]]
    )
    whole["visibility"] = read_plane(told["visibility"], rows, without_parents(33))
    number = {name: decimals(told[name], channels) for name, channels in whole.items()}
    bodies = []
    for r in range(rows):
        x, y, z, seen, *space = (
            [channel[r] for channel in number[name]]
            for name in ("x", "y", "z", "visibility", "world_x", "world_y", "world_z")
        )
        world = [list(point) for point in zip(*space, strict=True)]
        landmarks = [[x[i], y[i], z[i], max(0, min(1, seen[i]))] for i in range(33)]
        angles = {}
        for name, (a, joint, b) in LEFT_ANGLES.items():
            for side in (0, 1):
                told_name = ("left_", "right_")[side] + name
                angles[told_name] = angle_at(world[joint + side], world[a + side], world[b + side])
        bodies.append({"landmarks": landmarks, "world": world, "angles": angles, "center_of_gravity": gravity(x, y)})
    phases = [word for word, n in zip(("before", "climb", "after"), told["phases"], strict=True) for _ in range(n)]
    nobody = {"landmarks": None, "world": None, "angles": None, "center_of_gravity": None}
    bodies = over_frames(told["seen"], bodies)
    return [{"t": t[i], "phase": phases[i], **(bodies[i] or nobody)} for i in range(len(t))]


def angle_at(joint: list[float], a: list[float], b: list[float]) -> float:
    u, v = ([end[k] - joint[k] for k in range(3)] for end in (a, b))
    cross = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]]
    return to(1, math.atan2(norm(cross), u[0] * v[0] + u[1] * v[1] + u[2] * v[2]) * 180 / math.pi)


def norm(way: list[float]) -> float:
    return math.sqrt(way[0] * way[0] + way[1] * way[1] + way[2] * way[2])


def gravity(x: list[float], y: list[float]) -> list[float]:
    segments = [(0.0681, 0.5, [11, 12], [7, 8]), (0.43015, 0.5035, [11, 12], [23, 24])]
    for mass, centre, start, end in PAIRED_SEGMENTS:
        segments += [(mass, centre, [i + side for i in start], [i + side for i in end]) for side in (0, 1)]
    told = []
    for axis in (x, y):
        total = masses = 0.0
        for mass, centre, start, end in segments:
            a, b = (sum(axis[i] for i in group) / len(group) for group in (start, end))
            total += mass * (a + centre * (b - a))
            masses += mass
        told.append(to(5, total / masses))
    return told


def read_camera(told: Any, count: int) -> dict[str, Any]:
    if told is None:
        return {"frames": [None] * count, "still": False}
    rows = sum(with_it(told["known"]))
    if told["still"]:
        matrices = [[[1, 0, 0], [0, 1, 0], [0, 0, 1]]] * rows
    else:
        corners = [(0, -1), (1, 0), (2, 0), (3, 0)]
        x, y = (decimals(told[axis], read_plane(told[axis], rows, corners)) for axis in "xy")
        matrices = [homography([c[r] for c in x], [c[r] for c in y]) for r in range(rows)]
    return {"frames": over_frames(told["known"], matrices), "still": told["still"]}


def homography(x: list[float], y: list[float]) -> Any:
    (ax, bx, sx), (ay, by, sy) = ((c[1] - c[2], c[3] - c[2], c[0] - c[1] + c[2] - c[3]) for c in (x, y))
    area = ax * by - bx * ay
    g, h = (sx * by - bx * sy) / area, (ax * sy - sx * ay) / area
    lines = [[c[1] - c[0] + g * c[1], c[3] - c[0] + h * c[3], c[0]] for c in (x, y)]
    return [[to(7, value) for value in line] for line in (*lines, [g, h, 1])]


def read_hold(told: dict[str, Any]) -> dict[str, Any]:
    x0, y0, x1, y1 = told["box"]
    x = y = 0
    outline = []
    for i in range(0, len(told["outline"]), 2):
        x, y = x + told["outline"][i], y + told["outline"][i + 1]
        outline.append([x / 10000, y / 10000])
    return {**told, "outline": outline, "center": [to(5, (x0 + x1) / 2), to(5, (y0 + y1) / 2)]}


def read_series(told: dict[str, Any], channels: int) -> list[Any]:
    rows = sum(with_it(told["known"]))
    columns = decimals(told, read_plane(told, rows, without_parents(channels)))
    return over_frames(told["known"], [[max(0, column[r]) for column in columns] for r in range(rows)])


def read_ghost(told: dict[str, Any], projection: Any, t: list[float], homographies: list[Any]) -> dict[str, Any]:
    [climber_t] = decimals(told["climber_t"], read_plane(told["climber_t"], told["count"], without_parents(1)))
    axes = [decimals(told[axis], read_plane(told[axis], told["count"], PARENTS)) for axis in "xyz"]
    loads = read_series(told["loads"], 4)
    frames = []
    for i in range(told["count"]):
        world = [[axis[mark][i] for axis in axes] for mark in range(33)]
        nearest = min(range(len(t)), key=lambda frame, now=climber_t[i]: (abs(t[frame] - now), frame))  # type: ignore[misc]
        seen = None if homographies[nearest] is None else seen_by(homographies[nearest], projection, world)
        own = {"t": to(4, i / told["rate"]), "climber_t": climber_t[i]}
        frames.append({**own, "landmarks": seen, "world": world, "loads": loads[i]})
    measures = {
        name: [entry and entry[0] for entry in read_series(values, 1)]
        for name, values in told["certificate"]["frames"].items()
    }
    certificate = {**told["certificate"], "frames": measures}
    return {"frames": frames, "contacts": told["contacts"], "certificate": certificate, "cues": told["cues"]}


def seen_by(h: Any, projection: Any, world: list[list[float]]) -> list[list[float]]:
    def cofactor(row: int, column: int) -> float:
        (a, b), (c, d) = (
            [h[(row + k) % 3][(column + 1) % 3], h[(row + k) % 3][(column + 2) % 3]] for k in (1, 2)
        )  # fmt: skip
        return float(a * d - b * c)

    m = []
    for i in range(3):
        adj = [cofactor(k, i) for k in range(3)]
        columns = zip(*projection, strict=True)
        m.append([adj[0] * p + adj[1] * q + adj[2] * r for p, q, r in columns])
    uvw = [[row[0] * x + row[1] * y + row[2] * z + row[3] for row in m] for x, y, z in world]
    hip_u, hip_w = ((uvw[23][k] + uvw[24][k]) / 2 for k in (0, 2))
    far = norm(m[2])
    scale = norm([m[0][k] - hip_u / hip_w * m[2][k] for k in range(3)]) / far if far else 0
    return [[to(5, u / w), to(5, v / w), to(4, (w / hip_w - 1) * scale), 1] for u, v, w in uvw]


def decoded(compact: dict[str, Any]) -> dict[str, Any]:
    assert compact["schema"] == "ascension.analysis.compact/3"
    same = ("revision", "video", "wall", "contacts", "moves", "absent", "metrics", "metrics_info", "quality")
    count = compact["video"]["frame_count"]
    clock = compact["poses"]["t"]
    [t] = decimals(clock, read_plane(clock, count, without_parents(1)))
    camera = read_camera(compact["camera"], count)
    holds, loads, ghost = compact["holds"], compact["loads"], compact["ghost"]
    return {
        **{part: compact[part] for part in same},
        "schema": "ascension.analysis/1",
        "poses": {"frames": read_poses(compact["poses"], t)},
        "camera": camera,
        "holds": None if holds is None else [read_hold(told) for told in holds],
        "loads": None if loads is None else {"frames": read_series(loads, 4)},
        "ghost": None if ghost is None else read_ghost(ghost, compact["wall"]["projection"], t, camera["frames"]),
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_decoder_written_from_the_text_alone_agrees_with_each_vector(name: str) -> None:
    compact, verbose = (
        json.loads((VECTORS / f"{name}.{spelling}.json").read_text()) for spelling in ("compact", "verbose")
    )
    assert decoded(compact) == verbose


def test_it_reads_the_texts_example_as_the_text_says() -> None:
    plane = {"decimals": 3, "step": 10, "data": "B1GAbIAQArA="}
    assert read_plane(plane, 6, without_parents(1)) == [[1000, 1015, 1050, 1075, 1100, 1120]]
