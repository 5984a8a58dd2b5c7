"""What is drawn over a video: the same video, the skeleton where the result says, and one page about the climb."""

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from ascension_vision.cli import BadInput
from ascension_vision.drawing.footage import Footage
from ascension_vision.drawing.overlay import Layers, write_overlay
from ascension_vision.drawing.page import measured
from ascension_vision.drawing.poses import Poses
from ascension_vision.drawing.skeleton import GHOST, LEFT, LIMB_COLORS, RIGHT
from ascension_vision.drawing.stills import moments
from ascension_vision.drawing.summary import SUMMARY_SIZE, write_summary

WIDTH, HEIGHT, FPS, FRAMES = 240, 320, 20, 30
GREY = 128
UNSEEN = range(12, 18)


def _write_video(path: Path, pts: list[int] | None = None, time_base: Fraction = Fraction(1, FPS)) -> Path:
    """An empty grey video, so that whatever has a colour was drawn."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.time_base = stream.codec_context.time_base = time_base
        for at in pts or range(FRAMES):
            frame = av.VideoFrame.from_ndarray(np.full((HEIGHT, WIDTH, 3), GREY, np.uint8), format="rgb24")
            frame.pts, frame.time_base = at, time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def _landmarks(shift: float) -> list[list[float]]:
    """A standing figure; landmarks that are not drawn lie in the head."""
    marks = np.full((33, 4), [0.5, 0.2, 0.0, 0.9])
    places = {11: (0.35, 0.3), 13: (0.25, 0.45), 15: (0.2, 0.6), 23: (0.4, 0.55), 25: (0.38, 0.72), 27: (0.36, 0.9)}
    for left, (x, y) in places.items():
        marks[left, :2] = x, y
        marks[left + 1, :2] = 1 - x, y
    for tip, wrist in ((17, 15), (18, 16), (19, 15), (20, 16), (29, 27), (30, 28), (31, 27), (32, 28)):
        marks[tip, :2] = marks[wrist, :2] + [0.0, 0.03]
    marks[:, 0] += shift
    return marks.tolist()


def _result(fps: float = FPS, frames: int = FRAMES, **more: Any) -> dict[str, Any]:
    poses: list[dict[str, Any]] = []
    for index in range(frames):
        if index in UNSEEN:
            poses.append(
                {"t": index / fps, "landmarks": None, "world": None, "angles": None, "center_of_gravity": None}
            )
            continue
        marks = _landmarks(0.002 * index)
        angles = {"left_elbow": 170.0, "right_elbow": 170.0, "left_knee": 150.0, "right_knee": 120.0}
        gravity = [0.5 + 0.002 * index, 0.5]
        poses.append(
            {"t": index / fps, "landmarks": marks, "world": None, "angles": angles, "center_of_gravity": gravity}
        )
    return {
        "schema": "ascension.analysis/1",
        "video": {"width": WIDTH, "height": HEIGHT, "fps": fps, "frame_count": frames, "duration_s": frames / fps},
        "poses": {"frames": poses},
        "camera": {"frames": [None] * frames},
        "holds": None,
        "contacts": None,
        "ghost": None,
        "metrics": {"geometric_entropy": 0.84, "max_reach_cm": None},
        "metrics_info": {"max_reach_cm": {"reason": "the scale is not known"}},
        "quality": {"frames_with_climber": frames - len(UNSEEN), "warnings": []},
        **more,
    }


def _pictures(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def _near(picture: np.ndarray, place: Sequence[float], color: tuple[int, int, int]) -> bool:
    """Whether a colour is seen within 3 pixels of an image point; the codec blurs it a little."""
    row, column = round(place[1] * picture.shape[0]), round(place[0] * picture.shape[1])
    around = picture[max(row - 3, 0) : row + 4, max(column - 3, 0) : column + 4].reshape(-1, 3).astype(int)
    return bool(np.abs(around - color).max(axis=1).min() < 60)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _write_video(tmp_path_factory.mktemp("video") / "grey.mp4")


@pytest.fixture(scope="module")
def overlay(video: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("overlay") / "overlay.mp4"
    write_overlay(video, _result(), path)
    return path


def test_the_overlay_has_the_frames_and_times_of_its_video_and_plays_in_browsers(video: Path, overlay: Path) -> None:
    with av.open(str(overlay)) as drawn, av.open(str(video)) as source:
        stream = drawn.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width, stream.height) == (WIDTH, HEIGHT)
        times = [frame.time for frame in drawn.decode(video=0)]
        assert times == pytest.approx([frame.time for frame in source.decode(video=0)], abs=1e-3)
    content = overlay.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_left_and_right_limbs_are_drawn_in_their_colours_where_the_landmarks_are(overlay: Path) -> None:
    pictures = _pictures(overlay)
    for index in (0, 11, 18, FRAMES - 1):
        marks = _landmarks(0.002 * index)
        for joint in (13, 25, 27):
            assert _near(pictures[index], marks[joint], LEFT), (index, joint)
            assert _near(pictures[index], marks[joint + 1], RIGHT), (index, joint + 1)


def test_no_skeleton_is_drawn_where_no_climber_was_seen(overlay: Path) -> None:
    pictures = _pictures(overlay)
    for index in UNSEEN:
        marks = _landmarks(0.002 * index)
        assert not any(_near(pictures[index], marks[joint], LEFT) for joint in (13, 15, 25, 27))


def test_a_video_with_twice_the_frames_of_the_result_gets_a_skeleton_on_each(video: Path, tmp_path: Path) -> None:
    result = _result(fps=FPS / 2, frames=FRAMES // 2)
    for frame in result["poses"]["frames"]:
        frame.update(landmarks=_landmarks(0.0), center_of_gravity=[0.5, 0.5])
    write_overlay(video, result, tmp_path / "overlay.mp4")
    for picture in _pictures(tmp_path / "overlay.mp4"):
        assert _near(picture, (0.25, 0.45), LEFT)


def test_uneven_frame_times_are_kept(tmp_path: Path) -> None:
    pts = [0, 33, 66, 133, 166, 233, 240, 300, 400]
    source = _write_video(tmp_path / "vfr.mp4", pts, Fraction(1, 1000))
    write_overlay(source, _result(), tmp_path / "overlay.mp4")
    with av.open(str(tmp_path / "overlay.mp4")) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert times == pytest.approx([at / 1000 for at in pts], abs=1e-3)


def test_a_rotated_video_is_drawn_upright(tmp_path: Path) -> None:
    plain = _write_video(tmp_path / "plain.mp4")
    rotated = tmp_path / "rotated.mp4"
    matrix = np.array([0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30], ">i4")  # a quarter turn
    content = bytearray(plain.read_bytes())
    header = content.index(b"tkhd")
    content[header + 44 : header + 80] = matrix.tobytes()
    rotated.write_bytes(bytes(content))
    assert (Footage(rotated, 1280).width, Footage(rotated, 1280).height) == (HEIGHT, WIDTH)
    write_overlay(rotated, _result(), tmp_path / "overlay.mp4")
    picture = _pictures(tmp_path / "overlay.mp4")[0]
    assert picture.shape == (WIDTH, HEIGHT, 3)
    assert _near(picture, (0.25, 0.45), LEFT)


def test_large_videos_are_made_smaller_with_even_sides(tmp_path: Path) -> None:
    footage = Footage(_write_video(tmp_path / "video.mp4"), long_side=101)
    assert (footage.width % 2, footage.height % 2) == (0, 0)
    assert footage.height <= 102
    assert footage.width / footage.height == pytest.approx(WIDTH / HEIGHT, abs=0.02)


HOLD = {"id": 4, "kind": "hold", "type": "jug", "color": "red", "box": [0.7, 0.05, 0.9, 0.15], "center": [0.8, 0.1]}
TOUCH = {"limb": "left_foot", "hold_id": 4, "start": 0.0, "end": 0.4, "confidence": 0.9, "point": [0.8, 0.1]}


def _drawn(t: float, **parts: Any) -> np.ndarray:
    """A grey picture with a result's layers at ``t`` seconds."""
    picture = np.full((HEIGHT, WIDTH, 3), GREY, np.uint8)
    Layers(_result(**parts)).draw(picture, t)
    return picture


def test_a_hold_is_outlined_in_its_colour_and_where_it_has_an_outline_along_that() -> None:
    box = _drawn(0.0, holds=[HOLD])
    assert _near(box, (0.7, 0.1), (248, 113, 113))
    outlined = _drawn(0.0, holds=[HOLD | {"outline": [[0.75, 0.05], [0.9, 0.1], [0.75, 0.15]]}])
    assert not _near(outlined, (0.7, 0.1), (248, 113, 113))
    assert _near(outlined, (0.75, 0.1), (248, 113, 113))


def test_a_touched_hold_has_a_ring_in_the_limbs_colour_while_it_is_touched() -> None:
    radius = np.hypot(0.1 * WIDTH, 0.05 * HEIGHT) + 1.2 * 2
    below = (0.8, (0.1 * HEIGHT + radius) / HEIGHT)
    assert _near(_drawn(0.2, holds=[HOLD], contacts=[TOUCH]), below, LIMB_COLORS["left_foot"])
    assert not _near(_drawn(0.5, holds=[HOLD], contacts=[TOUCH]), below, LIMB_COLORS["left_foot"])


def test_a_limb_on_the_wall_itself_has_a_ring_at_its_tip() -> None:
    contact = TOUCH | {"hold_id": None}
    tip = _landmarks(0.0)[31]
    ring = (tip[0] - 2.6 * 2 / WIDTH, tip[1])
    assert _near(_drawn(0.0, contacts=[contact]), ring, LIMB_COLORS["left_foot"])
    assert not _near(_drawn(0.0), ring, LIMB_COLORS["left_foot"])


def test_the_ghost_is_a_translucent_figure_at_the_climbers_moment() -> None:
    frames = [
        {"t": 0.0, "climber_t": 0.1, "landmarks": _landmarks(0.1)},
        {"t": 0.1, "climber_t": 0.3, "landmarks": _landmarks(0.2)},
        {"t": 0.2, "climber_t": 0.4, "landmarks": None},
    ]
    ghost = {"frames": frames, "certificate": {}, "cues": []}
    knee = _landmarks(0.15)[26]
    place = round(knee[1] * HEIGHT), round(knee[0] * WIDTH)
    before, during, after = (_drawn(t, ghost=ghost)[place].astype(int) for t in (0.05, 0.2, 0.45))
    bare = _drawn(0.2)[place].astype(int)
    assert during[1] > bare[1] + 20
    assert during[1] < GHOST[1]
    assert (before == _drawn(0.05)[place]).all()
    assert (after == _drawn(0.45)[place]).all()


def test_holds_follow_the_camera() -> None:
    # every frame is the reference frame moved down by 40 pixels, so frame to reference is up by 40
    moved = {"frames": [[[1, 0, 0], [0, 1, -40 / HEIGHT], [0, 0, 1]]] * FRAMES}
    column = np.abs(_drawn(0.0, holds=[HOLD], camera=moved)[:, round(0.8 * WIDTH)].astype(int) - GREY).max(axis=-1) > 40
    assert column[round(0.05 * HEIGHT) + 40]
    assert not column[: round(0.05 * HEIGHT) + 36].any()


def test_a_pose_is_never_carried_on_into_frames_without_a_climber() -> None:
    poses = Poses(_result())
    assert poses.at(11 / FPS) is not None
    assert poses.at(11.5 / FPS) is None
    assert poses.at(14 / FPS) is None
    assert poses.at(99.0) is None
    between = poses.at(4.5 / FPS)
    assert between is not None
    assert between.landmarks[13, 0] == pytest.approx(0.25 + 0.002 * 4.5)


def test_the_summary_shows_each_move_as_it_ends() -> None:
    moves: list[dict[str, Any]] = [
        {"limb": "left_hand", "from_hold_id": None, "to_hold_id": 4, "start": 0.1, "end": 0.2},
        {"limb": "right_foot", "from_hold_id": 4, "to_hold_id": None, "start": 0.3, "end": 0.5},
    ]
    result = _result(holds=[HOLD], moves=moves)
    assert moments(result, Poses(result), 1.5) == [
        (0.2, "left hand → jug", "left_hand"),
        (0.5, "right foot → the wall", "right_foot"),
    ]
    many = _result(moves=[moves[0] | {"end": 0.1 * i} for i in range(40)])
    told = [t for t, _, _ in moments(many, Poses(many), 4.0)]
    assert len(told) == 12
    assert told[0] == 0.0
    assert told[-1] == pytest.approx(3.9)


def test_a_summary_of_everything_has_more_on_it_than_one_of_poses_alone(video: Path, tmp_path: Path) -> None:
    loads = {"frames": [None if index % 7 == 3 else [0.2, 0.3, 0.4, 0.4] for index in range(FRAMES)]}
    frames = [
        {"t": i / FPS, "climber_t": i / FPS, "landmarks": _landmarks(0.1), "loads": [0.1, 0.1, 0.4, 0.5]}
        for i in range(FRAMES)
    ]
    cues = [
        {"at": 0.5, "text": "Bring your hips closer.", "text_key": "hips", "values": {}, "metric": "x", "change": -0.1}
    ]
    full = _result(
        holds=[HOLD],
        contacts=[TOUCH],
        moves=[],
        loads=loads,
        ghost={"frames": frames, "certificate": {"passed": True}, "cues": cues},
    )
    pages = []
    for result in (_result(absent={"contacts": "Holds were not asked for."}), full):
        write_summary(video, result, tmp_path / "summary.png")
        page = cv2.imread(str(tmp_path / "summary.png"))
        assert page is not None
        pages.append(page.astype(int))
    foot = np.array([round(0.86 * channel) for channel in LIMB_COLORS["left_foot"]])[::-1]
    lane = [(np.abs(page[890:] - foot).max(axis=-1) < 8).sum() for page in pages]
    assert lane[0] == 0
    assert lane[1] > 300, "the left foot's contact"


@pytest.mark.parametrize("seen", ["a climber", "nobody"])
def test_the_summary_is_one_page_with_something_on_it(video: Path, tmp_path: Path, seen: str) -> None:
    result = _result()
    if seen == "nobody":
        for frame in result["poses"]["frames"]:
            frame.update(landmarks=None, angles=None, center_of_gravity=None)
    write_summary(video, result, tmp_path / "summary.png")
    page = cv2.imread(str(tmp_path / "summary.png"))
    assert page is not None
    assert page.shape == (SUMMARY_SIZE[1], SUMMARY_SIZE[0], 3)
    assert len(np.unique(page.reshape(-1, 3)[::97], axis=0)) > 50
    blue_green_red = LEFT[::-1]
    drawn = (np.abs(page[250:880].astype(int) - blue_green_red).max(axis=-1) < 12).sum()
    assert (drawn > 500) == (seen == "a climber"), "stills carry the skeleton"


class TestRenderCommand:
    def test_it_accepts_a_whole_answer_of_the_api(self, video: Path, tmp_path: Path) -> None:
        answer = tmp_path / "analysis.json"
        answer.write_text(json.dumps({"id": "job", "status": "completed", "result": _result()}))
        assert _render(video, answer, tmp_path / "out") == 0
        assert len(_pictures(tmp_path / "out" / "overlay.mp4")) == FRAMES
        assert (tmp_path / "out" / "summary.png").stat().st_size > 10_000

    @pytest.mark.parametrize(
        ("content", "complaint"),
        [
            ("not json", "not JSON"),
            ('{"id": "job", "result": null}', "not completed"),
            ('{"schema": "x"}', "no result"),
        ],
    )
    def test_it_says_what_is_wrong_with_the_file(
        self, video: Path, tmp_path: Path, content: str, complaint: str
    ) -> None:
        answer = tmp_path / "analysis.json"
        answer.write_text(content)
        with pytest.raises(BadInput, match=complaint):
            _render(video, answer, tmp_path / "out")


def _render(video: Path, analysis: Path, out: Path) -> int:
    import argparse

    from ascension_vision.commands import render

    parser = argparse.ArgumentParser()
    render.add_arguments(parser)
    return render.run(parser.parse_args([str(video), str(analysis), "--out", str(out)]))


@pytest.mark.parametrize(
    ("value", "uncertainty", "text"),
    [
        (169.2, 102.4, "169 ± 102"),
        (-13.72, 0.0866, "-13.720 ± 0.087"),
        (6, 1.96, "6.0 ± 2.0"),
        (8, 0.0, "8"),
        (0.5312, None, "0.531"),
    ],
)
def test_a_number_has_no_more_digits_than_its_uncertainty_bears(
    value: float, uncertainty: float | None, text: str
) -> None:
    assert measured(value, uncertainty) == text
