"""Cleaning removes what a body cannot do and leaves what it did, when it did it."""

import numpy as np
import numpy.typing as npt
from ascension_vision.body.cleaning import clean
from ascension_vision.body.skeleton import OTHER_SIDE
from ascension_vision.pose.following import Poses

Array = npt.NDArray[np.float64]


# The right half of a body 300 pixels high, from the middle of its trunk; the left one is its mirror image.
_RIGHT = {
    **{landmark: (8 + 2 * landmark, -130, 10) for landmark in (1, 2, 3, 7, 9)},
    **{11: (40, -60, 0), 13: (95, -20, 10), 15: (150, -60, -5), 17: (165, -80, -5), 19: (168, -75, -5)},
    **{
        21: (160, -85, -5),
        23: (25, 60, 0),
        25: (60, 140, -30),
        27: (75, 235, 0),
        29: (70, 250, 10),
        31: (95, 255, -20),
    },
}


def climbing(frames: int = 120, fps: float = 30) -> Poses:
    """A body that rises, its right arm swinging up quickly about the shoulder in the middle."""
    t = np.arange(frames) / fps
    rest = np.zeros((33, 3))
    rest[0] = (0, -120, -20)
    for left, place in _RIGHT.items():
        # eyes come as left, left, left, right, right, right; everything else in pairs
        right = left + 3 if left < 4 else left + 1
        rest[right] = place
        rest[left] = np.array(place) * (-1, 1, 1)
    points = np.repeat(rest[None], frames, axis=0)
    turn = -1.2 / (1 + np.exp(-(t - t[frames // 2]) / 0.08))
    cosine, sine = np.cos(turn)[:, None], np.sin(turn)[:, None]
    arm = [14, 16, 18, 20, 22]
    x, y = (rest[arm, axis] - rest[12, axis] for axis in (0, 1))
    points[:, arm, 0] = rest[12, 0] + cosine * x - sine * y
    points[:, arm, 1] = rest[12, 1] + sine * x + cosine * y
    world = points / 300
    points = points + np.array([500, 900, 0]) - t[:, None, None] * (0, 40, 0)
    return Poses(t, points, np.full((frames, 33), 0.95), world, 1080, 1920)


def off(one: Poses, other: Poses) -> Array:
    """``(frames, 33)`` pixels apart."""
    apart: Array = np.linalg.norm(one.points[..., :2] - other.points[..., :2], axis=-1)
    return apart


def test_a_smooth_motion_stays_where_and_when_it_was() -> None:
    truth = climbing()
    assert off(clean(truth), truth).max() < 4


def test_noise_is_reduced_without_lag() -> None:
    truth, noisy = climbing(), climbing()
    noisy.points[..., :2] += np.random.default_rng(3).normal(0, 4, noisy.points[..., :2].shape)
    cleaned = clean(noisy)
    assert off(cleaned, truth).mean() < 0.6 * off(noisy, truth).mean()
    # The reach's midpoint is crossed at the same moment: nothing comes late.
    middle = (truth.points[0, 16, 1] + truth.points[-1, 16, 1]) / 2
    crossing = [np.interp(-middle, -p.points[:, 16, 1], p.t) for p in (truth, cleaned)]
    assert abs(crossing[0] - crossing[1]) < 0.02


def test_a_landmark_that_jumps_away_for_two_frames_is_put_back_and_trusted_less() -> None:
    truth, broken = climbing(), climbing()
    broken.points[40:42, 27, :2] += (200, -150)
    cleaned = clean(broken)
    assert off(cleaned, truth)[38:44, 27].max() < 10
    assert cleaned.visibility[40, 27] <= 0.3


def test_a_hand_seen_for_a_while_where_no_arm_reaches_is_drawn_back_and_trusted_less() -> None:
    truth, broken = climbing(), climbing()
    hand = [15, 17, 19, 21]
    broken.points[40:70, hand, :2] += (-500, 200)
    cleaned = clean(broken)
    assert off(cleaned, truth)[45:65, 15].max() < 0.6 * off(broken, truth)[45:65, 15].max()
    assert cleaned.visibility[45:65, 15].max() <= 0.3
    forearm = np.linalg.norm(cleaned.points[:, 15, :2] - cleaned.points[:, 13, :2], axis=1)
    assert forearm.max() < 1.5 * np.linalg.norm(truth.points[0, 15] - truth.points[0, 13])
    others = [landmark for landmark in range(33) if landmark not in hand]
    assert off(cleaned, truth)[:, others].max() < 4


def test_a_foot_whose_shank_shrinks_in_space_gives_way_to_its_neighbours_in_time() -> None:
    truth, broken = climbing(), climbing()
    for frame in range(20, 100, 3):  # one frame in three
        for array in (broken.points, broken.world):
            array[frame, 27] += 0.17 * (array[frame, 25] - array[frame, 27])
    everywhere = off(broken, truth)[20:100, 27].mean()  # what a plain mean over time would leave on every frame
    assert off(clean(broken), truth)[20:100, 27].mean() < 0.65 * everywhere


def test_an_arm_that_points_at_the_camera_stays_as_short_as_it_looks() -> None:
    truth = climbing()
    length = np.linalg.norm(truth.world[0, 15] - truth.world[0, 13])
    share = np.clip((truth.t - 1.0) / 1.0, 0, 1)[:, None]
    for array, metre in ((truth.points, 300.0), (truth.world, 1.0)):
        ahead = array[:, 13] + np.array([0, 0, -length * metre])
        turning = (1 - share) * array[:, 15] + share * ahead - array[:, 13]
        array[:, 15] = array[:, 13] + turning * (length * metre / np.linalg.norm(turning, axis=1, keepdims=True))
    cleaned = clean(truth)
    assert off(cleaned, truth)[:, 15].max() < 4
    assert np.array_equal(cleaned.visibility, truth.visibility)


def test_legs_that_change_places_for_some_frames_are_changed_back() -> None:
    truth, broken = climbing(), climbing()
    left, right = [25, 27, 29, 31], [26, 28, 30, 32]
    for array in (broken.points, broken.world):
        array[50:56, left + right] = array[50:56, right + left]
    assert off(clean(broken), truth).max() < 6


def test_a_body_that_is_seen_from_the_wrong_side_for_a_while_is_turned_back() -> None:
    truth = climbing()
    for stretch in (slice(0, 25), slice(60, 90), slice(100, 120)):
        broken = climbing()
        for array in (broken.points, broken.world, broken.visibility):
            array[stretch] = array[stretch][:, OTHER_SIDE]
        assert off(clean(broken), truth).max() < 6


def test_a_climber_who_turns_round_is_left_so() -> None:
    frames = 90
    truth = climbing(frames)
    turn = np.pi / (1 + np.exp(-(truth.t - truth.t[frames // 2]) / 0.06))
    middle = truth.points[:, [11, 12, 23, 24], 0].mean(axis=1)[:, None]
    truth.points[..., 0] = middle + np.cos(turn)[:, None] * (truth.points[..., 0] - middle)
    x, z = truth.world[..., 0].copy(), truth.world[..., 2].copy()
    truth.world[..., 0] = np.cos(turn)[:, None] * x + np.sin(turn)[:, None] * z
    truth.world[..., 2] = np.cos(turn)[:, None] * z - np.sin(turn)[:, None] * x
    cleaned = clean(truth)
    assert off(cleaned, truth)[[0, -1]].max() < 6


def test_legs_that_really_cross_stay_crossed() -> None:
    crossing = climbing()
    left, right = [25, 27, 29, 31], [26, 28, 30, 32]
    share = np.clip((crossing.t - 1.5) / 0.6, 0, 1)[:, None, None]
    swapped = crossing.points[:, right + left]
    crossing.points[:, left + right] = (1 - share) * crossing.points[:, left + right] + share * swapped
    assert off(clean(crossing), crossing)[-10:].max() < 4


def test_nobody_stays_nobody_and_nothing_leaks_across_a_gap() -> None:
    truth = climbing()
    for array in (truth.points, truth.world, truth.visibility):
        array[50:80] = np.nan
    cleaned = clean(truth)
    assert (cleaned.seen == truth.seen).all()
    # What is before the gap does not depend on what is after it.
    after = climbing()
    for array in (after.points, after.world, after.visibility):
        array[50:] = np.nan
    assert np.array_equal(clean(after).points[:50], cleaned.points[:50])


def test_a_single_frame_is_left_as_it_is() -> None:
    one = climbing(1)
    assert np.array_equal(clean(one).points, one.points)
