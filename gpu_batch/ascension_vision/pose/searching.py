"""Looking harder for people on key frames, where the plain look found nobody, or nobody who climbs.

The detector sees people who are upright and fill a good part of the picture. Whoever hangs head down or sideways is
found in a turned picture, and whoever is small in a part of it.
"""

from collections.abc import Callable

import numpy as np

from ascension_vision.pose.model import Landmarks, PoseModel
from ascension_vision.pose.roi import Image, Roi, whole_frame
from ascension_vision.pose.scouting import KeyFrame, look_twice, same_body

QUARTER = np.pi / 2
# Of the long side of a picture, a part is one in so many: people are found down to about a third of a part.
SMALLER_PARTS = (4, 7)
# Key frames that are searched, and how many of the surest detections on each are looked at.
_TURNED_KEYS, _TURNED_PEOPLE = 40, 3
_SMALL_KEYS, _SMALL_PEOPLE = 6, 6
# So many key frames before and after, whoever is small is looked for where they were.
_FOLLOWED = 4


def search_turned(keys: list[KeyFrame], pose: PoseModel) -> None:
    """Look for people on key frames without any: in the whole picture turned, and in halves of it."""
    empty = [key for key in keys if not key.people]
    for key in empty[:: max(2, -(-len(empty) // _TURNED_KEYS))]:
        image = key.image()
        turned = [whole_frame(image, angle) for angle in (QUARTER, -QUARTER, 2 * QUARTER)]
        _add_people(key, image, turned + _parts(key, 2, 0.0), _TURNED_PEOPLE, pose)


def search_small(keys: list[KeyFrame], pose: PoseModel, parts: int, progress: Callable[[], None]) -> None:
    """Look for people in small parts of some key frames, either way up, and follow them to the key frames around."""
    for position in sorted({round(k) for k in np.linspace(0, len(keys) - 1, _SMALL_KEYS)}):
        key = keys[position]
        rois = _parts(key, parts, 0.0) + _parts(key, parts, 2 * QUARTER)
        for person in _add_people(key, key.image(), rois, _SMALL_PEOPLE, pose):
            for direction in (1, -1):
                _follow(keys, position, direction, person, pose)
        progress()


def _add_people(key: KeyFrame, image: Image, rois: list[Roi], most: int, pose: PoseModel) -> list[Landmarks]:
    """Those who are found in the regions and were not known on this key frame, the surest detections first."""
    detections = [detection for found in pose.detect([image] * len(rois), rois) for detection in found]
    detections.sort(key=lambda detection: -detection.score)
    new = []
    for detection in detections[:most]:
        person = look_twice(pose, [image], [detection.roi])[0]
        if person is not None and not any(same_body(person, other) for other in key.people):
            key.people.append(person)
            new.append(person)
    return new


def _follow(keys: list[KeyFrame], position: int, direction: int, person: Landmarks, pose: PoseModel) -> None:
    for step in range(1, _FOLLOWED + 1):
        there = position + direction * step
        if not 0 <= there < len(keys) or keys[there].shot != keys[position].shot:
            return
        seen = look_twice(pose, [keys[there].image()], [person.next_roi])[0]
        if seen is None or any(same_body(seen, other) for other in keys[there].people):
            return
        keys[there].people.append(seen)
        person = seen


def _parts(key: KeyFrame, parts: int, angle: float) -> list[Roi]:
    """Squares of a part of the long side that cover the picture, each overlapping its neighbours by half."""
    side = max(key.width, key.height) / parts
    across = [
        np.linspace(side / 2, length - side / 2, 2 * round(length / side) - 1 if length > 1.2 * side else 1)
        for length in (key.width, key.height)
    ]
    return [Roi(float(x), float(y), side, angle) for y in across[1] for x in across[0]]
