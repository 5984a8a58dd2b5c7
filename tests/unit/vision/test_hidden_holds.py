"""What the climber hides in the view of the wall is found in the frames that show it, and nothing is made up."""

import cv2
import numpy as np
import numpy.typing as npt
from ascension_vision.camera.track import CameraTrack, ReferenceView
from ascension_vision.contacts.hidden import with_hidden_holds
from ascension_vision.holds.boxes import Boxes
from ascension_vision.holds.hold import Hold
from ascension_vision.pose.following import Poses
from ascension_vision.pose.scouting import KeyFrame

Array = npt.NDArray[np.float64]
Image = npt.NDArray[np.uint8]

WIDTH, HEIGHT, FPS = 540, 960, 15
T = np.arange(90) / FPS
RED = (200, 30, 30)
# Pixels: hands up, feet on footholds, hips between; the torso is 100 long.
FIGURE = {
    0: (270, 300), 7: (262, 305), 8: (278, 305), 11: (245, 350), 12: (295, 350), 13: (220, 300), 14: (320, 300),
    15: (225, 240), 16: (315, 240), 23: (255, 450), 24: (285, 450), 25: (225, 510), 26: (315, 510), 27: (235, 590),
    28: (305, 590), 29: (235, 600), 30: (305, 600), 31: (230, 605), 32: (310, 605),
}  # fmt: skip
GRIP, KNOWN = (225, 225), (315, 225)
LEFT_ARM, HAND = (13, 15), (17, 19, 21)


class SeesRed:
    """A detector of red things."""

    def __init__(self, chance: float = 0.6) -> None:
        self.looked, self.chance = 0, chance

    def find_closely(self, pieces: list[Image]) -> list[Boxes]:
        self.looked += len(pieces)
        return [self._find(piece) for piece in pieces]

    def _find(self, piece: Image) -> Boxes:
        red = ((piece[..., 0] > 120) & (piece[..., 1] < 90)).astype(np.uint8)
        _, _, stats, _ = cv2.connectedComponentsWithStats(red)
        corners = np.array([[x, y, x + w, y + h] for x, y, w, h, area in stats[1:] if area > 50], np.float64)
        return Boxes(corners.reshape(-1, 4), np.full(len(corners), self.chance), np.zeros(len(corners), np.int64))


def body_that_leaves_at(seconds: float) -> Array:
    """``(90, 33, 2)``: the left hand rests at ``GRIP`` and is then held far out to the left."""
    body = np.tile([270.0, 300.0], (len(T), 33, 1))
    for landmark, place in FIGURE.items():
        body[:, landmark] = place
    body[:, HAND], body[:, [18, 20, 22]] = GRIP, KNOWN
    after = seconds < T
    for landmark, place in {13: (170, 400), 15: (110, 420), 17: (95, 425), 19: (95, 425), 21: (95, 425)}.items():
        body[after, landmark] = place
    return body


def poses_of(body: Array) -> Poses:
    points = np.concatenate([body, np.zeros((*body.shape[:2], 1))], axis=2)
    return Poses(T, points, np.full(points.shape[:2], 0.95), points, WIDTH, HEIGHT)


def keys_of(pictures: list[Image]) -> list[KeyFrame]:
    keys = []
    for index in range(0, len(T), 4):
        jpeg = cv2.imencode(".jpg", pictures[index][..., ::-1])[1].tobytes()
        keys.append(KeyFrame(index, float(T[index]), 0, jpeg, 1.0, WIDTH, HEIGHT))
    return keys


def wall_with(*boxes: tuple[int, int, int, int]) -> Image:
    picture = np.full((HEIGHT, WIDTH, 3), 190, np.uint8)
    for x0, y0, x1, y1 in boxes:
        picture[y0:y1, x0:x1] = RED
    return picture


def hold_at(number: int, box: tuple[float, float, float, float]) -> Hold:
    x0, y0, x1, y1 = box
    outline = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
    return Hold(number, "hold", "unknown", None, 0.99, box, outline, color="red")


def around(place: tuple[int, int]) -> tuple[int, int, int, int]:
    return place[0] - 14, place[1] - 9, place[0] + 14, place[1] + 9


STILL = CameraTrack(np.tile(np.eye(3), (len(T), 1, 1)), 0, True)
FEET = [hold_at(1, around((230, 605))), hold_at(2, around((310, 605)))]
EVERYTHING = np.ones((HEIGHT, WIDTH), np.bool_)


def found(
    body: Array,
    picture: Image,
    holds: list[Hold],
    seen: npt.NDArray[np.bool_] = EVERYTHING,
    chance: float = 0.6,
) -> list[Hold]:
    view = ReferenceView(picture, (0.0, 0.0), seen)
    return with_hidden_holds(SeesRed(chance), keys_of([picture] * len(T)), poses_of(body), STILL, view, holds)


def test_a_hold_that_a_hand_covers_is_found_once_the_hand_has_gone() -> None:
    known = [hold_at(0, around(KNOWN)), *FEET]
    holds = found(body_that_leaves_at(4.0), wall_with(around(GRIP), around(KNOWN)), known)
    assert [hold.id for hold in holds] == [0, 1, 2, 3]
    np.testing.assert_allclose(holds[3].box, around(GRIP), atol=3)
    assert holds[3].color == "red"
    assert holds[3].type == "unknown"


def test_a_limb_finds_the_hold_it_rests_on_and_not_the_one_beside() -> None:
    known = [hold_at(0, around(KNOWN)), *FEET]
    beside = (GRIP[0] - 34, GRIP[1] + 2)
    holds = found(body_that_leaves_at(4.0), wall_with(around(GRIP), around(KNOWN), around(beside)), known)
    assert [hold.id for hold in holds] == [0, 1, 2, 3]
    np.testing.assert_allclose(holds[3].box, around(GRIP), atol=3)


def test_a_hold_that_the_view_does_not_show_is_found_where_a_frame_shows_it_plainly() -> None:
    known = [hold_at(0, around(KNOWN)), *FEET]
    beside = (GRIP[0], GRIP[1] - 45)
    picture = wall_with(around(GRIP), around(KNOWN), around(beside))
    seen = EVERYTHING.copy()
    seen[150:250, 180:270] = False
    doubtful = found(body_that_leaves_at(4.0), picture, known, seen, chance=0.8)
    plain = found(body_that_leaves_at(4.0), picture, known, seen, chance=0.95)
    assert (len(doubtful), len(plain)) == (4, 5)
    # What the view shows and the detector does not take for a hold there is none.
    assert len(found(body_that_leaves_at(4.0), picture, known, chance=0.95)) == 4


def test_a_hold_is_presumed_where_a_limb_rests_and_nobody_sees_the_wall() -> None:
    known = [hold_at(0, around(KNOWN)), *FEET]
    seen = EVERYTHING.copy()
    seen[150:300, 150:270] = False
    holds = found(body_that_leaves_at(9.0), wall_with(around(KNOWN)), known, seen)
    assert [hold.by for hold in holds] == ["detector"] * 3 + ["limb"]
    presumed = holds[3]
    assert (presumed.id, presumed.type, presumed.kind) == (3, "unknown", "hold")
    assert presumed.confidence < min(hold.confidence for hold in holds[:3])
    # The hand covers it: its fingers' ends are above its knuckles.
    np.testing.assert_allclose(presumed.center, (GRIP[0], GRIP[1] - 5), atol=12)


def test_no_hold_is_presumed_on_which_no_limb_rests_for_long() -> None:
    known = [hold_at(0, around(KNOWN)), *FEET]
    seen = EVERYTHING.copy()
    seen[150:300, 150:270] = False
    assert len(found(body_that_leaves_at(0.4), wall_with(around(KNOWN)), known, seen)) == 3


def test_nothing_is_found_where_a_limb_rests_on_the_bare_wall() -> None:
    known = [hold_at(0, around(KNOWN)), *FEET]
    assert len(found(body_that_leaves_at(4.0), wall_with(around(KNOWN)), known)) == 3


def test_what_lies_on_the_body_is_no_hold() -> None:
    # The hand never leaves, and is red itself.
    known = [hold_at(0, around(KNOWN)), *FEET]
    glove = (GRIP[0] - 5, GRIP[1] - 5, GRIP[0] + 5, GRIP[1] + 5)
    assert len(found(body_that_leaves_at(9.0), wall_with(glove, around(KNOWN)), known)) == 3


def test_no_limb_makes_holds_on_a_wall_without_any() -> None:
    model, picture = SeesRed(), wall_with(around(GRIP))
    view = ReferenceView(picture, (0.0, 0.0), EVERYTHING)
    keys = keys_of([picture] * len(T))
    assert not with_hidden_holds(model, keys, poses_of(body_that_leaves_at(4.0)), STILL, view, [])
    assert not model.looked


def test_a_hold_where_the_wall_was_never_seen_is_dropped() -> None:
    seen = EVERYTHING.copy()
    seen[400:500, 200:340] = False
    known = [hold_at(0, around(KNOWN)), *FEET, hold_at(3, (210.0, 410.0, 330.0, 490.0))]
    holds = found(body_that_leaves_at(4.0), wall_with(around(KNOWN)), known, seen)
    assert [hold.center for hold in holds] == [hold.center for hold in known[:3]]
