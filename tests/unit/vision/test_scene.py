"""The rendered climb: the same for the same seed, and its truth agrees with itself and with the picture."""

import hashlib
import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest
from ascension_vision.scene import BodyOptions, CameraOptions, Scene, SceneOptions, plan_scene
from ascension_vision.scene.body import BONES, INDEX, center_of_gravity
from ascension_vision.scene.camera import homography_between
from ascension_vision.scene.film import write_sample
from ascension_vision.scene.raster import Window
from ascension_vision.scene.render import Renderer

SMALL = SceneOptions(seed=3, duration_s=4.0, fps=10, width=144, height=256)
HAND_HELD = CameraOptions(pan=0.6, shake_deg=0.8)
VARIETY = [
    SceneOptions(seed=seed, duration_s=12.0, fps=30, width=144, height=256, wall_angle_deg=angle, body=body)
    for seed, angle, body in (
        (0, 8.0, BodyOptions()),
        (1, 0.0, BodyOptions(height_m=1.90, build=1.2, sex="male")),
        (2, 25.0, BodyOptions(height_m=1.55, build=0.9)),
        (5, -10.0, BodyOptions(height_m=1.74, sex="male")),
        (8, 40.0, BodyOptions(height_m=1.65)),
    )
]


@pytest.fixture(scope="module", params=VARIETY, ids=lambda options: f"seed {options.seed}")
def scene(request: pytest.FixtureRequest) -> Scene:
    return plan_scene(request.param)


def _limb_end(scene: Scene, limb: str) -> npt.NDArray[np.float64]:
    """(frames, 3) where the limb meets a hold: between the knuckles, or the toe."""
    side, part = limb.split("_")
    names = [f"{side}_index", f"{side}_pinky"] if part == "hand" else [f"{side}_foot_index"]
    return np.asarray(scene.motion.landmarks[:, [INDEX[name] for name in names]].mean(axis=1))


def test_bones_never_change_length(scene: Scene) -> None:
    for a, b in BONES:
        lengths = np.linalg.norm(scene.motion.landmarks[:, a] - scene.motion.landmarks[:, b], axis=-1)
        assert np.ptp(lengths) < 0.01 * lengths.mean(), f"bone {a}-{b}"


def test_hands_and_feet_sit_on_their_holds(scene: Scene) -> None:
    times = scene.motion.times
    for contact in scene.climb.contacts:
        during = (times >= contact.start) & (times <= contact.end)
        away = _limb_end(scene, contact.limb)[during] - scene.climb.hold(contact.hold_id).grip
        assert np.linalg.norm(away, axis=-1).max() < 0.02, contact


def test_a_limb_is_on_one_hold_at_a_time_and_only_one_limb_moves(scene: Scene) -> None:
    moving = np.zeros(len(scene.motion.times), dtype=int)
    for limb in ("left_hand", "right_hand", "left_foot", "right_foot"):
        contacts = scene.climb.of_limb(limb)
        assert contacts[0].start == 0.0
        assert contacts[-1].end == scene.options.duration_s
        assert all(before.end < after.start for before, after in pairwise(contacts))
        on = [(scene.motion.times >= c.start) & (scene.motion.times <= c.end) for c in contacts]
        moving += ~np.any(on, axis=0)
    assert moving.max() == 1


def test_nothing_pops_and_nobody_walks_through_the_wall(scene: Scene) -> None:
    # no joint is accelerated by more than 5 g, which a broken or flipping limb exceeds within a frame
    acceleration = np.diff(scene.motion.landmarks, n=2, axis=0) * scene.options.fps**2
    assert np.linalg.norm(acceleration, axis=-1).max() < 50
    assert scene.motion.landmarks[..., 2].min() > -0.02


def test_knees_bend_forward_and_elbows_backward(scene: Scene) -> None:
    marks, pelvis = scene.motion.landmarks, scene.motion.pelvis
    for side, sign in (("left", -1), ("right", 1)):
        hip, knee, ankle = (marks[:, INDEX[f"{side}_{joint}"]] for joint in ("hip", "knee", "ankle"))
        # a turned-out knee lies on its own side of, or nearer the wall than, the line from hip to ankle
        out_of_line = knee - (hip + ankle) / 2
        outward = np.einsum("fi,fi->f", out_of_line, sign * pelvis[..., 0])
        forward = np.einsum("fi,fi->f", out_of_line, -pelvis[..., 2])
        assert np.all((outward > -0.02) | (forward > 0))


def test_the_centre_of_gravity_lies_in_the_trunk(scene: Scene) -> None:
    gravity = center_of_gravity(scene.motion.landmarks, scene.options.body.sex)
    hips = scene.motion.landmarks[:, [23, 24]].mean(axis=1)
    assert np.linalg.norm(gravity - hips, axis=-1).max() < 0.35
    # one of the two ends of the centre of gravity's segments is never the answer itself
    assert np.linalg.norm(gravity - hips, axis=-1).min() > 0.02


def test_the_camera_sees_the_wall_as_its_homographies_say() -> None:
    scene = plan_scene(replace(SMALL, camera=HAND_HELD))
    spots = np.array([[x, y, 0.0] for x in (-1.0, 0.3, 1.2) for y in (0.4, 1.9, 3.1)])
    moved = 0.0
    for camera in scene.cameras:
        here, there = camera.project(spots), scene.reference.project(spots)
        mapped = np.column_stack([here, np.ones(len(here))]) @ homography_between(camera, scene.reference).T
        assert np.allclose(mapped[:, :2] / mapped[:, 2:], there, atol=1e-6)
        on_plane = np.column_stack([spots[:, :2], np.ones(len(spots))]) @ camera.wall_homography().T
        assert np.allclose(on_plane[:, :2] / on_plane[:, 2:], here, atol=1e-6)
        moved = max(moved, float(np.abs(here - there).max()))
    assert moved > 2, "a panning, shaking camera should move the picture"


def test_a_seed_gives_the_same_pixels_and_another_seed_another_climb() -> None:
    def pixels(options: SceneOptions) -> str:
        return hashlib.sha256(Renderer(plan_scene(options)).frame(7).image.tobytes()).hexdigest()

    assert pixels(SMALL) == pixels(replace(SMALL))
    assert pixels(SMALL) != pixels(replace(SMALL, seed=4))


def test_a_frame_does_not_depend_on_the_frames_drawn_before_it() -> None:
    scene = plan_scene(replace(SMALL, camera=HAND_HELD))
    alone = Renderer(scene).frame(5).image
    renderer = Renderer(scene)
    renderer.frame(0)
    assert np.array_equal(renderer.frame(5).image, alone)


def test_the_picture_shows_the_climber_where_the_truth_says() -> None:
    scene = plan_scene(SMALL)
    renderer = Renderer(scene)
    camera, whole = scene.reference, Window(0, 0, SMALL.width, SMALL.height, 1)
    empty, _ = renderer.gym.draw(camera, whole)
    joints = [INDEX[f"{side}_{joint}"] for side in ("left", "right") for joint in ("shoulder", "hip", "knee", "ankle")]
    for frame in (renderer.frame(0), renderer.frame(scene.options.frame_count - 1)):
        there = np.abs(frame.image / 255 - empty).max(axis=-1) > 0.12
        for x, y in camera.project(scene.motion.landmarks[frame.index, joints]).astype(int):
            assert there[y - 1 : y + 2, x - 1 : x + 2].any()
        assert there.mean() < 0.5, "most of the picture is wall"
        # seen from behind, the nose is hidden and the hips are not
        assert not frame.visible[INDEX["nose"]]
        assert frame.visible[INDEX["left_hip"]]
        assert frame.visible[INDEX["right_hip"]]


@pytest.mark.parametrize(
    "wrong", [{"duration_s": 0.0}, {"width": 143}, {"height": 8}, {"wall_angle_deg": 80.0}], ids=str
)
def test_impossible_options_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must"):
        replace(SMALL, **wrong)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A small sample written to disk: the video and its truth."""
    return write_sample(tmp_path_factory.mktemp("sample"), replace(SMALL, duration_s=3.0, camera=HAND_HELD))


class TestSampleFiles:
    def test_the_video_plays_in_browsers_and_has_every_frame(self, files: tuple[Path, Path]) -> None:
        with av.open(str(files[0])) as container:
            stream = container.streams.video[0]
            assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
            assert (stream.width, stream.height) == (144, 256)
            assert sum(1 for _ in container.decode(stream)) == 30
        content = files[0].read_bytes()
        assert content.index(b"moov") < content.index(b"mdat")

    def test_the_truth_is_the_same_for_the_same_seed(self, files: tuple[Path, Path], tmp_path: Path) -> None:
        _, again = write_sample(tmp_path, replace(SMALL, duration_s=3.0, camera=HAND_HELD))
        assert again.read_bytes() == files[1].read_bytes()

    def test_projecting_the_metres_gives_the_image_coordinates(self, files: tuple[Path, Path]) -> None:
        truth = json.loads(files[1].read_text())
        size = np.array([truth["video"]["width"], truth["video"]["height"]])
        assert len(truth["frames"]) == truth["video"]["frame_count"] == 30
        for frame in truth["frames"]:
            camera = {name: np.array(value) for name, value in frame["camera"].items()}
            for metres, image in (("landmarks_m", "landmarks"), ("center_of_gravity_m", "center_of_gravity")):
                points = np.array(frame[metres]).reshape(-1, 3)
                seen = (points @ camera["rotation"].T + camera["translation_m"]) @ camera["intrinsics_px"].T
                expected = np.array(frame[image]).reshape(-1, 2) * size
                assert np.abs(seen[:, :2] / seen[:, 2:] - expected).max() < 0.01

    def test_every_contact_names_a_hold_of_the_route(self, files: tuple[Path, Path]) -> None:
        truth = json.loads(files[1].read_text())
        holds = {hold["id"]: hold for hold in truth["holds"]}
        assert truth["contacts"]
        for contact in truth["contacts"]:
            assert holds[contact["hold_id"]]["on_route"]
        for hold in holds.values():
            x0, y0, x1, y1 = hold["box"]
            outline = np.array(hold["outline"])
            assert x0 < x1
            assert y0 < y1
            assert np.allclose([*outline.min(axis=0), *outline.max(axis=0)], hold["box"], atol=1e-5)
