"""Cleaning removes what a body cannot do and leaves what it did, when it did it."""

import numpy as np
import numpy.typing as npt
from ascension_vision.body.cleaning import clean
from ascension_vision.pose.following import Poses

Array = npt.NDArray[np.float64]


def climbing(frames: int = 120, fps: float = 30) -> Poses:
    """A body 300 pixels high that rises, its right hand reaching quickly in the middle."""
    rng = np.random.default_rng(0)
    t = np.arange(frames) / fps
    rest = rng.uniform(-150, 150, (33, 3))
    rest[[11, 12, 23, 24]] = [(-40, -60, 0), (40, -60, 0), (-25, 60, 0), (25, 60, 0)]
    rest[13:23:2, 0] -= 120  # left and right limbs apart
    rest[14:23:2, 0] += 120
    rest[25:33:2, 0] -= 60
    rest[26:33:2, 0] += 60
    points = np.repeat(rest[None] + (500, 900, 0), frames, axis=0) - t[:, None, None] * (0, 40, 0)
    reach = 1 / (1 + np.exp(-(t - t[frames // 2]) / 0.08))
    points[:, [16, 18, 20, 22], 1] -= 120 * reach[:, None]
    return Poses(t, points, np.full((frames, 33), 0.95), (points - (500, 900, 0)) / 300, 1080, 1920)


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


def test_legs_that_change_places_for_some_frames_are_changed_back() -> None:
    truth, broken = climbing(), climbing()
    left, right = [25, 27, 29, 31], [26, 28, 30, 32]
    for array in (broken.points, broken.world):
        array[50:56, left + right] = array[50:56, right + left]
    assert off(clean(broken), truth).max() < 6


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
