"""Where the centre of gravity may go while the contacts hold the body: a path of least jerk inside that.

What contacts can give is a cone of forces and moments, wherever the body is (the contact wrench cone, Caron et al.
2015). A frame in which something is missing shows a face of that cone: the direction of what is missing.
Beyond that face no centre of gravity, with no acceleration, can be held. So the path is found again with all faces that
were met as limits, until nothing is missing or nothing helps (Kelley 1960, cutting planes).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ascension_vision.body.forces import BALANCED, GRAVITY, LEVER, accelerations
from ascension_vision.ghost.timeline import Timeline
from ascension_vision.metrics.loads import Case, missing_balance
from ascension_vision.metrics.movement import jerk_form
from ascension_vision.wall.wall import Wall

Array = npt.NDArray[np.float64]

# A face is felt from this share of what the certificate allows on, and kept to within this many body weights.
_SAFE, _KEPT = 0.3, 0.003
# Farther from the path that leaves balance out of account is odd, metres; and the share of the weight that is lacking
# where a body falls: no place of its centre helps there.
_AWAY, _FALLING = 0.1, 0.3
# Rounds of meeting faces and of keeping within them; and what counts as lacking much, in multiples of what is allowed.
_ROUNDS, _SIDES, _MUCH = 9, 3, 5.0


@dataclass(frozen=True)
class _Faces:
    """Limits of a path: ``rows`` ``(m, 3 n)`` times its places, frame after frame, is at most ``most`` ``(m,)``."""

    rows: Array
    most: Array

    def and_also(self, other: "_Faces") -> "_Faces":
        return _Faces(np.concatenate([self.rows, other.rows]), np.concatenate([self.most, other.most]))


class Balance:
    """What the contacts of a plan hold. Remembers the faces that were met: they are those of the contacts."""

    def __init__(self, timeline: Timeline, types: Mapping[int, str], wall: Wall, device: str) -> None:
        self._t, self._contacts = timeline.t, timeline.contacts
        self._points = np.nan_to_num(timeline.points)
        self._types, self._wall, self._device = types, wall, device
        count = len(timeline.t)
        self._bend = accelerations(timeline.t, np.eye(count))
        self._faces = _Faces(np.zeros((0, 3 * count)), np.zeros(0))

    def missing(self, path: Array) -> Array:
        """``(n, 6)`` force and moment that a body lacks whose centre of gravity goes along ``path`` ``(n, 3)``."""
        case = Case(self._t, self._points, path, self._bend @ path, self._contacts)
        return missing_balance(case, self._types, self._wall, self._device)

    def held(self, wanted: Array, deviation: Array, rate: float, unsurprising: float) -> Array:
        """``(n, 3)`` the path of least jerk, as ``movement.least_jerk`` has it, that the contacts hold; where there is
        none, one that lacks little."""
        count = len(wanted)
        free = np.diag(deviation**-2.0) + jerk_form(count, rate) / unsurprising**2
        path = np.asarray(np.linalg.solve(free, deviation[:, None] ** -2.0 * wanted), np.float64)
        normal: Array = np.asarray(np.kron(free + np.eye(count) / _AWAY**2, np.eye(3)), np.float64)
        pull = (deviation[:, None] ** -2.0 * wanted + path / _AWAY**2).reshape(-1)
        best, least = path, np.inf
        for done in range(_ROUNDS + 1):
            missing = self.missing(path)
            lacking = float(np.clip(np.linalg.norm(missing, axis=1) / BALANCED - 2 * _SAFE, 0, _MUCH).mean())
            if lacking < least:
                best, least = path, lacking
            if lacking == 0 or done == _ROUNDS:
                break
            self._faces = self._faces.and_also(self._met(path, missing))
            path = _within(normal, pull, self._faces, path)
        return best

    def _met(self, path: Array, missing: Array) -> _Faces:
        size = np.linalg.norm(missing, axis=1)
        beyond = np.flatnonzero((size > _SAFE * BALANCED) & (np.linalg.norm(missing[:, :3], axis=1) < _FALLING))
        normal = missing[beyond] / size[beyond, None]
        weight = self._wall.up + (self._bend @ path)[beyond] / GRAVITY
        # force: normal · (up + a / g); moment about where the centre was: normal · (c − path) × weight / LEVER
        sideways = np.cross(weight, normal[:, 3:]) / LEVER
        rows = self._bend[beyond][:, :, None] * normal[:, None, :3] / GRAVITY
        rows[np.arange(len(beyond)), beyond] += sideways
        most = (sideways * path[beyond]).sum(axis=1) - normal[:, :3] @ self._wall.up
        return _Faces(rows.reshape(len(beyond), 3 * len(path)), most)


def _within(normal: Array, pull: Array, faces: _Faces, path: Array) -> Array:
    """The least of a quadratic form where faces push back once they are met."""
    place: Array = path.reshape(-1)
    most = faces.most - _SAFE * BALANCED / 2
    met = np.zeros(len(most), np.bool_)
    for _ in range(_SIDES):
        before, met = met, faces.rows @ place > most
        if (before == met).all():
            break
        rows = faces.rows[met]
        place = np.asarray(np.linalg.solve(normal + rows.T @ rows / _KEPT**2, pull + rows.T @ most[met] / _KEPT**2))
    return np.asarray(place.reshape(-1, 3))
