"""The whole analysis on real footage, and through the command line."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from ascension_vision.analysis import Analysis, Options, analyze
from ascension_vision.pose.climber import Hint
from ascension_vision.problems import Problem

from tests.unit.vision import films


@pytest.fixture(scope="module")
def fixed(shared_data: Path) -> tuple[Analysis, list[tuple[str, float]]]:
    """The analysis of the main real clip, with the progress it reported."""
    reports: list[tuple[str, float]] = []
    analysis = analyze(
        shared_data / "clips/warp-fixed-input.mp4", Options(), lambda stage, fraction: reports.append((stage, fraction))
    )
    return analysis, reports


def test_the_climber_is_found_in_nearly_every_frame(fixed: tuple[Analysis, list[tuple[str, float]]]) -> None:
    result = fixed[0].verbose()
    assert result["video"] | {"width": 1080, "height": 1440, "fps": 25, "frame_count": 377} == result["video"]
    assert result["quality"]["frames_with_climber"] >= 0.95 * 377
    frames = result["poses"]["frames"]
    hips = np.array(
        [np.mean([f["landmarks"][23][:2], f["landmarks"][24][:2]], axis=0) for f in frames if f["landmarks"]]
    )
    # He starts low on the left and ends higher; nowhere does the skeleton jump to something else.
    assert hips[:10, 1].mean() > hips[-60:-50, 1].mean() + 0.1
    assert np.linalg.norm(np.diff(hips, axis=0), axis=1).max() < 0.05


def test_the_result_is_small(fixed: tuple[Analysis, list[tuple[str, float]]]) -> None:
    compact = json.dumps(fixed[0].compact(), separators=(",", ":")).encode()
    assert len(gzip.compress(compact, 9)) < 377 * 110


def test_progress_only_grows_and_ends_at_one(fixed: tuple[Analysis, list[tuple[str, float]]]) -> None:
    fractions = [fraction for _, fraction in fixed[1]]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1


def test_the_thumbnail_is_a_small_picture_of_the_climb(fixed: tuple[Analysis, list[tuple[str, float]]]) -> None:
    picture = cv2.imdecode(np.frombuffer(fixed[0].thumbnail_jpeg(), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (640, 480, 3)


def test_a_small_hanging_climber_is_found_before_people_in_the_background(shared_data: Path) -> None:
    result = analyze(shared_data / "clips/warp-dynamic-input.mp4").verbose()
    seen = [frame for frame in result["poses"]["frames"] if frame["landmarks"]]
    assert len(seen) >= 0.9 * 180
    # Under the roof, right of the middle, throughout; the spectators stand on the left.
    shoulders = np.array([np.mean([f["landmarks"][11][:2], f["landmarks"][12][:2]], axis=0) for f in seen])
    assert shoulders[:, 0].min() > 0.4
    assert np.ptp(shoulders[:, 1]) < 0.25


def test_holds_are_not_taken_for_a_climber(shared_data: Path, tmp_path: Path) -> None:
    wall = cv2.imread(str(shared_data / "clips/warp-fixed-ref.jpg"), cv2.IMREAD_COLOR_RGB)
    assert wall is not None
    small = cv2.resize(wall, (540, 720)).astype(np.uint8, copy=False)
    panned = [small[i : i + 640, i : i + 480] for i in range(60)]
    with pytest.raises(Problem) as caught:
        analyze(films.film(tmp_path / "wall.mp4", panned, fps=25))
    assert caught.value.type == "no-climber"


def test_a_hint_chooses_between_two_people(shared_data: Path, tmp_path: Path) -> None:
    frames = _two_climbers(shared_data)
    path = films.film(tmp_path / "two.mp4", frames, fps=25)
    for x in (0.25, 0.75):
        result = analyze(path, Options(climber_hint=Hint(x, 0.6, 0.5))).verbose()
        noses = [frame["landmarks"][0][0] for frame in result["poses"]["frames"] if frame["landmarks"]]
        assert len(noses) >= 0.9 * len(frames)
        assert abs(np.median(noses) - x) < 0.25


def _two_climbers(shared_data: Path) -> list[films.Image]:
    from ascension_vision.video.clip import Clip

    clip = Clip(shared_data / "clips/warp-fixed-input.mp4")
    shown = [
        cv2.resize(frame.image, (480, 640)).astype(np.uint8) for frame in clip.frames() if 250 <= frame.index < 290
    ]
    # The second is the same climb mirrored.
    return [np.concatenate([image, image[:, ::-1]], axis=1) for image in shown]


def test_the_climber_is_known_again_after_a_cut(shared_data: Path, tmp_path: Path) -> None:
    frames = [np.ascontiguousarray(image[:, :480]) for image in _two_climbers(shared_data)]
    elsewhere = [
        cv2.resize(image[160:, :360], (480, 640), interpolation=cv2.INTER_AREA).astype(np.uint8) for image in frames
    ]
    result = analyze(films.film(tmp_path / "cut.mp4", frames + elsewhere, fps=25)).verbose()
    seen = [frame["landmarks"] is not None for frame in result["poses"]["frames"]]
    assert sum(seen[:40]) >= 38
    assert sum(seen[40:]) >= 38
    # Nothing of one shot is carried into the other: at the cut the whole body moves at once.
    before, after = (np.array(result["poses"]["frames"][i]["landmarks"])[[23, 24], :2].mean(axis=0) for i in (39, 40))
    settled = np.array(result["poses"]["frames"][45]["landmarks"])[[23, 24], :2].mean(axis=0)
    assert np.linalg.norm(after - settled) < 0.3 * np.linalg.norm(after - before)


def test_people_who_only_watch_are_not_climbers(shared_data: Path, tmp_path: Path) -> None:
    photo = cv2.imread(str(shared_data / "people/coco/000000000785.jpg"), cv2.IMREAD_COLOR_RGB)
    assert photo is not None
    shown = [photo[i // 4 : 400 + i // 4, i // 4 : 600 + i // 4].astype(np.uint8) for i in range(60)]
    with pytest.raises(Problem) as caught:
        analyze(films.film(tmp_path / "watching.mp4", shown, fps=25))
    assert caught.value.type == "no-climber"


@pytest.mark.parametrize("content", [b"", b"no video at all\n" * 20])
def test_bad_input_costs_one_line_and_exit_status_two(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.mp4").write_bytes(content)
    done = _command(tmp_path / "bad.mp4", tmp_path / "out.json")
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "out.json").exists()


def test_the_command_writes_what_was_asked_for(shared_data: Path, tmp_path: Path) -> None:
    path = films.film(tmp_path / "two.mp4", _two_climbers(shared_data)[:12], fps=25)
    done = _command(path, tmp_path / "out.json", "--format", "verbose", "--no-ghost", "--no-holds")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads((tmp_path / "out.json").read_text())["schema"] == "ascension.analysis/1"


def _command(video: Path, out: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.executable).with_name("ascension-vision"), "analyze", video, "--out", out, *options]
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
