"""How many bytes a result takes, beside other ways to write the same, how far its landmarks are off, and how long plain
Python reads it. What Chromium takes is part of ``bench.page``.

The clips are the sample that ``make demo`` renders, every real climb at hand, and a planned one that is meant to be
hard: a clumsy climber whose landmarks tremble, filmed by a moving hand. All are scaled to 900 frames.
"""

import gzip
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import brotli  # type: ignore[import-untyped]
import msgpack  # type: ignore[import-untyped]
import numpy as np
from ascension_vision.analysis import Options, analyze
from ascension_vision.body.angles import joint_angles
from ascension_vision.observations import Observations
from ascension_vision.pose.following import Poses
from ascension_vision.result import decode
from ascension_vision.result.document import compact
from ascension_vision.scene import CameraOptions, SceneOptions, StyleOptions, plan_scene
from ascension_vision.scene.film import write_sample

from bench.climbs import FOLDER
from bench.report import Goal, Report, Table
from bench.surroundings import ROOT
from tests.unit.vision import perfect

FRAMES = 900
GOAL_BYTES, GOAL_GHOST_BYTES = 50_000, 80_000
GOAL_MEDIAN_PX, GOAL_P99_PX = 1.0, 2.0
DECODINGS = 3
# What grows with the frames; of the Ghost, all but its cues and the summary of its certificate.
_GROWING = ("poses", "camera", "contacts", "moves", "loads")
_SHARED = Path(os.environ.get("ASCENSION_SHARED_DATA") or ROOT.parent / "shared/data")


@dataclass(frozen=True)
class Subject:
    """A result and the poses that it was made from."""

    name: str
    document: dict[str, Any]
    poses: Poses


def measure() -> Report:
    """Analyse the clips and write each result in every way. Minutes: the analysis is the whole one."""
    sizes = Table(
        f"Bytes per {FRAMES} frames",
        [
            "clip", "frames", "Ghost", "verbose JSON", "gzip", "MessagePack", "gzip", "compact JSON", "gzip", "brotli",
        ],
    )  # fmt: skip
    errors = Table(
        f"What decoding changes, pixels of a 1080p frame, metres, degrees; and milliseconds of CPU per {FRAMES} frames",
        ["clip", "landmarks, median", "p99", "most", "world, p99", "angles, median", "p99", "decoding in Python"],
    )
    goals = []
    for subject in _subjects():
        told: dict[str, bool] = {"without": False} | ({"with": True} if subject.document["ghost"] else {})
        for word, with_ghost in told.items():
            row = _sizes(subject.document if with_ghost else subject.document | {"ghost": None})
            sizes.rows.append([subject.name, len(subject.poses.t), word, *row])
            limit = GOAL_GHOST_BYTES if with_ghost else GOAL_BYTES
            goals.append(Goal(f"{subject.name} {word} Ghost: at most {limit} bytes ({row[-2]})", row[-2] <= limit))
        off = _errors(subject)
        errors.rows.append([subject.name, *off, _decoding_ms(subject.document)])
        good = off[0] <= GOAL_MEDIAN_PX and off[1] <= GOAL_P99_PX
        goals.append(Goal(f"{subject.name}: within {GOAL_MEDIAN_PX} pixel, {GOAL_P99_PX} at p99", good))
    return Report(
        tables=[sizes, errors],
        goals=goals,
        notes=[
            f"Scaled to {FRAMES} frames by what grows with them: poses, camera, loads, contacts, moves, and the Ghost "
            "without its cues and its certificate's summary, packed alone. Holds, wall and what is said about metrics "
            "count once."
        ],
        packages=("msgpack", "brotli"),
    )


def _subjects() -> Iterator[Subject]:
    yield _hard()
    sample = FOLDER / "format-sample"
    if not (sample / "sample.mp4").exists():
        write_sample(sample, SceneOptions())
    films = [sample / "sample.mp4", *sorted((_SHARED / "clips").glob("*.mp4"))]
    for film in films:
        analysis = analyze(film, Options(generate_ghost=True))
        yield Subject(film.stem, analysis.compact(), Observations.unpack(analysis.kept()).poses)


def _hard() -> Subject:
    camera, style = CameraOptions(pan=0.6, shake_deg=0.5), StyleOptions.graded(0.8)
    scene = plan_scene(SceneOptions(seed=8, duration_s=30.0, width=1080, height=1920, camera=camera, style=style))
    found = perfect.findings(scene, tremble_px=8.0)
    return Subject("planned, hard", compact(found), found.poses)


def _sizes(document: dict[str, Any]) -> list[int]:
    """Bytes of ``FRAMES`` frames in each way of writing: what grows with the length is scaled, what does not, such as
    holds, counts once."""
    verbose = decode.verbose(json.loads(json.dumps(document)))
    more = FRAMES / document["video"]["frame_count"] - 1
    return [
        round(whole + more * grown)
        for spelling, ways in ((verbose, _VERBOSE_WAYS), (document, _COMPACT_WAYS))
        for whole, grown in zip(_written(spelling, ways), _written(_growing(spelling), ways), strict=True)
    ]


def _growing(document: dict[str, Any]) -> dict[str, Any]:
    growing = {part: document[part] for part in _GROWING}
    if ghost := document["ghost"]:
        measures = {"frames": ghost["certificate"]["frames"]}
        growing["ghost"] = {key: part for key, part in ghost.items() if key != "cues"} | {"certificate": measures}
    return growing


def _written(content: dict[str, Any], ways: Sequence[Callable[[dict[str, Any]], bytes]]) -> list[int]:
    return [len(way(content)) for way in ways]


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()


def _message_pack(content: dict[str, Any]) -> bytes:
    packed: bytes = msgpack.packb(content, use_single_float=True)
    return packed


_VERBOSE_WAYS = (
    _json, lambda content: gzip.compress(_json(content)),
    _message_pack, lambda content: gzip.compress(_message_pack(content)),
)  # fmt: skip
_COMPACT_WAYS = (
    _json, lambda content: gzip.compress(_json(content)), lambda content: brotli.compress(_json(content)),
)  # fmt: skip


def _decoding_ms(document: dict[str, Any]) -> float:
    took = []
    for _ in range(DECODINGS):
        started = time.process_time()
        decode.verbose(document)
        took.append(time.process_time() - started)
    return round(1000 * min(took) * FRAMES / document["video"]["frame_count"])


def _errors(subject: Subject) -> list[float]:
    poses, seen = subject.poses, subject.poses.seen
    frames = [frame for frame in decode.verbose(subject.document)["poses"]["frames"] if frame["landmarks"]]
    landmarks = np.array([frame["landmarks"] for frame in frames])
    world = np.array([frame["world"] for frame in frames])
    scale = 1080 / min(poses.width, poses.height)
    pixels = scale * np.linalg.norm(
        landmarks[..., :2] * (poses.width, poses.height) - poses.points[seen][..., :2], axis=-1
    )
    metres = np.abs(world - poses.world[seen])
    truth = joint_angles(poses.world[seen])
    degrees = np.concatenate([np.abs(truth[name] - [frame["angles"][name] for frame in frames]) for name in truth])
    found = [np.median(pixels), np.percentile(pixels, 99), pixels.max(), np.percentile(metres, 99)]
    return [round(float(value), 4) for value in (*found, np.median(degrees), np.percentile(degrees, 99))]


if __name__ == "__main__":
    print(measure().text())
