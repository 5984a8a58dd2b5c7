"""How the wall stands before the camera, and how large it is.

Where the grid of T-nuts is seen, it tells how the wall stands, and its spacing is one of few. Otherwise the camera is a
pin-hole one of guessed focal length, held level and straight, and the wall a plane that leans towards it by the wall's
angle: the user's, else what the body's lean says of it. The distance follows from the climber's trunk, whose length is
known from the height: it moves some way off the wall and nearly parallel to it. That also tells which spacing a grid
has.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from ascension_vision.body.posture import phases
from ascension_vision.body.skeleton import HIPS, SHOULDERS
from ascension_vision.camera.track import CameraTrack, ReferenceView
from ascension_vision.holds.hold import Hold
from ascension_vision.pose.following import Poses
from ascension_vision.wall.lean import ERROR_DEG as LEAN_ERROR_DEG
from ascension_vision.wall.lean import lean_deg
from ascension_vision.wall.nuts import find_grid
from ascension_vision.wall.stance import FOCAL, FOCAL_ERROR, Square, Stance, square
from ascension_vision.wall.wall import AngleSource, Wall

Array = npt.NDArray[np.float64]

# How far a hand-held or put-down phone looks up or down, and how far from straight on it stands.
_PITCH_ERROR_DEG, _YAW_ERROR_DEG = 7.0, 15.0
# The same where the grid is seen.
_GRID_LEAN_ERROR_DEG = 0.3
# Walls of which neither the user nor the body tells the angle: most lean a little.
_USUAL_ANGLE_DEG, _ANGLE_ERROR_DEG = 8.0, 15.0
# Shares of the climber's height: the middle of the shoulders to that of the hips, as the pose network places them, and
# how far off the wall these move. Both measured on rendered climbs (docs/wall-and-contacts.md).
_TRUNK, _OFF_WALL = 0.317, 0.17
_TRUNK_ERROR, _OFF_WALL_ERROR = 0.04, 0.05
# A body seen from below seems longer to the network by this share a degree of lean beyond some; half of it is unsure.
_FROM_BELOW, _FROM_BELOW_DEG = 0.004, 5.0
# Of grown-ups; and how well the pose network's own metres tell a person's size.
_USUAL_HEIGHT_M, _HEIGHT_ERROR, _WORLD_ERROR = 1.70, 0.10, 0.15
_WORLD_TRUNK = 0.30
# That was chosen for grown-ups who climb; the network takes children and the very tall for people of average size.
_ANYBODY_ERROR = 0.06
_TOLD_ERROR = 0.005
# Metres from nut to nut, and how well walls keep to it.
_SPACINGS, _SPACING_ERROR = (0.15, 0.20), 0.004
# How far off, in standard errors, what the climber's size says may be, and the odds against any other spacing.
_UNLIKELY, _DECIDED = 2.5, 15.0
_MIN_FRAMES, _MIN_HOLDS = 8, 3
_FEET, _TIPS = (31, 32), (19, 20, 31, 32)

ScaleSource = Literal["t_nuts", "climber_height", "world_landmarks"]


@dataclass(frozen=True)
class _Climber:
    """``(n, 2)`` reference pixels of the middles of shoulders and hips, while climbing; ``(n, 4, 2)`` of the limbs'
    ends; the lowest foot's place; and the height in metres with its relative standard error."""

    shoulders: Array
    hips: Array
    tips: Array
    lowest: Array
    height: float
    height_error: float


def estimate_wall(
    poses: Poses,
    track: CameraTrack,
    view: ReferenceView | None,
    holds: list[Hold],
    climber_height_cm: float | None = None,
    wall_angle_deg: float | None = None,
) -> Wall | None:
    """The wall, or None where nothing tells its scale.

    Without the climber's height the scale is that of the pose network's metres, pulled towards a grown-up's height, and
    only where at least three holds say that this is a wall at all.

    Args:
        view: for the grid of T-nuts; without it none is looked for.
        holds: what no T-nut is.
    """
    climber = _climber(poses, track, climber_height_cm)
    if climber is None or (climber_height_cm is None and len(holds) < _MIN_HOLDS):
        return None
    centre = np.array([poses.width, poses.height]) / 2
    long_side = max(poses.width, poses.height)
    grid = None if view is None else find_grid(view, holds, climber.tips.reshape(-1, 2))
    seen = None if grid is None else square(grid, long_side, centre)
    source: ScaleSource = "world_landmarks" if climber_height_cm is None else "climber_height"
    angle_source: AngleSource = "estimated" if wall_angle_deg is None else "user"
    if seen is None:
        angle, angle_error = wall_angle_deg, 0.0
        if angle is None:
            angle, angle_error = lean_deg(poses, track), LEAN_ERROR_DEG
        if angle is None:
            angle, angle_error, angle_source = _USUAL_ANGLE_DEG, _ANGLE_ERROR_DEG, "assumed"
        stance = Stance.level(FOCAL * long_side, centre, np.radians(angle), 0.0)
        lean_error = np.hypot(angle_error, _PITCH_ERROR_DEG)
        doubts = [
            replace(stance, focal=stance.focal * (1 + FOCAL_ERROR / FOCAL)),
            _turned(stance, lean_error, 0.0),
            _turned(stance, 0.0, _YAW_ERROR_DEG),
        ]
    else:
        stance = seen.stance
        angle = stance.lean_deg if wall_angle_deg is None else wall_angle_deg
        doubts = [_turned(stance, _GRID_LEAN_ERROR_DEG, 0.0), _turned(stance, 0.0, _GRID_LEAN_ERROR_DEG)]
    distance, scale_error = _distance(stance, climber), _scale_error(stance, climber)
    told = None if seen is None else _told_by_grid(seen, distance, scale_error)
    if told is not None:
        source, distance, scale_error = "t_nuts", told, _SPACING_ERROR
    elif source == "world_landmarks":
        scale_error = float(np.hypot(scale_error, _ANYBODY_ERROR))
    origin = climber.lowest
    factor = distance / _distance(stance, climber)
    others = [other.projection(factor * _distance(other, climber), origin) for other in doubts]
    others.append(stance.projection(distance * (1 + scale_error), origin))
    return Wall(
        projection=stance.projection(distance, origin),
        angle_deg=float(angle),
        angle_source=angle_source,
        scale_source=source,
        scale_error=scale_error,
        doubts=np.array(others),
    )


def _climber(poses: Poses, track: CameraTrack, height_cm: float | None) -> _Climber | None:
    placed = track.place(poses.points[..., :2])
    before, climbing, _ = phases(poses.t, poses.points)
    during = placed[before : before + climbing]
    during = during[np.isfinite(during[:, 0, 0])]
    if len(during) < _MIN_FRAMES:
        return None
    feet = during[:, _FEET]
    lowest = np.array([np.median(feet[..., 0]), np.quantile(feet[..., 1].max(axis=1), 0.98)])
    height, error = _height_of_world(poses) if height_cm is None else (height_cm / 100, _TOLD_ERROR)
    shoulders, hips = during[:, SHOULDERS].mean(axis=1), during[:, HIPS].mean(axis=1)
    return _Climber(shoulders, hips, during[:, _TIPS], lowest, height, error)


def _height_of_world(poses: Poses) -> tuple[float, float]:
    """Metres and relative standard error: what the pose network's metres say, and what is known about people."""
    trunk = poses.world[:, SHOULDERS].mean(axis=1) - poses.world[:, HIPS].mean(axis=1)
    told = float(np.nanmedian(np.linalg.norm(trunk, axis=1))) / _WORLD_TRUNK
    weights = np.array([1 / _WORLD_ERROR**2, 1 / _HEIGHT_ERROR**2])
    height = float((weights @ [told, _USUAL_HEIGHT_M]) / weights.sum())
    return height, float(1 / np.sqrt(weights.sum()))


def _distance(stance: Stance, climber: _Climber) -> float:
    """Metres from the camera to the wall's plane. On a plane one metre away the trunks would be so long; on the plane
    in which they move, parallel to the wall, they have the length of this climber's."""
    lengths = np.linalg.norm(stance.rays(climber.shoulders) - stance.rays(climber.hips), axis=1)
    seen = _TRUNK * (1 + _FROM_BELOW * _below(stance))
    return float((seen / np.median(lengths) + _OFF_WALL) * climber.height)


def _below(stance: Stance) -> float:
    return max(0.0, stance.lean_deg - _FROM_BELOW_DEG)


def _scale_error(stance: Stance, climber: _Climber) -> float:
    off_wall = _OFF_WALL_ERROR * climber.height / _distance(stance, climber)
    below = _FROM_BELOW * _below(stance) / 2
    return float(np.sqrt(climber.height_error**2 + _TRUNK_ERROR**2 + off_wall**2 + below**2))


def _told_by_grid(seen: Square, distance: float, error: float) -> float | None:
    """The plane's distance in metres by the spacing that fits what the climber's size says of it, if only one does."""
    spacings = np.array(_SPACINGS) / (np.sqrt(2) if seen.diagonal else 1.0)
    off = np.abs(np.log(seen.distance * spacings / distance)) / error
    nearest = int(off.argmin())
    odds = np.exp((np.delete(off, nearest).min() ** 2 - off[nearest] ** 2) / 2)
    if off[nearest] > _UNLIKELY or odds < _DECIDED:
        return None
    return float(seen.distance * spacings[nearest])


def _turned(stance: Stance, lean_deg: float, yaw_deg: float) -> Stance:
    """Leaning more, or turned more."""
    turn = Stance.level(stance.focal, stance.centre, np.radians(lean_deg), np.radians(yaw_deg))
    straight = Stance.level(stance.focal, stance.centre, 0.0, 0.0)
    return replace(stance, axes=turn.axes @ straight.axes.T @ stance.axes)
