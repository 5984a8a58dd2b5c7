"""How many bytes a result takes, beside other ways to write the same, and how far its landmarks are off.

The clips are the sample that ``make demo`` renders, every real climb at hand, and a planned one that is meant to be
hard: a clumsy climber whose landmarks tremble, filmed by a moving hand. All are scaled to 900 frames.
"""

import gzip
import json
import os
from collections.abc import Iterator
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
_GROWING = ("poses", "camera", "contacts", "moves", "loads", "ghost")
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
        "What decoding changes, pixels of a 1080p frame, metres, degrees",
        ["clip", "landmarks, median", "p99", "most", "world, p99", "angles, median", "p99"],
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
        errors.rows.append([subject.name, *off])
        good = off[0] <= GOAL_MEDIAN_PX and off[1] <= GOAL_P99_PX
        goals.append(Goal(f"{subject.name}: within {GOAL_MEDIAN_PX} pixel, {GOAL_P99_PX} at p99", good))
    return Report(
        tables=[sizes, errors],
        goals=goals,
        notes=["What grows with the length is scaled; holds, the wall and what is said about metrics count once."],
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
    """Bytes in each way of writing: what grows with the length is scaled; what does not, such as holds, counts once."""
    whole = _written(document)
    short = _written({**document, **dict.fromkeys(_GROWING)}, spell=False)
    longer = FRAMES / document["video"]["frame_count"]
    return [round(fixed + (size - fixed) * longer) for size, fixed in zip(whole, short, strict=True)]


def _written(document: dict[str, Any], spell: bool = True) -> list[int]:
    verbose = decode.verbose(json.loads(json.dumps(document))) if spell else document
    spelled, packed, sent = _json(verbose), msgpack.packb(verbose, use_single_float=True), _json(document)
    return [
        *(len(text) for text in (spelled, gzip.compress(spelled, 9), packed, gzip.compress(packed, 9))),
        *(len(text) for text in (sent, gzip.compress(sent, 9), brotli.compress(sent))),
    ]


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


def _json(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


if __name__ == "__main__":
    print(measure().text())
