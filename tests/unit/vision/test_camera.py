"""The camera's movement is told from the wall behind the climber, and the wall is seen without the climber."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from ascension_vision.camera.registration import register
from ascension_vision.camera.track import CameraTrack, ReferenceView
from ascension_vision.camera.view import reference_view
from ascension_vision.camera.watcher import CameraWatcher
from ascension_vision.pose.following import Poses
from ascension_vision.pose.scouting import KeyFrame, scout
from ascension_vision.scene import CameraOptions, Scene, SceneOptions, plan_scene
from ascension_vision.scene.camera import homography_between
from ascension_vision.scene.raster import Window
from ascension_vision.scene.render import Renderer
from ascension_vision.video.clip import Clip

from tests.unit.vision import films

Array = npt.NDArray[np.float64]

FPS = 8
HAND_HELD = CameraOptions(distance_m=3.6, pan=0.8, shake_deg=0.8)


class Nobody:
    """A pose model that sees no one: the climber's place is told from the truth here."""

    name = "nobody"

    def detect(self, images: Any, rois: Any) -> list[list[Any]]:
        return [[] for _ in images]

    def landmarks(self, images: Any, rois: Any) -> list[Any]:
        return []


@dataclass(frozen=True)
class Watched:
    """What the analysis would know of a film."""

    keys: list[KeyFrame]
    poses: Poses
    track: CameraTrack

    @property
    def view(self) -> ReferenceView:
        return reference_view(self.keys, self.poses, self.track)


def watch(path: Path, climber: Array | None = None) -> Watched:
    """``climber``: ``(frames, 33, 2)`` pixels."""
    watcher = CameraWatcher()
    found = scout(Clip(path), Nobody(), lambda done: None, watcher.see)
    points = np.full((len(found.times), 33, 3), np.nan)
    if climber is not None:
        points[:] = 0
        points[..., :2] = climber
    poses = Poses(np.array(found.times), points, points[..., 0], points, found.width, found.height)
    return Watched(found.keys, poses, register(watcher, found.keys, poses))


@dataclass(frozen=True)
class Climb:
    scene: Scene
    renderer: Renderer
    images: list[films.Image]
    joints: Array

    def watched(self, folder: Path) -> Watched:
        return watch(films.film(folder / "climb.mp4", self.images, FPS), self.joints)


def climb(camera: CameraOptions) -> Climb:
    scene = plan_scene(SceneOptions(seed=31, duration_s=4.0, fps=FPS, width=270, height=480, camera=camera))
    renderer = Renderer(scene)
    joints = np.array([view.project(body) for view, body in zip(scene.cameras, scene.motion.landmarks, strict=True)])
    return Climb(scene, renderer, [frame.image for frame in renderer.frames()], joints)


@pytest.fixture(scope="module")
def from_hand() -> Climb:
    return climb(HAND_HELD)


@pytest.fixture(scope="module")
def from_tripod() -> Climb:
    return climb(CameraOptions(distance_m=3.6))


@pytest.fixture(scope="module")
def panned(from_hand: Climb, tmp_path_factory: pytest.TempPathFactory) -> Watched:
    return from_hand.watched(tmp_path_factory.mktemp("hand"))


def test_holds_stay_where_they_are_while_the_phone_moves(from_hand: Climb, panned: Watched) -> None:
    scene, track = from_hand.scene, panned.track
    assert track.known.all()
    assert not track.still
    holds = np.array([hold.center for hold in scene.climb.holds])
    reference = scene.cameras[track.reference]
    moved = reference.project(holds) - scene.cameras[0].project(holds)
    assert np.linalg.norm(moved, axis=1).max() > 0.03 * 480
    for index, camera in enumerate(scene.cameras):
        seen = camera.project(holds)
        inside = ((seen >= 0) & (seen < [270, 480])).all(axis=1)
        away = track.place(np.repeat(seen[None], len(scene.cameras), axis=0))[index] - reference.project(holds)
        assert np.linalg.norm(away[inside], axis=1).max() < 0.003 * 480
    assert np.abs(homography_between(scene.cameras[5], reference) - track.to_reference[5])[:2, :2].max() < 0.02


def test_places_go_back_into_the_frame_they_came_from(panned: Watched) -> None:
    points = np.tile(np.array([[20.0, 30.0], [200.0, 400.0]]), (len(panned.poses.t), 1, 1))
    np.testing.assert_allclose(panned.track.back(panned.track.place(points)), points, atol=1e-6)


def test_a_tripod_stands_still_however_the_climber_moves(from_tripod: Climb, tmp_path: Path) -> None:
    track = from_tripod.watched(tmp_path).track
    assert track.still
    assert (track.to_reference == np.eye(3)).all()


def test_a_tripod_stands_still_even_where_nobody_knows_of_the_climber(from_tripod: Climb, tmp_path: Path) -> None:
    assert watch(films.film(tmp_path / "climb.mp4", from_tripod.images, FPS)).track.still


@pytest.mark.parametrize("pan", [0, 2])
def test_the_view_shows_the_wall_without_the_climber(pan: int, from_tripod: Climb, tmp_path: Path) -> None:
    camera = from_tripod.scene.reference
    wall = (255 * from_tripod.renderer.gym.draw(camera, Window(0, 0, 270, 480, 1))[0]).astype(np.uint8)
    images, joints = [], []
    for index in range(32):
        # A paper figure goes up the wall while the camera goes to the right.
        body = from_tripod.joints[0] - [pan * index, 5 * index - 60]
        image = np.ascontiguousarray(wall[:, pan * index : pan * index + 200])
        for a, b in (
            (11, 12),
            (11, 23),
            (12, 24),
            (23, 24),
            (13, 11),
            (12, 14),
            (13, 15),
            (14, 16),
            (23, 25),
            (25, 27),
        ):
            start, end = (tuple(int(place) for place in body[joint]) for joint in (a, b))
            cv2.line(image, start, end, (255, 0, 255), 9)
        images.append(image)
        joints.append(body)
    watched = watch(films.film(tmp_path / "paper.mp4", images, FPS), np.array(joints))
    view = watched.view
    assert view.image.shape[1] == pytest.approx(200 + 31 * pan, abs=2)
    left = round(view.origin[0]) + pan * watched.track.reference
    shown = wall[:, max(left, 0) :][:480, : view.image.shape[1]]
    same = view.image[: shown.shape[0], : shown.shape[1]]
    # Soft, for edges may be off by a part of a pixel.
    soft, true = (cv2.GaussianBlur(picture, (0, 0), 3).astype(int) for picture in (same, shown))
    away = np.abs(soft - true).max(axis=2)
    assert view.seen.mean() > 0.97
    assert (away[view.seen[: shown.shape[0], : shown.shape[1]]] > 40).mean() < 0.005


def test_the_same_wall_is_recognised_after_a_cut_and_another_is_not(from_hand: Climb, tmp_path: Path) -> None:
    images = from_hand.images
    elsewhere = 12 * [_another_wall()]
    path = films.film(tmp_path / "cut.mp4", [*images[:16], *elsewhere, *images[24:]], FPS)
    joints = np.concatenate([from_hand.joints[:16], np.full((12, 33, 2), np.nan), from_hand.joints[24:]])
    track = watch(path, joints).track
    assert track.known[:16].all()
    assert not track.known[16:28].any()
    assert track.known[28:].all()
    holds = np.array([hold.center for hold in from_hand.scene.climb.holds if hold.on_route])
    last, reference = from_hand.scene.cameras[-1], from_hand.scene.cameras[track.reference]
    placed = track.place(np.repeat(last.project(holds)[None], len(track.known), axis=0))[-1]
    assert np.linalg.norm(placed - reference.project(holds), axis=1).max() < 0.01 * 480


def test_without_anything_to_hold_on_to_the_movement_is_unknown(tmp_path: Path) -> None:
    track = watch(films.film(tmp_path / "grey.mp4", films.plain(12, 96, 128), FPS)).track
    assert track.known.sum() <= 1


def _another_wall() -> films.Image:
    coarse = np.random.default_rng(0).integers(0, 255, (40, 24, 3), dtype=np.uint8)
    return cv2.resize(coarse, (270, 480), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
