"""Which of the people in a clip climbs, and where that person is on every key frame."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ascension_vision.pose.clothes import colours, likeness
from ascension_vision.pose.model import MIN_POSE_FLAG, Landmarks, PoseModel
from ascension_vision.pose.roi import Roi, between, normalized_angle
from ascension_vision.pose.scouting import (
    BELOW_THE_HEAD,
    KeyFrame,
    claim,
    climbing_share,
    look_twice,
    same_body,
    steadiness,
    torso_length,
)
from ascension_vision.pose.searching import QUARTER, SMALLER_PARTS, search_small, search_turned

Array = npt.NDArray[np.float64]

# Key frames: four a second.
_REMEMBERED = 8
_GOING = 3  # over so many a track's speed is measured, and for so many it is believed to last

_TRACKS_LOOKED_AT = 6
_PROBES = 7
_TORSO_MARGIN = 1.7
# The heat maps' peaks of landmarks below the head, mean over a track: of people 0.54 to 0.83 on 40 real and rendered
# clips and their small, dark, turned and blurred versions (0.49 far out of focus); of what was taken for people on 44
# clips panned over walls 0.33 to 0.45.
_SURELY, _POSSIBLY = 0.5, 0.42
# What lies between is looked at again: people's landmarks spread by less, in torso lengths, in two fifths of the looks.
_MAX_SPREAD = 0.13

# Bystanders lift a hand above the shoulder or sit down now and then, and hardly move up or down.
_CLIMBING_SHARE = 0.2
_CLIMBING_TORSOS = 1.5

# After a cut: how alike the clothes must be.
_ALIKE = 0.45
_CLOTHES_SEEN = 5


@dataclass
class Track:
    """One person: landmarks by position in the list of key frames."""

    seen: dict[int, Landmarks] = field(default_factory=dict)

    @property
    def last(self) -> int:
        return max(self.seen)

    def torso_limits(self, keys: list[KeyFrame]) -> Array:
        """``(key frames,)`` pixels of the analysed frame: at that time no torso of this person is longer.

        Leaning towards the camera or away from it shortens a torso in the picture and nothing lengthens it, but the
        camera may come nearer: the measure is the median over two seconds before and after.
        """
        limits: Array = np.full(len(keys), np.inf)
        shots = np.array([key.shot for key in keys])
        for shot in np.unique(shots):
            positions = np.array([k for k in sorted(self.seen) if keys[k].shot == shot])
            if len(positions):
                lengths = np.array([torso_length(self.seen[k]) * keys[k].scale for k in positions])
                near = [np.abs(positions - k) <= _REMEMBERED for k in positions]
                medians = [_TORSO_MARGIN * np.median(lengths[window]) for window in near]
                here = np.flatnonzero(shots == shot)
                limits[here] = np.interp(here, positions, medians)
        return limits


@dataclass(frozen=True)
class Hint:
    """Where the climber is, by the user's finger: ``x``, ``y`` 0 to 1 of the upright frame at ``t`` seconds."""

    x: float
    y: float
    t: float


def find_climber(
    keys: list[KeyFrame],
    pose: PoseModel,
    hint: Hint | None = None,
    progress: Callable[[], None] = lambda: None,
) -> Track:
    """The climber's track over the key frames, possibly empty; never more than one person a key frame.

    Where the detector misses the climber between two sightings, the neighbours in time say where to look: at the
    region itself, then with the detector in a crop of about twice the climber's height, in four rotations. Where nobody
    is found who climbs, smaller and smaller parts of some key frames are searched, with ``progress`` after each of
    them.
    """
    search_turned(keys, pose)
    tracks = _link(keys)
    real = _candidates(tracks, keys, pose, hint, _POSSIBLY)
    for parts in SMALLER_PARTS:
        if not real:
            # So many places are looked at that some look like people: no doubts are allowed.
            search_small(keys, pose, parts, progress)
            tracks = _link(keys)
            real = _candidates(tracks, keys, pose, hint, _SURELY)
    if not real:
        return Track()
    climber = Track(dict(real[0].seen))
    _fill(climber, keys, _strangers(climber, tracks), pose)
    for other in real[1:]:
        if _may_continue(climber, other, keys):
            climber.seen.update(other.seen)
            _fill(climber, keys, _strangers(climber, tracks), pose)
    # Landmarks may be stretched from the climber to somebody behind: forget those, and look there once more.
    limits = climber.torso_limits(keys)
    for k in [k for k, person in climber.seen.items() if torso_length(person) * keys[k].scale > limits[k]]:
        del climber.seen[k]
        keys[k].people.clear()
    _fill(climber, keys, _strangers(climber, tracks), pose, limits)
    return climber


def _candidates(
    tracks: list[Track], keys: list[KeyFrame], pose: PoseModel, hint: Hint | None, least: float
) -> list[Track]:
    """The tracks of people who may be the climber, the likeliest first. ``least``: see ``_is_somebody``."""
    ranked = sorted(tracks, key=lambda track: _claim(track, keys), reverse=True)
    if hint is not None:
        ranked.sort(key=lambda track: _distance_to_hint(track, keys, hint))
    real = [track for track in ranked[:_TRACKS_LOOKED_AT] if _is_somebody(track, keys, pose, least)]
    return real if hint is not None else [track for track in real if _climbs(track)]


def _link(keys: list[KeyFrame]) -> list[Track]:
    """Join people of neighbouring key frames into tracks, those first who are most nearly where they were going."""
    tracks: list[Track] = []
    for position, key in enumerate(keys):
        open_tracks = [
            track for track in tracks if position - track.last <= _REMEMBERED and keys[track.last].shot == key.shot
        ]
        pairs = [
            (_surprise(track, person, position), i, track)
            for i, person in enumerate(key.people)
            for track in open_tracks
            if _consistent(track.seen[track.last], person, position - track.last)
        ]
        taken: set[int] = set()
        for _, i, track in sorted(pairs, key=lambda pair: pair[0]):
            if i not in taken and position not in track.seen:
                track.seen[position] = key.people[i]
                taken.add(i)
        tracks.extend(Track({position: person}) for i, person in enumerate(key.people) if i not in taken)
    return tracks


def _is_somebody(track: Track, keys: list[KeyFrame], pose: PoseModel, least: float) -> bool:
    """Whether a track is a person rather than holds that resemble one.

    The detector fires on volumes now and then, and the landmark network then finds limbs in them, but none sharply.
    From the sharpness ``least`` on, doubtful tracks are looked at again.
    """
    positions = sorted(track.seen)
    if len(positions) < min(3, (len(keys) + 1) // 2):
        return False
    sharpness = float(np.mean([person.peak[BELOW_THE_HEAD].mean() for person in track.seen.values()]))
    if not least <= sharpness < _SURELY:
        return sharpness >= _SURELY
    probed = sorted({positions[round(i)] for i in np.linspace(0, len(positions) - 1, _PROBES)})
    looks = [steadiness(keys[k].image(), track.seen[k], pose) for k in probed]
    steady = [spread <= _MAX_SPREAD and flag >= MIN_POSE_FLAG for spread, flag in looks]
    return 5 * sum(steady) >= 2 * len(steady)


def _step(before: Landmarks, after: Landmarks) -> float:
    """How far the region's centre moved, in regions."""
    return (
        float(np.hypot(after.next_roi.x - before.next_roi.x, after.next_roi.y - before.next_roi.y))
        / before.next_roi.side
    )


def _surprise(track: Track, person: Landmarks, position: int) -> float:
    """How far, in regions, somebody on that key frame is from where the track was going: who walks past in front of
    the climber stands for a moment where the climber last was, but on the way to somewhere else."""
    last = track.seen[track.last].next_roi
    start = min((k for k in track.seen if k >= track.last - _GOING), default=track.last)
    first = track.seen[start].next_roi
    steps = min(position - track.last, _GOING) / max(track.last - start, 1)
    x, y = last.x + steps * (last.x - first.x), last.y + steps * (last.y - first.y)
    return float(np.hypot(person.next_roi.x - x, person.next_roi.y - y)) / last.side


def _consistent(before: Landmarks, after: Landmarks, keys_apart: int) -> bool:
    """Whether both may be one person: not too far, not too different in size, not turned over."""
    ratio = after.next_roi.side / before.next_roi.side
    turned = abs(normalized_angle(after.next_roi.angle - before.next_roi.angle))
    near = _step(before, after) < min(0.25 + 0.1 * keys_apart, 0.6)
    return near and 0.55 < ratio < 1.8 and turned < min(1.2 + 0.2 * keys_apart, 2.2)


def _claim(track: Track, keys: list[KeyFrame]) -> float:
    sides = np.array([max(keys[k].width, keys[k].height) for k in track.seen], dtype=np.float64)
    return claim(list(track.seen.values()), sides)


def _climbs(track: Track) -> bool:
    """Whether somebody is ever on a wall, rather than standing, walking or sitting before one all the time."""
    people = list(track.seen.values())
    heights = np.array([person.next_roi.y for person in people])
    torso = float(np.median([torso_length(person) for person in people]))
    travel = float(np.percentile(heights, 95) - np.percentile(heights, 5)) / max(torso, 1.0)
    return climbing_share(people) >= _CLIMBING_SHARE or travel >= _CLIMBING_TORSOS


def _distance_to_hint(track: Track, keys: list[KeyFrame], hint: Hint) -> float:
    nearest = min(track.seen, key=lambda k: abs(keys[k].t - hint.t))
    key, roi = keys[nearest], track.seen[nearest].next_roi
    apart = np.hypot(roi.x - hint.x * key.width, roi.y - hint.y * key.height) / roi.side
    # A second away in time counts as a body's length.
    return float(apart) + abs(key.t - hint.t)


def _may_continue(climber: Track, other: Track, keys: list[KeyFrame]) -> bool:
    """Whether ``other`` can be the same person before or after a gap: never seen together, and alike in size and place,
    or where cuts lie between them in clothes."""
    if set(climber.seen) & set(other.seen):
        return False
    shots = {keys[k].shot for k in climber.seen}
    if not shots & {keys[k].shot for k in other.seen}:
        return likeness(_clothes(climber, keys), _clothes(other, keys)) >= _ALIKE
    nearest = min(climber.seen, key=lambda k: min(abs(k - o) for o in other.seen))
    mine = climber.seen[nearest]
    theirs = other.seen[min(other.seen, key=lambda o: abs(o - nearest))]
    return _step(mine, theirs) < 1.0 and 0.5 < theirs.next_roi.side / mine.next_roi.side < 2


def _clothes(track: Track, keys: list[KeyFrame]) -> Array:
    positions = sorted(track.seen)
    chosen = sorted({positions[round(i)] for i in np.linspace(0, len(positions) - 1, _CLOTHES_SEEN)})
    mean: Array = np.mean([colours(keys[k].image(), track.seen[k]) for k in chosen], axis=0)
    return mean


def _strangers(climber: Track, tracks: list[Track]) -> dict[int, list[Landmarks]]:
    """By key frame, those who are somebody else: they are seen beside the climber, and so stay themselves while the
    climber is hidden behind them."""
    strangers: dict[int, list[Landmarks]] = {}
    for track in tracks:
        beside = [not same_body(climber.seen[k], person) for k, person in track.seen.items() if k in climber.seen]
        if beside and 2 * sum(beside) > len(beside):
            for k, person in track.seen.items():
                strangers.setdefault(k, []).append(person)
    return strangers


def _fill(
    climber: Track,
    keys: list[KeyFrame],
    strangers: dict[int, list[Landmarks]],
    pose: PoseModel,
    limits: Array | None = None,
) -> None:
    """Follow the climber from where they are seen into the key frames where they are not, both ways through time.

    ``limits``: as of ``Track.torso_limits``; whoever has a longer torso is not the climber.
    """
    for direction in (1, -1):
        order = range(len(keys)) if direction == 1 else range(len(keys) - 1, -1, -1)
        known: int | None = None
        for position in order:
            if position in climber.seen:
                known = position
            elif known is not None and abs(position - known) <= _REMEMBERED and keys[known].shot == keys[position].shot:
                others = strangers.get(position, [])
                found = _look_near(keys[position], climber.seen[known], abs(position - known), others, pose)
                if found is not None and (
                    limits is None or torso_length(found) * keys[position].scale <= limits[position]
                ):
                    climber.seen[position] = found
                    known = position


def _look_near(
    key: KeyFrame, neighbour: Landmarks, keys_apart: int, strangers: list[Landmarks], pose: PoseModel
) -> Landmarks | None:
    def fits(person: Landmarks) -> bool:
        known = any(same_body(person, stranger) for stranger in strangers)
        return not known and _consistent(neighbour, person, keys_apart)

    near = [person for person in key.people if fits(person)]
    if near:
        return min(near, key=lambda person: _step(neighbour, person))
    image = key.image()
    here = neighbour.next_roi
    direct = look_twice(pose, [image], [here])[0]
    if direct is not None and fits(direct):
        return direct
    crops = [Roi(here.x, here.y, 1.6 * here.side, here.angle + turn * QUARTER) for turn in range(4)]
    detections = [d for found in pose.detect([image] * 4, crops) for d in found[:2]]
    people = look_twice(pose, [image] * len(detections), [d.roi for d in detections])
    fitting = [person for person in people if person is not None and fits(person)]
    return min(fitting, key=lambda person: _step(neighbour, person)) if fitting else None


class Path:
    """The region to look at on every analysed frame, from the climber's track over the key frames."""

    def __init__(self, climber: Track, keys: list[KeyFrame]) -> None:
        limits = climber.torso_limits(keys)
        gaps = np.diff([key.t for key in keys])
        self._reach = 1.5 * float(np.median(gaps)) if len(gaps) else 1.0
        self._shots: dict[int, tuple[Array, list[Roi], Array, Array]] = {}
        for shot in {key.shot for key in keys}:
            seen = [k for k in sorted(climber.seen) if keys[k].shot == shot]
            here = [k for k, key in enumerate(keys) if key.shot == shot]
            self._shots[shot] = (
                np.array([keys[k].t for k in seen]),
                [climber.seen[k].next_roi.scaled(keys[k].scale) for k in seen],
                np.array([keys[k].t for k in here]),
                limits[here],
            )

    def longest_torso(self, t: float, shot: int) -> float:
        """Pixels of the analysed frame: what has a longer torso at ``t`` is not the climber alone."""
        _, _, times, limits = self._shots[shot]
        return float(np.interp(t, times, limits))

    def at(self, t: float, shot: int) -> Roi | None:
        """In pixels of the analysed frame; None where the climber is not in sight on the key frames around ``t``."""
        times, rois, _, _ = self._shots[shot]
        after = int(np.searchsorted(times, t))
        before = after - 1
        has_before = before >= 0 and t - times[before] < self._reach
        has_after = after < len(times) and times[after] - t < self._reach
        if has_before and has_after:
            fraction = (t - times[before]) / (times[after] - times[before])
            return between(rois[before], rois[after], float(fraction))
        if has_before:
            return rois[before]
        return rois[after] if has_after else None
