"""Where the centre of gravity may go while the contacts hold the body: a path of least jerk inside that.

What contacts can give is a cone of forces and moments, wherever the body is (the contact wrench cone, Caron et al.
2015). A frame in which something is missing shows a face of that cone: the direction of what is missing.
Beyond that face no centre of gravity, with no acceleration, can be held. So the path is found again with all faces that
were met as limits, until nothing is missing or nothing helps (Kelley 1960, cutting planes). How much the weight turns
about a contact goes with the centre's place times its acceleration: faces are laid along the last path anew each time.

Of few contacts some faces are known beforehand. Without any the body flies, and its centre accelerates by gravity
alone. One contact gives no moment about itself, so that the body swings as a pendulum does; two give none about the
line through them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from ascension_vision.body.forces import BALANCED, GRAVITY, LEVER
from ascension_vision.body.model import tips
from ascension_vision.body.motion import BodyMotion
from ascension_vision.contacts.contact import LIMBS, Contact
from ascension_vision.ghost.banded import solve_band
from ascension_vision.ghost.beta import FEET, HANDS
from ascension_vision.ghost.path import Course, load_case, sharp_accelerations
from ascension_vision.ghost.timeline import Timeline
from ascension_vision.metrics.loads import missing_balance
from ascension_vision.metrics.movement import jerk_form
from ascension_vision.wall.wall import Wall

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

# A face is felt from this share of what the certificate allows on, and kept to within this many body weights.
_SAFE, _KEPT = 0.3, 0.003
# Rounds of meeting faces and of keeping within them; and what counts as lacking much, in multiples of what is allowed.
_ROUNDS, _SIDES, _MUCH = 12, 3, 30.0
# Rounds without a gain by this factor after which nothing helps.
_PATIENCE, _BETTER = 3, 0.95
# Contacts nearer to one another than this are one, metres.
_ONE = 0.02
# The centre may be so much nearer to a hold than the climber's ever was, or farther from it, and that is kept to
# within, metres.
_MORE, _CLOSE = 0.02, 0.003
# How far a path may be moved to be held, metres, and the jerk of that, m/s³, without surprise.
_ASIDE, _ASIDE_JERK = 0.03, 10.0
# A frame's acceleration is told by so many frames on each side, so that faces tie places together that are no farther
# apart than this, three numbers a place.
_FELT = 2
_WIDTH = 3 * (2 * _FELT + 1)
# A limb holds nothing at the very moments when it arrives and leaves, seconds.
_INSTANT = 1e-6


@dataclass(frozen=True)
class Room:
    """Where a body can be that holds on: how far its centre of gravity is from the tips of its limbs.

    Attributes:
        near, far: ``(4,)`` metres from each limb's tip while it is on.
        off: metres from the wall at least.
    """

    near: Array
    far: Array
    off: float

    @classmethod
    def of(cls, motion: BodyMotion, contacts: Sequence[Contact]) -> "Room":
        """Where the climber's own body was, but for one frame in a hundred: how near to its hands and feet at any time,
        for contacts may not have been seen, how far from them while they were on."""
        apart = np.linalg.norm(tips(torch.as_tensor(motion.landmarks)).numpy() - motion.gravity_centre[:, None], axis=2)
        on = np.zeros(apart.shape, np.bool_)
        for contact in contacts:
            on[(motion.t >= contact.start) & (motion.t <= contact.end), LIMBS.index(contact.limb)] = True
        near, far = np.zeros(len(LIMBS)), np.full(len(LIMBS), np.inf)
        for pair in (list(HANDS), list(FEET)):
            if on[:, pair].any():
                near[pair] = np.quantile(apart[:, pair], 0.01)
                far[pair] = np.quantile(apart[:, pair][on[:, pair]], 0.99)
        off = float(np.quantile(motion.gravity_centre[:, 2], 0.01))
        return cls(near - _MORE, far + _MORE, off - _MORE)

    def crowding(self, path: Array, points: Array, on: Mask) -> tuple[Array, Array]:
        """``(n, 3, 3)``, ``(n, 3)``: what pushes places back that no body can be at: quadratic forms and their pull."""
        arm = path[:, None] - points
        apart = np.linalg.norm(arm, axis=2)
        along = arm / np.maximum(apart, 1e-6)[:, :, None]
        reach = np.clip(apart, self.near, self.far)
        strength = (on & (apart != reach)) / _CLOSE**2
        stiff = np.einsum("kl,kli,klj->kij", strength, along, along)
        back = np.einsum("kl,kli->ki", strength * ((points * along).sum(axis=2) + reach), along)
        inside = (path[:, 2] < self.off) / _CLOSE**2
        stiff[:, 2, 2] += inside
        back[:, 2] += inside * self.off
        return stiff, back


@dataclass(frozen=True)
class _Faces:
    """``m`` faces of cones of forces and moments: with w = up + a / g nothing is held in a frame unless

        push · w + turn · ((c − about) × w) / LEVER  ≤  0

    Attributes:
        frame: ``(m,)`` index.
        push, turn: ``(m, 3)``.
        about: ``(m, 3)`` wall metres.
        equal: ``(m,)`` whether it must be 0, not less.
    """

    frame: npt.NDArray[np.intp]
    push: Array
    turn: Array
    about: Array
    equal: Mask

    def and_also(self, other: "_Faces") -> "_Faces":
        return _Faces(
            np.concatenate([self.frame, other.frame]), np.concatenate([self.push, other.push]),
            np.concatenate([self.turn, other.turn]), np.concatenate([self.about, other.about]),
            np.concatenate([self.equal, other.equal]),
        )  # fmt: skip

    def along(self, path: Array, bend: Array, up: Array) -> tuple[Array, Array]:
        """For places near a path: ``rows`` ``(m, 3 n)`` times them, frame after frame, is at most ``most`` ``(m,)``."""
        arm = (path[self.frame] - self.about) / LEVER
        weight = (up + bend @ path / GRAVITY)[self.frame]
        rows = bend[self.frame][:, :, None] * (self.push + np.cross(self.turn, arm))[:, None, :] / GRAVITY
        rows[np.arange(len(rows)), self.frame] += np.cross(weight, self.turn) / LEVER
        beyond = (self.push * weight).sum(axis=1) + (self.turn * np.cross(arm, weight)).sum(axis=1)
        rows = rows.reshape(len(rows), path.size)
        return rows, rows @ path.reshape(-1) - beyond


class Balance:
    """What the contacts of a plan hold. Remembers the faces that were met: they are those of the contacts."""

    def __init__(self, timeline: Timeline, types: Mapping[int, str], wall: Wall, device: str, room: Room) -> None:
        self._timeline, self._points, self._on = timeline, np.nan_to_num(timeline.points), timeline.on
        self._types, self._wall, self._device, self._room = types, wall, device, room
        self._bend = sharp_accelerations(timeline.t, np.eye(len(timeline.t)))
        self._faces = _known(timeline)

    def missing(self, path: Array) -> Array:
        """``(n, 6)`` force and moment that a body lacks whose centre of gravity goes along ``path`` ``(n, 3)``."""
        return missing_balance(load_case(self._timeline, self._points, path, self._types, self._wall), self._device)

    def lacking(self, path: Array) -> Array:
        """``(n,)`` how much that is, in multiples of what the certificate allows."""
        return np.asarray(np.linalg.norm(self.missing(path), axis=1) / BALANCED)

    def held(self, course: Course) -> tuple[Array, Array]:
        """``(n, 3)`` the path of least jerk, as ``movement.least_jerk`` has it, that the contacts hold; where there is
        none, one that lacks little, and ``(n,)`` how much, as ``lacking``."""
        pull = course.deviation[:, None] ** -2.0 * course.wanted
        free = np.diag(course.deviation**-2.0) + course.jerk_form()
        path = course.calm()
        return self._inside(free + np.diag(course.away**-2.0), pull + course.away[:, None] ** -2.0 * path, path)

    def nearest(self, path: Array, rate: float) -> Array:
        """``(n, 3)`` the path that the contacts hold which differs least, and most smoothly, from a path."""
        free = np.eye(len(path)) / _ASIDE**2 + jerk_form(len(path), rate, _ASIDE_JERK)
        return self._inside(free, free @ path, path)[0]

    def _inside(self, free: Array, pull: Array, path: Array) -> tuple[Array, Array]:
        """The least of the quadratic form ``free`` with ``pull``, of each coordinate, inside what the contacts hold."""
        normal = torch.from_numpy(np.kron(free, np.eye(3)))
        best, left, least, since = path, np.zeros(len(path)), np.inf, 0
        for done in range(_ROUNDS + 1):
            missing = self.missing(path)
            each = np.linalg.norm(missing, axis=1) / BALANCED
            lacking = float(np.clip(each - 2 * _SAFE, 0, _MUCH).mean())
            since = 0 if lacking < _BETTER * least else since + 1
            if lacking < least:
                best, left, least = path, each, lacking
            if lacking == 0 or done == _ROUNDS or since == _PATIENCE:
                break
            self._faces = self._faces.and_also(self._met(path, missing))
            path = self._within(normal, torch.from_numpy(pull.reshape(-1)), path)
        return best, left

    def _met(self, path: Array, missing: Array) -> _Faces:
        size = np.linalg.norm(missing, axis=1)
        beyond = np.flatnonzero(size > _SAFE * BALANCED)
        normal = missing[beyond] / size[beyond, None]
        return _Faces(beyond, normal[:, :3], normal[:, 3:], path[beyond], np.zeros(len(beyond), np.bool_))

    def _within(self, normal: torch.Tensor, pull: torch.Tensor, path: Array) -> Array:
        """The least of a quadratic form where faces push back once they are met."""
        rows, most = (torch.from_numpy(one) for one in self._faces.along(path, self._bend, self._wall.up))
        equal = torch.from_numpy(self._faces.equal)
        reach = 3 * torch.arange(-_FELT, _FELT + 1)[:, None] + torch.arange(3)
        columns = 3 * torch.from_numpy(self._faces.frame)[:, None] + reach.reshape(-1)
        inside = (columns >= 0) & (columns < len(pull))
        columns = columns.clamp(0, len(pull) - 1)
        local = torch.where(inside, rows.gather(1, columns), 0.0)
        most = most - ~equal * (_SAFE * BALANCED / 2)
        place = torch.from_numpy(path.reshape(-1))
        met, frames = torch.zeros_like(equal), torch.arange(len(path))
        for _ in range(_SIDES):
            before, met = met, (rows @ place > most) | equal
            if bool((before == met).all()):
                break
            crowded = self._room.crowding(place.numpy().reshape(-1, 3), self._points, self._on)
            stiff, back = (torch.from_numpy(one) for one in crowded)
            form = normal.clone()
            form.view(frames.numel(), 3, frames.numel(), 3)[frames, :, frames] += stiff
            # a face has to do with the few frames that tell its frame's acceleration
            some, at = local[met] / _KEPT, columns[met]
            form.index_put_((at[:, :, None], at[:, None, :]), some[:, :, None] * some[:, None, :], accumulate=True)
            right = pull + rows[met].T @ most[met] / _KEPT**2 + back.reshape(-1)
            place = solve_band(form, right, _WIDTH)
        return np.asarray(place.numpy().reshape(-1, 3))


def _known(timeline: Timeline) -> _Faces:
    """The faces that are known of frames in which two limbs hold, or one, or none."""
    holding = _holding(timeline)
    frames: list[int] = []
    push: list[Array] = []
    turn: list[Array] = []
    about: list[Array] = []
    for frame in np.flatnonzero(holding.sum(axis=1) <= 2):
        points = timeline.points[frame, holding[frame]]
        axes = np.eye(3)
        if len(points) == 2 and np.linalg.norm(points[1] - points[0]) > _ONE:
            axes = (points[1] - points[0])[None] / np.linalg.norm(points[1] - points[0])
        for axis in axes:
            frames.append(int(frame))
            push.append(axis if len(points) == 0 else np.zeros(3))
            turn.append(axis if len(points) else np.zeros(3))
            about.append(points[0] if len(points) else np.zeros(3))
    return _Faces(
        np.array(frames, np.intp), np.reshape(push, (-1, 3)), np.reshape(turn, (-1, 3)), np.reshape(about, (-1, 3)),
        np.ones(len(frames), np.bool_),
    )  # fmt: skip


def _holding(timeline: Timeline) -> Mask:
    """``(n, 4)`` which limbs bear a load, as ``metrics.loads`` has it: not in the moments when they arrive or leave."""
    t = timeline.t
    holding = np.zeros((len(t), len(LIMBS)), np.bool_)
    for contact in timeline.contacts:
        after = contact.start <= t[0] + _INSTANT or t > contact.start + _INSTANT
        before = contact.end >= t[-1] - _INSTANT or t < contact.end - _INSTANT
        during = (t >= contact.start - _INSTANT) & (t <= contact.end + _INSTANT)
        holding[during & after & before, LIMBS.index(contact.limb)] = True
    return holding
