"""The one pass over a clip: who is there, a few times a second, and on every frame whoever seems to climb."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import numpy.typing as npt

from ascension_vision.body.posture import on_wall
from ascension_vision.pose.model import MIN_POSE_FLAG, Landmarks, PoseModel
from ascension_vision.pose.roi import Image, Roi, View, between, normalized_angle, whole_frame
from ascension_vision.video.clip import Clip, Frame

KEY_SECONDS = 0.26
_KEY_SIDE = 1280
_MAX_PEOPLE = 4
# Key frames between two looks at the whole frame while everybody who was seen is followed: about a second.
_GLANCE = 4
_PATIENCE = 2
_FAVOUR = 1.3
_NARROWER = 0.85
_CLOSER = 0.95
_TURNS = (0.0, 0.35, -0.35)
BELOW_THE_HEAD = slice(11, 33)
# Across and down in sides of the region, its size, its turn.
_MOVES = (
    (0, 0, 1.15, 0),
    (0, 0, 0.87, 0),
    (0.06, 0, 1, 0.2),
    (-0.06, 0, 1, -0.2),
    (0, 0.06, 1, 0),
    (0, -0.06, 1, 0),
)

_TRIALS = 10
_RECENT = 5
_SETTLED = 0.2
# Heat maps' peaks below which a reading is doubted: right ones average 0.55 and more, wrong ones 0.4 to 0.55.
_UNSHARP = 0.52

# A cut: a coarse picture differs by far from the one before, and by far more than that did from its own predecessor.
# Of 255 steps of brightness; climbers before a hand-held camera stay below 4, and panning is even.
_COARSE = 24
_CUT_DIFFERENCE, _CUT_RATIO = 12.0, 4.0


@dataclass
class KeyFrame:
    """A frame that is searched for people.

    It is kept as JPEG, long side at most 1280, so that a whole clip can be searched back and forth in little memory.
    All regions here are in its own pixels; ``scale`` of them make a pixel of the analysed frame. ``shot`` counts cuts.
    """

    index: int
    t: float
    shot: int
    jpeg: bytes
    scale: float
    width: int
    height: int
    people: list[Landmarks] = field(default_factory=list)

    def image(self) -> Image:
        decoded = cv2.imdecode(np.frombuffer(self.jpeg, np.uint8), cv2.IMREAD_COLOR_RGB)
        assert decoded is not None
        return decoded.astype(np.uint8, copy=False)


@dataclass(frozen=True)
class Look:
    """What was seen of one person on one frame: ``asked`` is the region that was looked at, ``seen`` what was found."""

    asked: Roi
    seen: Landmarks | None


@dataclass
class Scouted:
    """What one pass over a clip gave.

    Attributes:
        keys: the key frames in order.
        times: seconds of every analysed frame.
        shots: for every analysed frame, how many cuts came before it.
        looks: by frame, at the person who seemed to be the climber then; in pixels of the analysed frame.
        width, height: of the analysed frame.
    """

    keys: list[KeyFrame] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    shots: list[int] = field(default_factory=list)
    looks: dict[int, Look] = field(default_factory=dict)
    width: int = 0
    height: int = 0


@dataclass
class _Person:
    """Somebody who is being followed; landmarks in pixels of the analysed frame, by position among the key frames."""

    seen: dict[int, Landmarks]
    missed: int = 0
    trials: list[float] = field(default_factory=list)

    @property
    def last(self) -> Landmarks:
        return self.seen[max(self.seen)]

    def claim(self) -> float:
        return claim(list(self.seen.values()))


def claim(sightings: list[Landmarks], frame_sides: npt.NDArray[np.float64] | None = None) -> float:
    """How much somebody looks like the climber: seen long, large, moving up or down, and as one does on a wall.

    The camera follows the climber, so movement counts in the person's own torso lengths and only so far.
    ``frame_sides``: what sizes are relative to, for each sighting, where these are of different frames.
    """
    torsos = np.array([torso_length(seen) for seen in sightings])
    lengths = np.array([seen.next_roi.y for seen in sightings]) / np.maximum(torsos, 1.0)
    travel = float(np.percentile(lengths, 90) - np.percentile(lengths, 10))
    size = float(np.median(torsos if frame_sides is None else torsos / frame_sides))
    return len(sightings) * size * (1 + min(travel, 3.0)) * (0.2 + climbing_share(sightings))


def climbing_share(sightings: list[Landmarks]) -> float:
    """The share of somebody's sightings in which they hold themselves as on a wall."""
    return float(on_wall(np.array([seen.points for seen in sightings])).mean())


def scout(
    clip: Clip,
    pose: PoseModel,
    progress: Callable[[float], None],
    watch: Callable[[int, list[Frame]], None] | None = None,
) -> Scouted:
    """Decode the clip once. The last frame of every fifth of a second is a key frame; there everybody is looked at, and
    on the frames up to it the one who most seems to climb, in regions that lie between the two key frames'.

    ``watch`` is shown, with the number of its shot, every stretch of frames that ends with a key frame, one after the
    other in a thread of its own.
    """
    if watch is None:
        return _scout(clip, pose, progress, lambda shot, chunk: None)
    with ThreadPoolExecutor(1, "watch") as thread:
        watched: list[Future[None]] = []

        def show(shot: int, chunk: list[Frame]) -> None:
            if watched:
                watched.pop().result()
            watched.append(thread.submit(watch, shot, chunk))

        found = _scout(clip, pose, progress, show)
        for last in watched:
            last.result()
        return found


def _scout(
    clip: Clip, pose: PoseModel, progress: Callable[[float], None], watch: Callable[[int, list[Frame]], None]
) -> Scouted:
    found = Scouted()
    people: list[_Person] = []
    favourite: _Person | None = None
    before: Frame | None = None
    for shot, chunk in _chunks(clip):
        watch(shot, chunk)
        found.times.extend(frame.t for frame in chunk)
        found.shots.extend([shot] * len(chunk))
        found.height, found.width = chunk[0].picture.shape[:2]
        if found.keys and found.keys[-1].shot != shot:
            people, favourite, before = [], None, None
        key, image = _key_frame(chunk[-1], shot)
        position = len(found.keys)
        people = _see_again(people, chunk[-1], position, pose)
        if not people or position % _GLANCE == 0 or any(person.missed for person in people):
            people += _see_first(people, chunk[-1], image, key.scale, position, pose)
        favourite = _choose(people, favourite)
        if favourite is not None and position in favourite.seen and _in_doubt(favourite, position):
            _try_other_ways(favourite, chunk[-1].picture, position, pose)
        if favourite is not None:
            looks = _follow(favourite, chunk, before, position, pose)
            found.looks.update(looks)
            here = looks[chunk[-1].index].seen if chunk[-1].index in looks else None
            if here is not None and position in favourite.seen:
                favourite.seen[position] = here
        key.people = [p.seen[position].scaled(1 / key.scale) for p in people if position in p.seen]
        found.keys.append(key)
        before = chunk[-1]
        progress(min(1.0, len(found.times) / (clip.expected_frames or len(found.times))))
    return found


def _chunks(clip: Clip) -> Iterator[tuple[int, list[Frame]]]:
    """Frames up to and including the next key frame, with the number of the shot. No chunk goes over a cut."""
    step = max(1, round(KEY_SECONDS * clip.fps))
    shot, chunk, first = 0, list[Frame](), True
    coarse: npt.NDArray[np.float32] | None = None
    change = 0.0
    for frame in clip.frames():
        last, coarse = coarse, frame.picture.coarse(_COARSE)
        usual, change = change, 0.0 if last is None else float(np.abs(coarse - last).mean())
        cut = change > max(_CUT_DIFFERENCE, _CUT_RATIO * usual)
        if cut and chunk:
            yield shot, chunk
            chunk = []
        if cut:
            shot, first = shot + 1, True
        chunk.append(frame)
        if first or len(chunk) == step:
            yield shot, chunk
            chunk, first = [], False
    if chunk:
        yield shot, chunk


def _key_frame(frame: Frame, shot: int) -> tuple[KeyFrame, Image]:
    image = frame.picture.reduced(_KEY_SIDE)
    height, width = image.shape[:2]
    ok, jpeg = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 92])
    assert ok
    scale = max(frame.picture.shape) / max(image.shape)
    return KeyFrame(frame.index, frame.t, shot, jpeg.tobytes(), scale, width, height), image


def _see_again(people: list[_Person], frame: Frame, position: int, pose: PoseModel) -> list[_Person]:
    """Look where everybody was; who is missed too often or has become somebody else is no longer followed."""
    looks = pose.landmarks([frame.picture] * len(people), [person.last.next_roi for person in people])
    for person, seen in zip(people, looks, strict=True):
        if seen.flag >= MIN_POSE_FLAG and plausible(seen):
            person.seen[position], person.missed = seen, 0
        else:
            person.missed += 1
    people = [person for person in people if person.missed <= _PATIENCE]
    kept: list[_Person] = []
    for person in sorted(people, key=lambda person: -person.claim()):
        if person.missed or not any(not k.missed and same_body(person.last, k.last) for k in kept):
            kept.append(person)
    return kept


def _see_first(
    people: list[_Person], frame: Frame, image: Image, scale: float, position: int, pose: PoseModel
) -> list[_Person]:
    """Whoever the detector finds and nobody followed yet."""
    rois = [detection.roi.scaled(scale) for detection in pose.detect([image], [whole_frame(image)])[0][:_MAX_PEOPLE]]
    rois = [roi for roi in rois if not any(not p.missed and _covers(p.last.next_roi, roi) for p in people)]
    new: list[_Person] = []
    for seen in look_twice(pose, [frame.picture] * len(rois), rois):
        if seen is None:
            continue
        known = [p for p in people if not p.missed] + new
        rival = next((other for other in known if _one_place(other.last, seen)), None)
        if rival is not None:
            _compare(rival, seen, frame.picture, position, pose)
            continue
        if any(same_body(seen, other.last) for other in known):
            continue
        lost = [p for p in people if p.missed and _covers(p.last.next_roi, seen.next_roi)]
        if lost:
            lost[0].seen[position], lost[0].missed = seen, 0
        elif len(people) + len(new) < _MAX_PEOPLE:
            new.append(_Person({position: seen}))
    return new


def _in_doubt(person: _Person, position: int) -> bool:
    """Whether it is not settled yet which way the body lies or, now and then, not plain to see any more."""
    trials = person.trials
    undecided = len(trials) < _TRIALS and (len(trials) < 3 or abs(sum(trials)) < _SETTLED)
    return undecided or (position % _GLANCE == 0 and _sharpness(person.seen[position]) < _UNSHARP)


def _sharpness(reading: Landmarks) -> float:
    return float(reading.peak[BELOW_THE_HEAD].mean())


def _try_other_ways(person: _Person, view: View, position: int, pose: PoseModel) -> None:
    """Whether this body rather lies or hangs another way: bodies that are small, seen from behind or lie across the
    picture are easily mistaken.

    Every reading finds landmarks and is sure. The right one's heat maps are sharper, and its landmarks stay where they
    are when its region is moved a little; a few moments together decide.
    """
    here = person.seen[position]
    turned = look_twice(pose, [view] * 3, [here.next_roi.turned(turn) for turn in (np.pi / 2, np.pi, -np.pi / 2)])
    others = [other for other in turned if other is not None and _one_place(here, other)]
    if others:
        sharpest = max(others, key=_sharpness)
        _compare(person, pose.landmarks([view], [sharpest.next_roi])[0], view, position, pose)
    else:
        person.trials.append(_SETTLED / 2)


def _compare(person: _Person, other: Landmarks, view: View, position: int, pose: PoseModel) -> None:
    """Judge another reading of the person's body, and take it where the last few judgements together are for it."""
    margin = _worth(person.seen[position], view, pose) - _worth(other, view, pose)
    person.trials.append(float(np.clip(margin, -_SETTLED, _SETTLED)))
    if sum(person.trials[-_RECENT:]) < 0:
        person.seen[position] = other
        person.trials = [-margin for margin in person.trials]


def _worth(reading: Landmarks, view: View, pose: PoseModel) -> float:
    sharpness, spread = _sharpness(reading), steadiness(view, reading, pose)[0]
    # On rendered climbs the right reading is 0.1 to 0.2 sharper, either way up; small figures' hardly at all, and those
    # hang head down less often than not.
    return sharpness - 0.3 * min(spread, 0.5) + 0.04 * float(np.cos(reading.next_roi.angle))


def _one_place(one: Landmarks, other: Landmarks) -> bool:
    """Whether two sets of landmarks are opposite readings of one body: in one place, heads at different ends."""
    apart = float(np.hypot(one.next_roi.x - other.next_roi.x, one.next_roi.y - other.next_roi.y))
    turned = abs(normalized_angle(one.next_roi.angle - other.next_roi.angle))
    ratio = other.next_roi.side / one.next_roi.side
    return apart < 0.3 * one.next_roi.side and turned > 1.0 and 0.5 < ratio < 2


def steadiness(view: View, person: Landmarks, pose: PoseModel) -> tuple[float, float]:
    """How far landmarks below the head spread, in torso lengths, where their region is moved, resized or turned a
    little; and the lowest flag of these looks. A person's stay where they are; imagined ones wander."""
    roi = person.next_roi
    rois = [
        Roi(roi.x + x * roi.side, roi.y + y * roi.side, roi.side * size, roi.angle + turn)
        for x, y, size, turn in _MOVES
    ]
    looks = pose.landmarks([view] * len(rois), rois)
    points = np.array([seen.points[BELOW_THE_HEAD, :2] for seen in looks])
    spread = np.linalg.norm(points - np.median(points, axis=0), axis=2).mean()
    return float(spread) / max(torso_length(person), 1.0), min(seen.flag for seen in looks)


def _covers(one: Roi, other: Roi) -> bool:
    apart = float(np.hypot(one.x - other.x, one.y - other.y))
    turned = abs(normalized_angle(one.angle - other.angle))
    return apart < 0.15 * one.side and 0.6 < other.side / one.side < 1.6 and turned < 1.0


def _choose(people: list[_Person], favourite: _Person | None) -> _Person | None:
    if not people:
        return None
    best = max(people, key=lambda person: person.claim())
    if favourite is not None and any(person is favourite for person in people):
        return best if best.claim() > _FAVOUR * favourite.claim() else favourite
    return best


def _follow(
    person: _Person, chunk: list[Frame], before: Frame | None, position: int, pose: PoseModel
) -> dict[int, Look]:
    """The person on every frame of the chunk."""
    here = person.seen.get(position)
    there = person.seen.get(position - 1) if before is not None else None
    if here is None and there is None:
        return {}
    rois: list[Roi] = []
    for frame in chunk:
        if here is not None and there is not None and before is not None:
            fraction = (frame.t - before.t) / (chunk[-1].t - before.t)
            rois.append(between(there.next_roi, here.next_roi, fraction))
        else:
            rois.append((here or there).next_roi)  # type: ignore[union-attr]
    rois = [in_turn(roi, frame.index) for roi, frame in zip(rois, chunk, strict=True)]
    seen = look(pose, [frame.picture for frame in chunk], rois, [np.inf] * len(chunk))
    return {frame.index: Look(roi, landmarks) for frame, roi, landmarks in zip(chunk, rois, seen, strict=True)}


def in_turn(roi: Roi, frame: int) -> Roi:
    """How a region is looked at on a frame: a little closer, and every other time mirrored.

    A region leaves room for a body to move in until the next frame; where it is known before and after, less will do.
    What a network gets wrong about a body it gets wrong otherwise about its mirror image, and neighbouring frames are
    averaged anyhow: two readings for the price of one.
    """
    return replace(roi, side=_CLOSER * roi.side, mirrored=frame % 2 == 1)


def look(pose: PoseModel, images: list[View], rois: list[Roi], longest_torsos: list[float]) -> list[Landmarks | None]:
    """One look; a second in the region that the first suggests where that is quite another; where still nobody is seen,
    one in three regions that are turned and narrowed a little."""

    def good(i: int, seen: Landmarks) -> bool:
        return seen.flag >= MIN_POSE_FLAG and plausible(seen) and torso_length(seen) <= longest_torsos[i]

    found = pose.landmarks(images, rois)
    again = [i for i, seen in enumerate(found) if plausible(seen) and (seen.flag < MIN_POSE_FLAG or _off(seen))]
    second = pose.landmarks([images[i] for i in again], [found[i].next_roi for i in again])
    for i, seen in zip(again, second, strict=True):
        if good(i, seen):
            found[i] = seen
    lost = [i for i, seen in enumerate(found) if not good(i, seen)]
    tried = [
        (i, replace(rois[i], side=_NARROWER * rois[i].side, angle=rois[i].angle + turn))
        for i in lost
        for turn in _TURNS
    ]
    for (i, _), seen in zip(
        tried, pose.landmarks([images[i] for i, _ in tried], [roi for _, roi in tried]), strict=True
    ):
        if good(i, seen) and (not good(i, found[i]) or seen.flag > found[i].flag):
            found[i] = seen
    return [seen if good(i, seen) else None for i, seen in enumerate(found)]


def _off(seen: Landmarks) -> bool:
    """Whether the region fits the body that was seen in it badly enough to look again."""
    moved = np.hypot(seen.next_roi.x - seen.roi.x, seen.next_roi.y - seen.roi.y) / seen.roi.side
    turned = abs(normalized_angle(seen.next_roi.angle - seen.roi.angle))
    ratio = seen.next_roi.side / seen.roi.side
    return bool(moved > 0.12 or turned > 0.5 or not 0.75 < ratio < 1.33)


def look_twice(pose: PoseModel, images: list[View], rois: list[Roi]) -> list[Landmarks | None]:
    """Landmarks in the region where the first look at ``rois`` suggests the body is; None where no body is."""
    first = pose.landmarks(images, rois)
    again = [i for i, seen in enumerate(first) if seen.flag >= MIN_POSE_FLAG and plausible(seen)]
    second = pose.landmarks([images[i] for i in again], [first[i].next_roi for i in again])
    found: list[Landmarks | None] = [None] * len(rois)
    for i, seen in zip(again, second, strict=True):
        if seen.flag >= MIN_POSE_FLAG and plausible(seen):
            found[i] = seen
    return found


def plausible(seen: Landmarks) -> bool:
    """Whether the next region is of a sane size: a network that sees no body may place its points anywhere."""
    ratio = seen.next_roi.side / seen.roi.side
    moved = float(np.hypot(seen.next_roi.x - seen.roi.x, seen.next_roi.y - seen.roi.y)) / seen.roi.side
    return 0.4 < ratio < 2.5 and moved < 0.5


def same_body(one: Landmarks, other: Landmarks) -> bool:
    """Whether two sets of landmarks in one frame lie on the same body: torsos closer than half their length."""
    torso = [11, 12, 23, 24]
    apart = np.linalg.norm(one.points[torso, :2] - other.points[torso, :2], axis=1).mean()
    return bool(apart < 0.5 * max(torso_length(one), torso_length(other)))


def torso_length(seen: Landmarks) -> float:
    """Pixels between the middles of the shoulders and of the hips."""
    return float(np.linalg.norm(seen.points[[11, 12], :2].mean(axis=0) - seen.points[[23, 24], :2].mean(axis=0)))
