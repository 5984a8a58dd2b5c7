"""Which videos are taken, what their frames are, and what is said about the others."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from ascension_vision.pose.roi import Roi
from ascension_vision.problems import Problem
from ascension_vision.video.clip import Clip

from tests.unit.vision import films


def problem_with(path: Path) -> Problem:
    with pytest.raises(Problem) as caught:
        list(Clip(path).frames())
    assert caught.value.detail.endswith(".")
    return caught.value


def test_every_frame_comes_with_its_time(tmp_path: Path) -> None:
    clip = Clip(films.film(tmp_path / "a.mp4", films.plain(10), fps=25))
    frames = list(clip.frames())
    assert [frame.index for frame in frames] == list(range(10))
    assert [round(frame.t, 3) for frame in frames] == [round(i / 25, 3) for i in range(10)]
    assert frames[0].image.shape == (64, 96, 3)
    assert (clip.width, clip.height, clip.fps, clip.warnings) == (96, 64, 25, [])


def test_sixty_frames_a_second_are_analysed_as_thirty(tmp_path: Path) -> None:
    clip = Clip(films.film(tmp_path / "a.mp4", films.plain(60), fps=60))
    times = [frame.t for frame in clip.frames()]
    assert (clip.fps, clip.source_fps) == (30, 60)
    assert np.allclose(np.diff(times), 1 / 30, atol=1e-3)


def test_every_nth_frame_keeps_its_index(tmp_path: Path) -> None:
    clip = Clip(films.film(tmp_path / "a.mp4", films.plain(10), fps=25))
    assert [frame.index for frame in clip.frames(every=4)] == [0, 4, 8]


def test_uneven_times_are_kept(tmp_path: Path) -> None:
    milliseconds = [0, 40, 75, 130, 160, 210, 250]
    clip = Clip(films.film(tmp_path / "a.mp4", films.plain(7), fps=25, milliseconds=milliseconds))
    assert [round(frame.t * 1000) for frame in clip.frames()] == milliseconds


def test_no_frame_is_dropped_where_the_rate_rises_to_thirty(tmp_path: Path) -> None:
    milliseconds = [67 * i for i in range(30)] + [2010 + 33 * i for i in range(15)]
    clip = Clip(films.film(tmp_path / "a.mp4", films.plain(45), fps=20, milliseconds=milliseconds))
    assert [round(frame.t * 1000) for frame in clip.frames()] == milliseconds


def test_a_phone_held_upright_gives_upright_frames(tmp_path: Path) -> None:
    image = np.zeros((64, 96, 3), np.uint8)
    image[:, :16] = 255  # bright on the left in the file: after a clockwise turn, on top
    clip = Clip(films.turn_clockwise(films.film(tmp_path / "a.mp4", [image] * 3)))
    shown = next(clip.frames()).image
    assert (clip.width, clip.height) == (64, 96)
    assert shown.shape == (96, 64, 3)
    assert shown[:10].mean() > 200
    assert shown[30:].mean() < 50


def test_a_broken_end_costs_a_warning_and_not_the_analysis(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 255, (64, 96, 3), dtype=np.uint8) for _ in range(100)]
    path = films.film(tmp_path / "a.mp4", noise, fps=25, options={"movflags": "faststart"})
    clip = Clip(films.cut(path, 0.82))
    frames = list(clip.frames())
    assert 70 <= len(frames) < 90
    assert "could not be read" in clip.warnings[0]


def test_a_video_that_breaks_off_early_is_damaged(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 255, (64, 96, 3), dtype=np.uint8) for _ in range(150)]
    path = films.film(tmp_path / "a.mp4", noise, fps=25, options={"movflags": "faststart"})
    assert problem_with(films.cut(path, 0.4)).type == "damaged-video"


def test_a_video_without_its_index_is_damaged(tmp_path: Path) -> None:
    assert problem_with(films.cut(films.film(tmp_path / "a.mp4", films.plain(50)), 0.5)).type == "damaged-video"


def test_an_empty_file_is_named_so(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    assert problem_with(tmp_path / "a.mp4").type == "empty-file"


@pytest.mark.parametrize("content", [b"hello, this is text\n" * 50, b"\x1b[31mred\x1b[0m", b"#EXTM3U\n/etc/passwd\n"])
def test_text_named_mp4_is_not_a_video(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.mp4").write_bytes(content)
    assert problem_with(tmp_path / "a.mp4").type == "not-a-video"


def test_sound_without_picture_is_named_so(tmp_path: Path) -> None:
    assert problem_with(films.sound_only(tmp_path / "a.mp4")).type == "no-video-stream"


def test_ten_minutes_are_refused_without_decoding_them(tmp_path: Path) -> None:
    path = films.film(tmp_path / "a.mp4", films.plain(600), fps=1)
    with pytest.raises(Problem) as caught:
        Clip(path)
    assert caught.value.type == "video-too-long"


def test_a_handful_of_pixels_is_too_small(tmp_path: Path) -> None:
    assert problem_with(films.film(tmp_path / "a.mp4", films.plain(3, 2, 2))).type == "video-too-small"


def test_leaving_early_ends_the_decoding(tmp_path: Path) -> None:
    clip = Clip(films.film(tmp_path / "a.mp4", films.plain(200)))
    for frame in clip.frames():
        if frame.index == 3:
            break
    assert len(list(clip.frames())) == 200


@pytest.mark.parametrize(
    ("codec", "pixels"),
    [("libx264", "yuv420p10le"), ("libx265", "yuv420p"), ("libx265", "yuv420p10le"), ("libx264", "yuv444p")],
)
def test_every_codec_and_depth_of_phones_shows_the_same_picture(tmp_path: Path, codec: str, pixels: str) -> None:
    painted = np.zeros((64, 96, 3), np.uint8)
    painted[:, :48], painted[:, 48:] = (200, 40, 30), (30, 60, 190)
    clip = Clip(films.film(tmp_path / "a.mp4", [painted] * 5, fps=25, codec=codec, pixels=pixels))
    shown = [frame.image for frame in clip.frames()]
    assert len(shown) == 5
    assert np.abs(shown[2].astype(int) - painted)[:, [20, 76]].max() < 12


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_asked_to_decode_on_the_gpu_it_gives_the_same_frames_with_and_without_nvdec(tmp_path: Path, codec: str) -> None:
    path = films.turn_clockwise(films.film(tmp_path / "a.mp4", films.plain(20, 320, 240), codec=codec))
    clip = Clip(path)
    wanted = list(clip.frames())
    clip.decode_on_gpu()
    given = list(clip.frames())
    assert [frame.t for frame in given] == [frame.t for frame in wanted]
    for one, other in zip(given, wanted, strict=True):
        assert np.abs(one.image.astype(int) - other.image).max() <= 2


@pytest.mark.parametrize(("fps", "kept"), [(24, 24), (30, 30), (50, 25), (59, 29.5), (120, 30), (240, 30)])
def test_at_most_thirty_frames_a_second_are_analysed_and_keep_their_times(
    tmp_path: Path, fps: int, kept: float
) -> None:
    clip = Clip(films.film(tmp_path / "a.mp4", films.plain(2 * fps), fps=fps))
    times = [frame.t for frame in clip.frames()]
    assert clip.fps == pytest.approx(kept, abs=0.01)
    assert len(times) == pytest.approx(2 * kept, abs=1)
    assert np.allclose(np.array(times) * fps, np.round(np.array(times) * fps), atol=1e-2)


@pytest.mark.parametrize(("first", "last"), [(0, 3), (37, 52), (97, 99)])
def test_frames_can_be_had_once_more_by_their_number(tmp_path: Path, first: int, last: int) -> None:
    clip = Clip(films.film(tmp_path / "a.mp4", films.plain(100), fps=25))
    every = list(clip.frames())
    again = list(clip.frames_at([frame.t for frame in every], first, last))
    assert [frame.index for frame in again] == list(range(first, last + 1))
    assert all(np.array_equal(frame.image, every[frame.index].image) for frame in again)


def test_frames_of_a_turned_video_can_be_had_once_more(tmp_path: Path) -> None:
    clip = Clip(films.turn_clockwise(films.film(tmp_path / "a.mp4", films.plain(60), fps=60)))
    every = list(clip.frames())
    again = list(clip.frames_at([frame.t for frame in every], 11, 14))
    assert [frame.index for frame in again] == [11, 12, 13, 14]
    assert all(np.array_equal(frame.image, every[frame.index].image) for frame in again)


def test_a_part_cut_out_is_the_same_part_of_the_whole_picture(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    soft = cv2.resize(rng.integers(0, 255, (6, 8, 3), dtype=np.uint8), (160, 120), interpolation=cv2.INTER_CUBIC)
    frame = next(Clip(films.film(tmp_path / "a.mp4", [soft.astype(np.uint8)] * 2)).frames())
    roi = Roi(80.0, 60.0, 70.0, 0.4)
    border = cv2.BORDER_REPLICATE
    difference = roi.crop(frame.picture, 96, border).astype(int) - roi.crop(frame.image, 96, border)
    assert np.abs(difference).mean() <= 3
