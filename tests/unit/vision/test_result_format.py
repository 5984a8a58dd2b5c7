"""The compact format means what docs/result-format.md says, and loses no more than it says."""

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from ascension_vision.analysis import compact_result
from ascension_vision.body.skeleton import ANGLES
from ascension_vision.pose.following import Poses
from ascension_vision.result import decode, encode
from ascension_vision.video.clip import Clip

from tests.unit.vision import films

SCHEMAS = Path(__file__).resolve().parents[3] / "docs/schemas"
WIDTH, HEIGHT = 1080, 1920


@pytest.fixture
def clip(tmp_path: Path) -> Clip:
    return Clip(films.film(tmp_path / "a.mp4", films.plain(3)))


@pytest.fixture
def poses() -> Poses:
    """Thirty seconds of a body that climbs and sways, out of sight from frame 100 to 119."""
    rng = np.random.default_rng(1)
    t = np.arange(900) / 30
    rest = rng.normal(0, 120, (33, 3)) + np.array([540, 1400, 0])
    sway = np.cumsum(rng.normal(0, 0.6, (900, 33, 3)), axis=0)
    points = rest + sway - t[:, None, None] * (0, 30, 0)
    world = (points - points[:, 23:25].mean(axis=1, keepdims=True)) / 500
    visibility = np.clip(rng.random((1, 33)) + 0.1 * np.sin(t)[:, None], 0, 1)
    for array in (points, world, visibility):
        array[100:120] = np.nan
    return Poses(t, points, visibility, world, WIDTH, HEIGHT)


def schema(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((SCHEMAS / f"analysis-{name}.schema.json").read_text())
    return loaded


def test_the_documents_own_example_decodes_as_it_says() -> None:
    assert decode.channel("1gBCCD", 8, 3) == [2.0, 2.125, 2.25, 2.125]


@pytest.mark.parametrize("count", [0, 1, 2, 500])
def test_a_channel_comes_back_to_the_nearest_step(count: int) -> None:
    values = np.random.default_rng(2).normal(0, 40, count)
    decoded = decode.channel(encode.channel(values, 100), 100, 5)
    assert np.allclose(decoded, values, atol=0.5 / 100 + 1e-9)


@pytest.mark.parametrize(
    ("seen", "runs"),
    [([0, 0, 1, 1, 1, 0], [2, 3, 1]), ([1, 1], [0, 2]), ([0], [1]), ([1, 0, 1], [0, 1, 1, 1])],
)
def test_presence_is_run_lengths_that_begin_without_the_climber(seen: list[int], runs: list[int]) -> None:
    assert encode.runs(np.array(seen, dtype=bool)) == runs


def test_decoded_landmarks_are_within_a_pixel_and_the_rest_within_its_step(clip: Clip, poses: Poses) -> None:
    frames = decode.verbose(compact_result(clip, poses))["poses"]["frames"]
    assert [frame["t"] for frame in frames] == [round(t, 3) for t in poses.t]
    assert all(frame[part] is None for frame in frames[100:120] for part in frame if part not in ("t", "phase"))
    seen = [frame for frame in frames if frame["landmarks"]]
    landmarks, world = np.array([f["landmarks"] for f in seen]), np.array([f["world"] for f in seen])
    pixels = np.linalg.norm(landmarks[..., :2] * (WIDTH, HEIGHT) - poses.points[poses.seen][..., :2], axis=-1)
    assert np.median(pixels) <= 1
    assert np.percentile(pixels, 99) <= 2
    assert np.abs(world - poses.world[poses.seen]).max() <= 0.00501
    assert np.abs(landmarks[..., 3] - poses.visibility[poses.seen]).max() <= 0.0251
    assert set(seen[0]["angles"]) == set(ANGLES)


def test_thirty_seconds_fit_into_ninety_kilobytes(clip: Clip, poses: Poses) -> None:
    text = json.dumps(compact_result(clip, poses), separators=(",", ":")).encode()
    assert len(gzip.compress(text, 9)) < 90_000


def test_both_spellings_satisfy_their_schemas(clip: Clip, poses: Poses) -> None:
    compact = compact_result(clip, poses)
    jsonschema.validate(compact, schema("compact"))
    jsonschema.validate(decode.verbose(compact), schema("verbose"))


def test_verbose_has_one_camera_entry_a_frame_and_reasons_for_what_is_missing(clip: Clip, poses: Poses) -> None:
    verbose = decode.verbose(compact_result(clip, poses))
    assert verbose["schema"] == "ascension.analysis/1"
    assert verbose["camera"]["frames"] == [None] * 900
    assert all(verbose[part] is None and verbose["absent"][part] for part in ("holds", "contacts", "ghost"))
    for name, value in verbose["metrics"].items():
        assert value is not None or verbose["metrics_info"][name]["reason"]


def test_what_is_said_about_metrics_fits_into_tables(clip: Clip, poses: Poses) -> None:
    for about in compact_result(clip, poses)["metrics_info"].values():
        assert len(about["unit"]) <= 6
        assert about["meaning"].endswith(".")
        assert len(about.get("reason", "")) <= 90


def test_frames_before_and_after_the_climb_are_told(clip: Clip, poses: Poses) -> None:
    compact = compact_result(clip, poses) | {}
    compact["poses"]["phases"] = [30, 850, 20]
    told = [frame["phase"] for frame in decode.verbose(compact)["poses"]["frames"]]
    assert told == ["before"] * 30 + ["climb"] * 850 + ["after"] * 20


def test_a_result_without_phases_is_all_climb(clip: Clip, poses: Poses) -> None:
    compact = compact_result(clip, poses)
    del compact["poses"]["phases"]
    assert {frame["phase"] for frame in decode.verbose(compact)["poses"]["frames"]} == {"climb"}


def test_the_decoder_runs_alone_on_plain_python(clip: Clip, poses: Poses) -> None:
    compact = compact_result(clip, poses)
    # -I -S: neither the repository nor installed packages in sight.
    alone = subprocess.run(
        [sys.executable, "-I", "-S", decode.__file__],
        input=json.dumps(compact),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(alone.stdout) == decode.verbose(compact)


@pytest.mark.parametrize("text", ["1g", "1!", "x"])
def test_a_malformed_channel_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"channel"):
        decode.channel(text, 1, 0)


def test_another_schema_is_refused() -> None:
    with pytest.raises(ValueError, match=r"ascension\.analysis/9"):
        decode.verbose({"schema": "ascension.analysis/9"})
