"""The wall's plane and scale, and holds in metres with an error that can be believed."""

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from ascension_vision.camera.track import CameraTrack, ReferenceView
from ascension_vision.holds.hold import Hold
from ascension_vision.pose.following import Poses
from ascension_vision.scene import BodyOptions, CameraOptions, Scene, SceneOptions, plan_scene
from ascension_vision.wall.estimate import estimate_wall
from ascension_vision.wall.placing import place_holds
from ascension_vision.wall.wall import Wall

Array = npt.NDArray[np.float64]

WIDTH, HEIGHT = 540, 960


def wall_of(scene: Scene) -> Wall:
    """The true one."""
    camera = scene.reference
    projection = camera.intrinsics @ np.column_stack([camera.rotation, camera.translation])
    return Wall(projection, scene.options.wall_angle_deg, "user", "t_nuts", 0.0)


@pytest.fixture(scope="module")
def scene() -> Scene:
    camera = CameraOptions(aside_m=0.0, distance_m=5.0)
    return plan_scene(SceneOptions(seed=7, duration_s=6.0, fps=5, width=WIDTH, height=HEIGHT, camera=camera))


def seen(scene: Scene) -> tuple[Poses, CameraTrack]:
    body = np.array([c.project(p) for c, p in zip(scene.cameras, scene.motion.landmarks, strict=True)])
    # The pose network sees the hips lower than where the joints are.
    shoulders, hips = body[:, 11:13].mean(axis=1), body[:, 23:25].mean(axis=1)
    body[:, 23:25] += (0.1 * (hips - shoulders))[:, None]
    points = np.concatenate([body, np.zeros((*body.shape[:2], 1))], axis=2)
    world = scene.motion.landmarks - scene.motion.landmarks[:, 23:25].mean(axis=1, keepdims=True)
    track = CameraTrack(np.repeat(np.eye(3)[None], len(body), axis=0), 0, True)
    return Poses(scene.motion.times, points, np.full(body.shape[:2], 0.9), world, WIDTH, HEIGHT), track


def dots(scene: Scene) -> tuple[list[Hold], Array]:
    """The holds as far as they are in the picture, and where they truly are, ``(n, 2)`` metres."""
    found, truth = [], []
    for hold in scene.climb.holds:
        x, y = scene.reference.project(hold.center + np.array([0, 0, 0.02]))
        if hold.type != "volume" and 0 < x < WIDTH and 0 < y < HEIGHT:
            box = (x - 5, y - 5, x + 5, y + 5)
            found.append(Hold(hold.id, "hold", hold.type, 1.0, 1.0, box, np.array([[x, y]] * 3)))
            truth.append(hold.center[:2])
    return found, np.array(truth)


def laid_over(places: Array, truth: Array) -> Array:
    u, _, vt = np.linalg.svd((places - places.mean(axis=0)).T @ (truth - truth.mean(axis=0)))
    return np.asarray((places - places.mean(axis=0)) @ u @ vt + truth.mean(axis=0))


def test_pixels_go_to_the_wall_and_back(scene: Scene) -> None:
    wall = wall_of(scene)
    places = np.array([[0.3, 2.0, 0.0], [-1.0, 0.5, 0.0]])
    np.testing.assert_allclose(wall.on_surface(wall.project(places)), places, atol=1e-9)
    raised = places + np.array([0, 0, 0.1])
    np.testing.assert_allclose(wall.on_surface(wall.project(raised), 0.1), raised, atol=1e-9)
    np.testing.assert_allclose(wall.project(places), scene.reference.project(places))


def test_holds_are_placed_in_metres_by_the_climbers_height(scene: Scene) -> None:
    poses, track = seen(scene)
    holds, truth = dots(scene)
    wall = estimate_wall(poses, track, None, holds, climber_height_cm=174.0, wall_angle_deg=8.0)
    assert wall is not None
    assert (wall.scale_source, wall.angle_source, wall.angle_deg) == ("climber_height", "user", 8.0)
    placed = place_holds(holds, wall)
    found = np.array([hold.wall_m[:2] for hold in placed if hold.wall_m is not None])
    away = 100 * np.linalg.norm(laid_over(found, truth) - truth, axis=1)
    said = np.array([hold.wall_error_cm for hold in placed])
    assert np.median(away) < 15
    assert (away < said).mean() > 0.8
    # x to the right, y up, and the lowest foot at y = 0.
    assert np.corrcoef(found[:, 0], truth[:, 0])[0, 1] > 0.99
    assert np.corrcoef(found[:, 1], truth[:, 1])[0, 1] > 0.99
    assert abs(wall.project(np.zeros((1, 3)))[0, 1] - poses.points[:, [31, 32], 1].max()) < 20


def test_errors_grow_away_from_the_middle_and_with_what_is_not_known(scene: Scene) -> None:
    poses, track = seen(scene)
    holds, _ = dots(scene)
    told = estimate_wall(poses, track, None, holds, 174.0, 8.0)
    guessed = estimate_wall(poses, track, None, holds, 174.0)
    unknown = estimate_wall(poses, track, None, holds)
    assert told is not None
    assert guessed is not None
    assert unknown is not None
    assert guessed.angle_source == "assumed"
    errors = [np.median([h.wall_error_cm for h in place_holds(holds, wall)]) for wall in (told, guessed, unknown)]
    assert errors[0] < errors[1] < errors[2]
    assert told.scale_error < unknown.scale_error
    pixels = np.array([[WIDTH / 2, y] for y in np.linspace(0, HEIGHT, 5)])
    spread = told.error_cm(pixels)
    assert spread[2] < spread[0]
    assert spread[2] < spread[4]


def test_a_body_tells_how_far_the_wall_overhangs_where_nothing_else_does(scene: Scene) -> None:
    leans = []
    for angle in (-10.0, 10.0, 40.0):
        climb = plan_scene(replace(scene.options, fps=10, wall_angle_deg=angle))
        poses, track = seen(climb)
        poses = replace(poses, world=poses.world @ climb.reference.rotation.T)
        wall = estimate_wall(poses, track, None, dots(climb)[0], 174.0)
        assert wall is not None
        assert wall.angle_source == "estimated"
        leans.append(wall.angle_deg)
        hidden = replace(poses, visibility=np.full_like(poses.visibility, 0.3))
        blind = estimate_wall(hidden, track, None, dots(climb)[0], 174.0)
        assert blind is not None
        assert (blind.angle_source, blind.angle_deg) == ("assumed", 8.0)
    # The network sees bodies more upright than they are, these poses are true: the lean is off, but never in order.
    assert leans[0] + 10 <= leans[1] <= leans[2] - 15
    assert abs(leans[1] - 10) <= 10


ASIDE = CameraOptions(distance_m=4.6, aside_m=2.4, height_m=1.2)


@pytest.fixture(scope="module", params=[(1, 0.0), (2, 30.0)], ids=["from aside", "overhanging"])
def nutted(request: pytest.FixtureRequest) -> tuple[Scene, ReferenceView]:
    """A wall with T-nuts every 20 cm, and what the analysis sees of it."""
    seed, angle = request.param
    options = SceneOptions(
        seed=seed, duration_s=6.0, fps=5, width=WIDTH, height=HEIGHT, wall_angle_deg=angle, camera=ASIDE
    )
    planned = plan_scene(options)
    image = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
    x, y = np.meshgrid(np.arange(-2.6, 2.6, 0.2), np.arange(0.1, 4.6, 0.2))
    for place in planned.reference.project(np.stack([x, y, 0 * x], axis=-1).reshape(-1, 3)):
        where = (round(16 * place[0]), round(16 * place[1]))
        cv2.circle(image, where, 40, (40, 40, 40), -1, cv2.LINE_AA, 4)
    return planned, ReferenceView(image, (0.0, 0.0), np.ones((HEIGHT, WIDTH), np.bool_))


def test_the_grid_of_t_nuts_tells_how_the_wall_stands_and_how_large_it_is(
    nutted: tuple[Scene, ReferenceView],
) -> None:
    scene, view = nutted
    poses, track = seen(scene)
    holds, truth = dots(scene)
    told = 12.0 if scene.options.wall_angle_deg == 0 else None
    wall = estimate_wall(poses, track, view, holds, 174.0, told)
    assert wall is not None
    assert (wall.scale_source, wall.angle_source) == ("t_nuts", "user" if told else "estimated")
    # The camera's own pitch cannot be told from the wall's angle.
    assert wall.angle_deg == pytest.approx(told or scene.options.wall_angle_deg, abs=8)
    placed = place_holds(holds, wall)
    found = np.array([hold.wall_m[:2] for hold in placed if hold.wall_m is not None])
    away = 100 * np.linalg.norm(laid_over(found, truth) - truth, axis=1)
    assert np.median(away) < 2
    assert (away < [hold.wall_error_cm for hold in placed]).mean() > 0.8


def test_dots_without_order_are_no_grid(scene: Scene) -> None:
    poses, track = seen(scene)
    image = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
    for x, y in np.random.default_rng(0).integers(5, [WIDTH - 5, HEIGHT - 5], (500, 2)):
        cv2.circle(image, (int(x), int(y)), 3, (30, 30, 30), -1)
    view = ReferenceView(image, (0.0, 0.0), np.ones((HEIGHT, WIDTH), np.bool_))
    wall = estimate_wall(poses, track, view, [], 174.0)
    assert wall is not None
    assert wall.scale_source == "climber_height"


def test_up_leans_with_the_wall(scene: Scene) -> None:
    np.testing.assert_allclose(wall_of(scene).up, scene_up(8.0))
    assert wall_of(scene).up[2] < 0


def scene_up(angle: float) -> Array:
    return np.array([0.0, np.cos(np.radians(angle)), -np.sin(np.radians(angle))])


def test_a_wall_without_holds_or_a_known_climber_has_no_scale(scene: Scene) -> None:
    poses, track = seen(scene)
    holds, _ = dots(scene)
    assert estimate_wall(poses, track, None, holds[:2]) is None
    unplaced = place_holds(place_holds(holds, wall_of(scene)), None)
    assert all(hold.wall_m is None and hold.wall_error_cm is None for hold in unplaced)


def test_where_the_climber_is_hardly_seen_nothing_tells_the_scale(scene: Scene) -> None:
    poses, track = seen(scene)
    points = poses.points.copy()
    points[5:] = np.nan
    assert estimate_wall(replace(poses, points=points), track, None, dots(scene)[0], 174.0) is None


def test_a_smaller_climber_makes_a_smaller_wall() -> None:
    camera = CameraOptions(aside_m=0.0, distance_m=4.0)
    sizes = []
    for height in (1.5, 1.9):
        options = SceneOptions(
            seed=7, duration_s=6.0, fps=5, width=WIDTH, height=HEIGHT, camera=camera, body=BodyOptions(height_m=height)
        )
        poses, track = seen(plan_scene(options))
        wall = estimate_wall(poses, track, None, [], 100 * height, 8.0)
        assert wall is not None
        corners = wall.on_surface(np.array([[100.0, 480.0], [440.0, 480.0]]))
        sizes.append(np.linalg.norm(corners[1] - corners[0]))
    # The same wall before the same camera, whoever climbs it.
    assert sizes[0] == pytest.approx(sizes[1], rel=0.06)
