"""Who climbs, and whether it is still the same person after something stood before them.

The networks are replaced by one that reads from the picture which moment it is, and knows who is where then.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from ascension_vision.pose.climber import Path, find_climber
from ascension_vision.pose.model import Detection, Landmarks
from ascension_vision.pose.roi import Roi, View
from ascension_vision.pose.scouting import KeyFrame

Array = npt.NDArray[np.float64]

WIDTH, HEIGHT = 360, 640
SECONDS_APART = 0.25
RED, BLUE = (200, 40, 40), (40, 60, 200)
Person = tuple[float, float, tuple[int, int, int], bool]  # hips' x and y, clothes, whether on the wall


@dataclass
class Stage:
    """Who is to be seen at each moment; a pose model that makes no mistakes."""

    moments: list[list[Person]]
    shots: list[int] | None = None
    name: str = "a model that knows"

    def keys(self) -> list[KeyFrame]:
        """Key frames a quarter of a second apart, with everybody that is seen on them."""
        keys = []
        for index, people in enumerate(self.moments):
            picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
            picture[:32, :32] = 6 * index
            for x, y, clothes, _ in people:
                cv2.rectangle(picture, (int(x) - 25, int(y) - 70), (int(x) + 25, int(y) + 40), clothes, -1)
            ok, jpeg = cv2.imencode(".jpg", picture[..., ::-1])
            assert ok
            shot = self.shots[index] if self.shots else 0
            key = KeyFrame(index, SECONDS_APART * index, shot, jpeg.tobytes(), 1.0, WIDTH, HEIGHT)
            key.people = [_seen(person, _roi(person)) for person in people]
            keys.append(key)
        return keys

    def detect(self, images: Sequence[View], rois: Sequence[Roi]) -> list[list[Detection]]:
        return [[] for _ in images]

    def landmarks(self, images: Sequence[View], rois: Sequence[Roi]) -> list[Landmarks]:
        found = []
        for image, roi in zip(images, rois, strict=True):
            assert isinstance(image, np.ndarray)
            there = self.moments[round(float(image[8:24, 8:24].mean()) / 6)]
            near = [person for person in there if np.hypot(person[0] - roi.x, person[1] - roi.y) < 0.3 * roi.side]
            found.append(_seen(near[0], roi) if near else _nobody(roi))
        return found


def _roi(person: Person) -> Roi:
    return Roi(person[0], person[1] - 20, 260.0)


def _seen(person: Person, roi: Roi) -> Landmarks:
    x, y, _, climbing = person
    points = np.zeros((33, 3))
    points[:, :2] = (x, y - 90)
    for side, left in ((-1, True), (1, False)):
        shift = 0 if left else 1
        points[11 + shift, :2] = (x + side * 25, y - 70)
        points[[13 + shift, 15 + shift], :2] = (x + side * 45, y - (110 if climbing else 20))
        points[23 + shift, :2] = (x + side * 15, y)
        points[[25 + shift, 27 + shift], :2] = (x + side * 20, y + 70)
        points[27 + shift, 1] = y + 130
    ones = np.ones(33)
    return Landmarks(points, ones, ones, ones, points / 400, 1.0, roi, _roi(person))


def _nobody(roi: Roi) -> Landmarks:
    nothing = np.zeros(33)
    return Landmarks(np.zeros((33, 3)), nothing, nothing, nothing, np.zeros((33, 3)), 0.0, roi, roi)


def _climber(moment: int) -> Person:
    """Rises by four pixels a moment."""
    return (180.0, 480.0 - 4 * moment, RED, True)


def _bystander(moment: int) -> Person:
    return (60.0, 500.0, BLUE, False)


@pytest.mark.parametrize("hidden", [3, 7, 12], ids=lambda count: f"{SECONDS_APART * count:.1f} s")
def test_a_climber_who_was_hidden_for_a_while_is_the_same_one_afterwards(hidden: int) -> None:
    gap = range(12, 12 + hidden)
    stage = Stage([[_bystander(m)] if m in gap else [_climber(m), _bystander(m)] for m in range(36)])
    keys = stage.keys()
    track = find_climber(keys, stage)
    assert sorted(track.seen) == [m for m in range(36) if m not in gap]
    for moment, seen in track.seen.items():
        assert seen.next_roi.y == pytest.approx(_climber(moment)[1] - 20)


def test_somebody_who_walks_past_in_front_does_not_become_the_climber() -> None:
    def moment(m: int) -> list[Person]:
        passer = (20.0 + 20 * (m - 8), 430.0, BLUE, False)
        return [passer] if 14 <= m <= 18 else [_climber(m), *([passer] if 8 <= m <= 24 else [])]

    stage = Stage([moment(m) for m in range(36)])
    track = find_climber(stage.keys(), stage)
    assert not set(track.seen) & set(range(14, 19))
    assert all(seen.next_roi.x == pytest.approx(180) for seen in track.seen.values())
    assert len(track.seen) == 31


def test_a_moment_at_which_only_scouting_missed_the_climber_is_filled_from_its_neighbours() -> None:
    stage = Stage([[_climber(m)] for m in range(20)])
    keys = stage.keys()
    for moment in (6, 7, 8, 15):
        keys[moment].people.clear()
    assert sorted(find_climber(keys, stage).seen) == list(range(20))


def test_after_a_cut_the_climber_is_known_by_the_clothes() -> None:
    """The stranger of the second shot climbs as well, but in blue."""
    first = [[_climber(m)] for m in range(12)]
    second: list[list[Person]] = [
        [(250.0, 470.0 - 4 * m, RED, True), (90.0, 470.0 - 4 * m, BLUE, True)] for m in range(10)
    ]
    stage = Stage(first + second, shots=[0] * 12 + [1] * 10)
    track = find_climber(stage.keys(), stage)
    assert sorted(track.seen) == list(range(22))
    assert {round(track.seen[m].next_roi.x) for m in range(12, 22)} == {250}


def test_while_the_climber_is_hidden_for_long_no_frame_is_looked_at() -> None:
    gap = range(12, 24)
    stage = Stage([[] if m in gap else [_climber(m)] for m in range(36)])
    keys = stage.keys()
    path = Path(find_climber(keys, stage), keys)
    assert path.at(SECONDS_APART * 5.5, 0) is not None
    assert path.at(SECONDS_APART * 18, 0) is None
    after = path.at(SECONDS_APART * 30.5, 0)
    assert after is not None
    assert after.y == pytest.approx(480 - 4 * 30.5 - 20, abs=1)


class FarAway(Stage):
    """A detector that finds only those who fill a good part of the region."""

    def detect(self, images: Sequence[View], rois: Sequence[Roi]) -> list[list[Detection]]:
        found: list[list[Detection]] = []
        for image, roi in zip(images, rois, strict=True):
            assert isinstance(image, np.ndarray)
            there = self.moments[round(float(image[8:24, 8:24].mean()) / 6)] if roi.side < 200 else []
            inside = [p for p in there if max(abs(p[0] - roi.x), abs(p[1] - 20 - roi.y)) < roi.side / 2]
            points = [np.array([[x, y - 20], [x, y - 120], [x, y - 70], [x, y - 120]]) for x, y, _, _ in inside]
            found.append([Detection(0.9, key_points) for key_points in points])
        return found


def test_a_climber_too_small_for_the_whole_picture_is_found_though_somebody_stands_before_the_camera() -> None:
    stage = FarAway([[_climber(m), _bystander(m)] for m in range(30)])
    keys = stage.keys()
    for key in keys:
        key.people = key.people[1:]
    track = find_climber(keys, stage)
    assert sorted(track.seen) == list(range(30))
    assert {round(seen.next_roi.x) for seen in track.seen.values()} == {180}


def test_people_who_only_stand_about_are_no_climbers() -> None:
    stage = Stage([[_bystander(m)] for m in range(20)])
    assert not find_climber(stage.keys(), stage).seen
