"""From a moving body and the holds' outlines to who was where from when to when."""

from collections.abc import Callable
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from ascension_vision.camera.track import CameraTrack
from ascension_vision.contacts.contact import Contact
from ascension_vision.contacts.finding import find_contacts
from ascension_vision.contacts.moves import moves
from ascension_vision.holds.hold import Hold, Kind
from ascension_vision.pose.following import Poses
from ascension_vision.scene import CameraOptions, Scene, SceneOptions, plan_scene
from ascension_vision.scene.camera import homography_between
from ascension_vision.scene.holds import hold_mesh
from ascension_vision.wall.wall import Wall

Array = npt.NDArray[np.float64]

FPS = 15
WIDTH, HEIGHT = 540, 960


# --- rendered climbs, their landmarks blurred as a network would ------------------------------------------------------


@cache
def scene_of(seed: int, angle: float, camera: CameraOptions) -> Scene:
    return plan_scene(
        SceneOptions(
            seed=seed, duration_s=9.0, fps=FPS, width=WIDTH, height=HEIGHT, wall_angle_deg=angle, camera=camera
        )
    )


def holds_of(scene: Scene) -> list[Hold]:
    found = []
    for hold in scene.climb.holds:
        seen = scene.reference.project(hold_mesh(hold)[0]).astype(np.float32)
        outline = cv2.convexHull(seen)[:, 0].astype(np.float64)
        box = (*outline.min(axis=0), *outline.max(axis=0))
        kind: Kind = "volume" if hold.type == "volume" else "hold"
        found.append(Hold(hold.id, kind, hold.type, 1.0, 1.0, box, outline, color=hold.color_name))
    return found


def seen_in(scene: Scene, noise: float) -> tuple[Poses, CameraTrack]:
    """Landmarks that wander by ``noise`` torso lengths."""
    body = np.array([c.project(p) for c, p in zip(scene.cameras, scene.motion.landmarks, strict=True)])
    torso = np.median(np.linalg.norm(body[:, 11:13].mean(axis=1) - body[:, 23:25].mean(axis=1), axis=1))
    body += noise * torso * wandering(body.shape, np.random.default_rng(5))
    track = CameraTrack(np.array([homography_between(c, scene.reference) for c in scene.cameras]), 0, False)
    return poses_of(scene.motion.times, body), track


def wandering(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Noise of standard deviation 1 that changes within a few tenths of a second, half of it, and seconds."""
    result = np.zeros(shape)
    for seconds in (0.15, 1.5):
        reach = np.arange(-3 * seconds * FPS, 3 * seconds * FPS + 1) / (seconds * FPS)
        kernel = np.exp(-0.5 * reach**2)
        kernel /= np.sqrt((kernel**2).sum())
        white = rng.standard_normal((shape[0] + len(kernel) - 1, int(np.prod(shape[1:]))))
        smooth = np.stack([np.convolve(column, kernel, "valid") for column in white.T], axis=-1)
        result += np.sqrt(0.5) * smooth.reshape(shape)
    return result


def poses_of(t: Array, xy: Array, visibility: Array | None = None) -> Poses:
    points = np.concatenate([xy, np.zeros((*xy.shape[:2], 1))], axis=2)
    seen = np.full(xy.shape[:2], 0.95) if visibility is None else visibility
    return Poses(t, points, seen, points, WIDTH, HEIGHT)


@pytest.mark.parametrize(
    ("seed", "angle", "camera"),
    [
        (7, 8.0, CameraOptions()),
        (40, 20.0, CameraOptions(distance_m=5.5, aside_m=-1.5)),
        (31, 5.0, CameraOptions(distance_m=3.4, pan=0.8, shake_deg=0.8)),
    ],
)
def test_contacts_of_a_climb_are_found_with_their_holds_and_times(
    seed: int, angle: float, camera: CameraOptions
) -> None:
    scene = scene_of(seed, angle, camera)
    poses, track = seen_in(scene, 0.06)
    found = find_contacts(poses, track, holds_of(scene))
    late = []
    for true in scene.climb.contacts:
        same = [c for c in found if c.limb == true.limb and c.hold_id == true.hold_id and overlap(c, true) > 0.5]
        assert len(same) == 1, true
        if true.start > 0:
            late.append(abs(same[0].start - true.start))
        assert same[0].confidence > 0.7
    assert len(found) == len(scene.climb.contacts)
    assert np.median(late) < 0.15


@pytest.mark.parametrize("aside", [0.0, 0.12])
def test_feet_that_are_all_seen_beside_their_holds_in_the_same_way_are_on_those_holds(aside: float) -> None:
    """As the pose network draws them at steep walls: too low and too near to each other; and all limbs ``aside``."""
    scene = scene_of(7, 8.0, CameraOptions())
    poses, track = seen_in(scene, 0.04)
    body = poses.points[..., :2].copy()
    torso = np.median(np.linalg.norm(body[:, 11:13].mean(axis=1) - body[:, 23:25].mean(axis=1), axis=1))
    body[:, [27, 29, 31]] += torso * np.array([0.12, 0.25])
    body[:, [28, 30, 32]] += torso * np.array([-0.12, 0.25])
    body[..., 0] += torso * aside
    holds = holds_of(scene)
    # Where two of the feet are seen there are other holds.
    for number, (limb, way) in enumerate((("left_foot", 0.12), ("right_foot", -0.12))):
        x, y = next(hold.center for hold in holds if hold.id == scene.climb.of_limb(limb)[-1].hold_id)
        holds.append(square(1000 + number, (x + (way + aside) * torso, y + 0.22 * torso), half=5.0))
    found = find_contacts(poses_of(poses.t, body), track, holds)
    assert len(found) == len(scene.climb.contacts)
    for true in scene.climb.contacts:
        same = [c for c in found if c.limb == true.limb and c.hold_id == true.hold_id and overlap(c, true) > 0.5]
        assert len(same) == 1, true


def overlap(found: Contact, true: object) -> float:
    start, end = float(true.start), float(true.end)  # type: ignore[attr-defined]
    union = max(found.end, end) - min(found.start, start)
    return (min(found.end, end) - max(found.start, start)) / union


def test_moves_lead_from_contact_to_contact() -> None:
    scene = scene_of(7, 8.0, CameraOptions())
    poses, track = seen_in(scene, 0.0)
    found = moves(find_contacts(poses, track, holds_of(scene)))
    for limb in ("left_hand", "right_hand", "left_foot", "right_foot"):
        visited = [contact.hold_id for contact in scene.climb.of_limb(limb)]
        own = [move for move in found if move.limb == limb]
        assert [own[0].from_hold_id, *(move.to_hold_id for move in own)] == visited
    assert [move.start for move in found] == sorted(move.start for move in found)
    assert all(0.3 < move.end - move.start < 1.2 for move in found)


# --- a figure of which one limb does one thing ------------------------------------------------------------------------

TORSO = 100.0
# Pixels: hands up, feet on footholds, hips between.
FIGURE = {
    0: (270, 300), 7: (262, 305), 8: (278, 305), 11: (245, 350), 12: (295, 350), 13: (220, 300), 14: (320, 300),
    15: (225, 240), 16: (315, 240), 23: (255, 450), 24: (285, 450), 25: (225, 510), 26: (315, 510), 27: (235, 590),
    28: (305, 590), 29: (235, 600), 30: (305, 600), 31: (230, 605), 32: (310, 605),
}  # fmt: skip
LEFT_GRIP, RIGHT_GRIP = (225.0, 225.0), (315.0, 225.0)
T = np.arange(90) / FPS


def figure() -> Array:
    body = np.tile([270.0, 300.0], (33, 1))
    for landmark, place in FIGURE.items():
        body[landmark] = place
    body[[17, 19, 21]], body[[18, 20, 22]] = LEFT_GRIP, RIGHT_GRIP
    return body


def standing() -> Array:
    return np.repeat(figure()[None], len(T), axis=0)


def square(number: int, center: tuple[float, float], kind: Kind = "hold", half: float = 9.0) -> Hold:
    x, y = center
    corners = np.array([[x - half, y - half], [x + half, y - half], [x + half, y + half], [x - half, y + half]])
    return Hold(number, kind, "unknown", None, 1.0, (x - half, y - half, x + half, y + half), corners)


HOLDS = [square(0, LEFT_GRIP), square(1, RIGHT_GRIP), square(2, (230, 607)), square(3, (310, 607))]


def contacts(
    body: Array,
    holds: list[Hold] = HOLDS,
    hide: Callable[[Array], None] | None = None,
    wall: Wall | None = None,
) -> dict[str, list[Contact]]:
    visibility = np.full(body.shape[:2], 0.95)
    if hide is not None:
        hide(visibility)
    noise = 0.01 * TORSO * wandering(body.shape, np.random.default_rng(1))
    track = CameraTrack(np.repeat(np.eye(3)[None], len(body), axis=0), 0, True)
    found = find_contacts(poses_of(T[: len(body)], body + noise, visibility), track, holds, wall)
    return {
        limb: [c for c in found if c.limb == limb] for limb in ("left_hand", "right_hand", "left_foot", "right_foot")
    }


def reach(body: Array, landmarks: list[int], goal: tuple[float, float], start: int, stop: int) -> None:
    share = np.clip((np.arange(len(body)) - start) / (stop - start), 0, 1)[:, None, None]
    eased = share**3 * (10 - 15 * share + 6 * share**2)
    body[:, landmarks] += eased * (np.array(goal) - body[:, landmarks])


@pytest.mark.parametrize(("lean_deg", "hold"), [(35.0, "upper"), (-35.0, "lower")])
def test_feet_stand_higher_on_a_steep_wall_and_lower_on_a_slab_than_they_are_seen(lean_deg: float, hold: str) -> None:
    lean, scale = np.radians(lean_deg), 200.0
    projection = np.array(
        [[scale, 0, 0, 270], [0, -scale * np.cos(lean), scale * np.sin(lean), 600], [0, 0, 0, 1]], np.float64
    )
    wall = Wall(projection, lean_deg, "user", "t_nuts", 0.004)
    upper, lower = [square(2, (230, 580)), square(3, (310, 580))], [square(4, (230, 614)), square(5, (310, 614))]
    found = contacts(standing(), [*HOLDS[:2], *upper, *lower], wall=wall)
    expected = {"upper": [2, 3], "lower": [4, 5]}[hold]
    assert [c.hold_id for limb in ("left_foot", "right_foot") for c in found[limb]] == expected


def test_both_hands_can_be_on_one_hold() -> None:
    body = standing()
    reach(body, [18, 20, 22], (LEFT_GRIP[0] + 6, LEFT_GRIP[1]), 30, 40)
    found = contacts(body)
    assert [c.hold_id for c in found["left_hand"]] == [0]
    assert [c.hold_id for c in found["right_hand"]] == [1, 0]
    assert found["right_hand"][1].start == pytest.approx(T[40], abs=0.15)
    assert found["right_hand"][0].end == pytest.approx(T[30], abs=0.15)


def test_a_hand_that_moves_on_to_the_hold_beside_has_changed_holds() -> None:
    body = standing()
    beside = (LEFT_GRIP[0] + 22, LEFT_GRIP[1] - 12)
    reach(body, [15, 17, 19, 21], beside, 40, 50)
    found = contacts(body, [square(0, LEFT_GRIP, half=18.0), *HOLDS[1:], square(4, beside, half=18.0)])["left_hand"]
    assert [c.hold_id for c in found] == [0, 4]
    assert found[1].start == pytest.approx(T[50], abs=0.25)


def test_a_hand_whose_landmarks_follow_late_was_there_when_its_speed_says() -> None:
    body = standing()
    beside = (LEFT_GRIP[0] + 60, LEFT_GRIP[1] - 120)
    # the network's arm still stretches when the hand has long arrived
    most = tuple(0.2 * np.array(LEFT_GRIP) + 0.8 * np.array(beside))
    reach(body, [15, 17, 19, 21], most, 40, 46)
    reach(body, [15, 17, 19, 21], beside, 44, 56)
    found = contacts(body, [*HOLDS, square(4, beside)])["left_hand"]
    assert [c.hold_id for c in found] == [0, 4]
    assert found[1].start == pytest.approx(T[46], abs=0.22)


def test_a_hand_that_is_seen_beside_its_hold_for_a_while_has_not_left_it() -> None:
    body = standing()
    # What is wrong with a landmark stays wrong for a second or two: there is no other hold where it is seen.
    body[30:55, [17, 19, 21]] += (18, 6)
    found = contacts(body)["left_hand"]
    assert [c.hold_id for c in found] == [0]


def test_a_hidden_hand_that_trembles_before_a_wall_full_of_holds_touches_none() -> None:
    body = standing()
    reach(body, [16, 18, 20, 22], (300, 420), 20, 30)
    rng = np.random.default_rng(3)
    body[30:, [18, 20, 22]] += 0.1 * TORSO * wandering((60, 1, 2), rng)

    def hide(visibility: Array) -> None:
        visibility[28:, [18, 20, 22]] = 0.57

    crowd = [square(10 + i, (240 + 30 * (i % 5), 360 + 30 * (i // 5)), half=7.0) for i in range(25)]
    found = contacts(body, [*HOLDS, *crowd], hide)["right_hand"]
    assert [c.hold_id for c in found] == [1]


def test_a_foot_at_rest_on_the_bare_wall_is_on_no_hold() -> None:
    body = standing()
    reach(body, [28, 30, 32], (430, 560), 20, 30)
    found = contacts(body)["right_foot"]
    assert [c.hold_id for c in found] == [3, None]
    assert found[1].start == pytest.approx(T[30], abs=0.2)


def test_a_hidden_hand_is_on_no_hold_that_it_was_not_seen_to_take() -> None:
    body = standing()
    reach(body, [18, 20, 22], (330, 120), 30, 40)

    def hide(visibility: Array) -> None:
        visibility[32:, [18, 20, 22]] = 0.2

    found = contacts(body, [*HOLDS, square(4, (330, 120))], hide)["right_hand"]
    assert [c.hold_id for c in found] == [1]


def test_a_hand_that_is_hidden_for_a_moment_has_not_left_its_hold() -> None:
    body = standing()
    body[40:55, [18, 20, 22]] += [80, 40]

    def hide(visibility: Array) -> None:
        visibility[38:57, [18, 20, 22]] = 0.2

    found = contacts(body, hide=hide)["right_hand"]
    assert [c.hold_id for c in found] == [1]
    assert found[0].end - found[0].start > 0.9 * T[-1]
    assert found[0].confidence < contacts(standing())["right_hand"][0].confidence


def test_a_body_that_would_fall_is_held_by_a_hidden_hand_with_little_confidence() -> None:
    body = standing()
    reach(body, [27, 29, 31], (120, 520), 10, 20)
    body[20:, [27, 29, 31]] += (20 * np.sin(4 * T[20:]))[:, None, None]

    def hide(visibility: Array) -> None:
        visibility[:, 15:23] = 0.2

    found = contacts(body, hide=hide)
    assert [c.hold_id for c in found["right_foot"]] == [3]
    hands = found["left_hand"] + found["right_hand"]
    assert len(hands) == 1
    assert hands[0].confidence <= 0.3
    assert hands[0].start == pytest.approx(T[10], abs=0.3)
    assert hands[0].hold_id in (0, 1)


def test_a_foot_hooks_a_hold_with_its_heel() -> None:
    body = standing()
    reach(body, [27], (150, 560), 20, 30)
    reach(body, [29], (150, 585), 20, 30)
    reach(body, [31], (140, 555), 20, 30)
    found = contacts(body, [*HOLDS, square(5, (150, 600))])["left_foot"]
    assert [c.hold_id for c in found] == [2, 5]


def test_a_foot_that_turns_about_its_hooking_heel_has_not_gone_from_one_hold_to_the_next() -> None:
    body = standing()
    for landmark, place in ((27, (150, 560)), (29, (150, 590)), (31, (150, 552))):
        reach(body, [landmark], place, 15, 25)
    # toes from beside one hold to beside another
    reach(body, [27], (158, 556), 52, 54)
    reach(body, [31], (176, 552), 52, 54)
    found = contacts(body, [*HOLDS, square(5, (150, 548), half=6.0), square(6, (176, 548), half=6.0)])["left_foot"]
    assert found[0].hold_id == 2
    assert len(found) == 2
    assert found[1].end == pytest.approx(T[-1], abs=0.1)


def test_a_hold_on_a_volume_is_preferred_to_the_volume() -> None:
    found = contacts(standing(), [square(9, LEFT_GRIP, "volume", 40.0), *HOLDS])["left_hand"]
    assert [c.hold_id for c in found] == [0]


def test_people_on_the_ground_touch_nothing_yet() -> None:
    body = standing()
    ground = body[0].copy()
    # Arms down, feet below: this is how one stands before a climb.
    ground[[13, 14]], ground[[15, 16]] = [[235, 400], [305, 400]], [[235, 450], [305, 450]]
    ground[[17, 19, 21]], ground[[18, 20, 22]] = (235, 465), (305, 465)
    ground[[25, 26]], ground[[27, 28]] = [[255, 570], [285, 570]], [[255, 680], [285, 680]]
    ground[[29, 31]], ground[[30, 32]] = (250, 700), (290, 700)
    body[:45] = ground
    found = contacts(body)
    assert min(c.start for own in found.values() for c in own) > T[40]


def test_without_holds_what_rests_is_on_no_hold() -> None:
    found = contacts(standing(), [])
    assert {c.hold_id for own in found.values() for c in own} == {None}


def test_a_climber_who_is_never_seen_touches_nothing() -> None:
    assert not any(contacts(np.full((30, 33, 2), np.nan)).values())
