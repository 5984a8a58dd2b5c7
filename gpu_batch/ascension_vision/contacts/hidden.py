"""Holds that the climber hides in the view of the wall, looked for where limbs rest.

A hold under a hand or foot for most of a clip is in no view without the climber. But whoever rests on it came from
somewhere and leaves again, and single frames show the hold for a moment. So where a limb rests and no hold is known,
the detector looks again, closely, at the frames in which the body is farthest from there. What it finds there counts
sooner than elsewhere, for the limb speaks for it; what lies on the body does not count: shoes look like holds. And what
such a frame shows plainly where the view shows nothing is a hold, too, whoever rests beside it.
"""

from dataclasses import dataclass, replace
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from ascension_vision.camera.registration import centred
from ascension_vision.camera.silhouette import silhouette
from ascension_vision.camera.track import CameraTrack, ReferenceView, apply
from ascension_vision.camera.view import bodies_on
from ascension_vision.contacts.bias import without_bias
from ascension_vision.contacts.presumed import presumed_holds, share_seen
from ascension_vision.contacts.resting import resting_places
from ascension_vision.contacts.tips import Tips, limb_tips
from ascension_vision.holds.boxes import Boxes, joined, merged, overlaps
from ascension_vision.holds.hold import UNKNOWN, Hold
from ascension_vision.holds.outline import outlined
from ascension_vision.holds.route import routes
from ascension_vision.pose.following import Poses
from ascension_vision.pose.scouting import KeyFrame
from ascension_vision.wall.wall import Wall

Array = npt.NDArray[np.float64]
Image = npt.NDArray[np.uint8]

# Seconds of a limb's rest, and torso lengths from the hold on which it is.
_SHORTEST, _ON = 0.3, 0.05
# Shares of a box that the view showed: less, and it is no hold but what was made up there; more, and it is well known.
_MADE_UP, _WELL_SEEN = 0.5, 0.9
# Pieces are this large, and show so many torso lengths on each side of the place.
_SIDE, _AROUND = 320, 0.62
_PLACES, _FRAMES, _APART_SECONDS, _REPEATED = 12, 3, 0.8, 0.3
# Torso lengths from the nearest body beyond which farther is no better.
_CLEAR = 0.3
_COARSE, _BODY = 4, 0.7
# The chance that is enough where a limb rests; how much of a box a body may cover; torso lengths between the limb and
# the box, and of its longer side; and by how much a limb's place is usually off.
_ENOUGH, _COVERED, _NEAR, _LARGEST, _BESIDE = 0.6, 0.75, 0.15, 1.0, 0.08
_OVERLAP = 0.3
# What a single frame shows so surely, and no body covers by more, is a hold whoever rests beside it.
_PLAIN, _BARED = 0.9, 0.5
# Share of the surest box within a larger one that is the whole hold, and how many times as large that may be.
_CONTAINED, _GROWN = 0.8, 4.0


class CloseLook(Protocol):
    """Finds holds in small pictures."""

    def find_closely(self, pieces: list[Image]) -> list[Boxes]:
        """For each ``(rows, columns, 3)`` RGB, all of one size: boxes in its pixels; scores are chances."""
        ...


@dataclass(frozen=True)
class _Piece:
    """What one frame shows around a place: ``image`` RGB, ``to_piece`` from reference pixels to its own, ``body`` 255
    where somebody is."""

    place: int
    image: Image
    to_piece: Array
    body: Image


def with_hidden_holds(
    model: CloseLook,
    keys: list[KeyFrame],
    poses: Poses,
    track: CameraTrack,
    view: ReferenceView,
    holds: list[Hold],
    wall: Wall | None = None,
) -> list[Hold]:
    """The holds found in the view, less those that lie where it shows nothing, and those on which limbs rest besides,
    whether a frame shows them or none (``presumed``).

    Args:
        keys: the key frames, with the people on them.
        poses: cleaned, with ``visibility`` as ``body.trust`` makes it.
        holds: in reference pixels. Where there is none there is no wall, and nothing is looked for.
        wall: where it is known already; see ``bias``.

    Returns:
        Holds in reference pixels, numbered anew. What was found here has no type.
    """
    share = [share_seen(view, hold) for hold in holds]
    known = [hold for hold, seen in zip(holds, share, strict=True) if seen >= _MADE_UP]
    well = [hold for hold, seen in zip(holds, share, strict=True) if seen >= _WELL_SEEN]
    tips = limb_tips(poses, track)
    if tips is None or not well:
        return _numbered(known)
    tips = without_bias(tips, well, np.zeros(len(well)), wall)
    for number, hold in enumerate(_hidden(model, keys, poses, track, view, tips, well)):
        if not any(_one_object(hold, other) for other in well):
            known = [other for other in known if other in well or not _one_object(hold, other)]
            known.append(replace(hold, id=len(holds) + number))
            well.append(known[-1])
    return _numbered(known + presumed_holds(tips, view, known))


def _numbered(holds: list[Hold]) -> list[Hold]:
    centers = np.array([hold.center for hold in holds]).reshape(-1, 2)
    numbers = routes(centers, [hold.color for hold in holds], [hold.kind for hold in holds])
    return [replace(hold, id=i, route=route) for i, (hold, route) in enumerate(zip(holds, numbers, strict=True))]


def _one_object(one: Hold, other: Hold) -> bool:
    return _same_box(np.array(one.box), np.array(other.box))


def _same_box(one: Array, other: Array) -> bool:
    """Whether two boxes overlap by much, or one covers the other's middle."""
    middles = (one[:2] + one[2:]) / 2, (other[:2] + other[2:]) / 2
    covered = _within(middles[0], other) or _within(middles[1], one)
    return covered or bool(overlaps(one[None], other[None])[0, 0] > _OVERLAP)


def _within(place: Array, box: Array) -> bool:
    return bool((box[:2] <= place).all() and (place <= box[2:]).all())


def _hidden(
    model: CloseLook,
    keys: list[KeyFrame],
    poses: Poses,
    track: CameraTrack,
    view: ReferenceView,
    tips: Tips,
    well: list[Hold],
) -> list[Hold]:
    """At most one hold for each place, the surest first, and then those that are plain to see."""
    places = resting_places(tips, well, _SHORTEST, _ON)[:_PLACES]
    pieces = _pieces(keys, poses, track, tips, places)
    if not pieces:
        return []
    looked = list(zip(pieces, model.find_closely([piece.image for piece in pieces]), strict=True))
    holds = []
    for number, place in enumerate(places):
        mine = [(piece, boxes) for piece, boxes in looked if piece.place == number]
        hold = _surest(mine, place, tips.torso, well)
        if hold is not None:
            holds.append(hold)
    plain = [hold for piece, boxes in looked for hold in _plain(piece, boxes, tips.torso, view)]
    return sorted(holds + plain, key=lambda hold: -hold.confidence)


def _plain(piece: _Piece, boxes: Boxes, torso: float, view: ReferenceView) -> list[Hold]:
    """What the frame shows plainly and the view does not."""
    scale = float(piece.to_piece[0, 0])
    boxes = boxes.chosen(boxes.scores >= _PLAIN)
    boxes = _whole_ones(piece, boxes, scale * torso, _BARED)
    found = [_hold(piece, corners, float(chance)) for corners, chance in zip(boxes.corners, boxes.scores, strict=True)]
    return [hold for hold in found if share_seen(view, hold) < _WELL_SEEN]


def _pieces(keys: list[KeyFrame], poses: Poses, track: CameraTrack, tips: Tips, places: list[Array]) -> list[_Piece]:
    """Of each place the frames in which bodies are farthest from it, some time apart."""
    usable = [key for key in keys if track.known[key.index]]
    if not usable or not places:
        return []
    clear = np.stack([_clearance(key, poses, track, places) for key in usable], axis=1) / tips.torso
    t = np.array([key.t for key in usable])
    scale = _SIDE / (2 * _AROUND * tips.torso)
    pieces = []
    for number, place in enumerate(places):
        corner = place - _AROUND * tips.torso
        to_piece = np.array([[scale, 0, -scale * corner[0]], [0, scale, -scale * corner[1]], [0, 0, 1]])
        worth = np.minimum(clear[number], _CLEAR)
        for _ in range(_FRAMES):
            k = int(worth.argmax())
            if worth[k] == -np.inf:
                break
            pieces.append(_piece(usable[k], poses, track, number, to_piece))
            worth[np.abs(t - t[k]) < _APART_SECONDS] -= _REPEATED
            worth[k] = -np.inf
    return pieces


def _clearance(key: KeyFrame, poses: Poses, track: CameraTrack, places: list[Array]) -> Array:
    """``(places,)`` reference pixels, roughly, from the nearest body; negative on one, -inf out of the picture."""
    columns, rows = key.width // _COARSE, key.height // _COARSE
    body = silhouette([points / _COARSE for points in bodies_on(key, poses)], (columns, rows), _BODY)
    outer, inner = (cv2.distanceTransform(mask, cv2.DIST_L2, 3) for mask in (cv2.bitwise_not(body), body))
    there = apply(np.linalg.inv(track.to_reference[key.index]), np.array(places)) / (key.scale * _COARSE)
    result = np.full(len(places), -np.inf)
    for i, (x, y) in enumerate(there):
        if 0 <= x < columns and 0 <= y < rows:
            result[i] = float(outer[int(y), int(x)] - inner[int(y), int(x)]) * _COARSE * key.scale
    return result


def _piece(key: KeyFrame, poses: Poses, track: CameraTrack, place: int, to_piece: Array) -> _Piece:
    matrix = to_piece @ track.to_reference[key.index] @ np.diag([key.scale, key.scale, 1.0])
    image = cv2.warpPerspective(key.image(), centred(matrix), (_SIDE, _SIDE), flags=cv2.INTER_LINEAR)
    body = silhouette([apply(matrix, points) for points in bodies_on(key, poses)], (_SIDE, _SIDE), _BODY)
    return _Piece(place, image.astype(np.uint8, copy=False), to_piece, body)


def _surest(looked: list[tuple[_Piece, Boxes]], place: Array, torso: float, well: list[Hold]) -> Hold | None:
    """The hold that a limb at ``place`` rests on, if a look shows it."""
    if not looked:
        return None
    to_piece = looked[0][0].to_piece
    scale, spot = float(to_piece[0, 0]), apply(to_piece, place[None])[0]
    every = merged(joined([_likely(piece, boxes, spot, scale * torso) for piece, boxes in looked]))
    own = [apply(to_piece, np.reshape(hold.box, (2, 2))).ravel() for hold in well]
    every = every.chosen(np.array([not any(_same_box(box, other) for other in own) for box in every.corners], np.bool_))
    if not len(every) or every.scores[0] < _ENOUGH:
        return None
    likely = every.scores * np.exp(-0.5 * (_away(every, spot) / (_BESIDE * scale * torso)) ** 2)
    every = every.chosen(np.argsort(-np.where(every.scores >= _ENOUGH, likely, 0), kind="stable"))
    corners, chance = _whole(every), float(every.scores[0])
    seen = [overlaps(corners, boxes.corners).max(initial=0.0) * boxes.scores.max(initial=0.0) for _, boxes in looked]
    return _hold(looked[int(np.argmax(seen))][0], corners[0], chance)


def _hold(piece: _Piece, corners: Array, chance: float) -> Hold:
    look = outlined(piece.image, corners[None])[0]
    scale, origin = float(piece.to_piece[0, 0]), piece.to_piece[:2, 2]
    x0, y0, x1, y1 = ((corners.reshape(2, 2) - origin) / scale).ravel().tolist()
    outline = (look.outline - origin) / scale
    return Hold(-1, "hold", UNKNOWN, None, chance, (x0, y0, x1, y1), outline, color=look.color)


def _whole(found: Boxes) -> Array:
    """``(1, 4)`` the surest box or, where a hand or foot cuts that off, the largest likely one that contains it."""
    surest = found.corners[0]
    shared = np.minimum(found.corners[:, 2:], surest[2:]) - np.maximum(found.corners[:, :2], surest[:2])
    within = np.maximum(shared, 0).prod(axis=1) / (surest[2:] - surest[:2]).prod()
    areas = (found.corners[:, 2:] - found.corners[:, :2]).prod(axis=1)
    fitting = (within > _CONTAINED) & (areas < _GROWN * areas[0]) & (found.scores >= _ENOUGH)
    return found.corners[[int(np.where(fitting, areas, 0).argmax())]]


def _likely(piece: _Piece, boxes: Boxes, spot: Array, torso: float) -> Boxes:
    """Holds at the spot that are wholly in the piece and not on a body; ``torso`` in its pixels."""
    boxes = _whole_ones(piece, boxes, torso, _COVERED)
    return boxes.chosen(_away(boxes, spot) <= _NEAR * torso)


def _away(boxes: Boxes, spot: Array) -> Array:
    low, high = boxes.corners[:, :2], boxes.corners[:, 2:]
    return np.asarray(np.linalg.norm(np.maximum(np.maximum(low - spot, spot - high), 0), axis=1), np.float64)


def _whole_ones(piece: _Piece, boxes: Boxes, torso: float, covered: float) -> Boxes:
    """Holds that are wholly in the piece and of which a body covers no more."""
    low, high = boxes.corners[:, :2], boxes.corners[:, 2:]
    inside = (low > 1).all(axis=1) & (high < _SIDE - 1).all(axis=1)
    inside &= (high - low).max(axis=1, initial=0.0) <= _LARGEST * torso
    bared = np.array([_covered(piece.body, corners) <= covered for corners in boxes.corners.astype(int)], np.bool_)
    return boxes.chosen((boxes.kinds == 0) & inside & bared)


def _covered(body: Image, corners: npt.NDArray[np.int_]) -> float:
    x0, y0, x1, y1 = corners
    return float((body[y0 : y1 + 1, x0 : x1 + 1] > 0).mean())
