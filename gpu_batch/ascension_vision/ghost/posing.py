"""Joint angles for a whole clip at once: tips where they must be, the centre of gravity where it should be, and
otherwise the climber's own posture, moving smoothly.

Levenberg-Marquardt (Marquardt 1963) on all frames together; every residual is divided by the deviation that would be
no surprise, so that their squares may be added.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ascension_vision.body.gravity import LANDMARK_WEIGHTS
from ascension_vision.body.joints import DEGREES_OF_FREEDOM
from ascension_vision.body.model import TIPS, BodyModel, Posture
from ascension_vision.ghost.banded import jerk_penalty, solve_chain, times_band

Tensor = torch.Tensor

# How far a posture may be from the climber's own: radians by joint, metres for the pelvis, which follows the centre of
# gravity.
_OWN = {"x": 0.3, "y": 0.3, "z": 0.3, "pelvis": 0.15, "spine": 0.15, "neck": 0.15, "wrist": 0.4, "ankle": 0.3}
_OWN_LIMB = 0.3
# Jerk that is no surprise, rad/s³ and m/s³. A limb that turns by half a radian in 0.8 s reaches 60 rad/s³.
_JERK = {"x": 4.0, "y": 4.0, "z": 4.0, "pelvis": 20.0, "spine": 20.0, "neck": 20.0}
_JERK_LIMB = 100.0
_PIN, _SWING, _KNUCKLES = 0.0003, 0.01, 0.004
_FIRMNESS = 0.03, 0.2, 1.0
_DAMPING = 40.0
# Joints stay this far within their limits, radians.
_MARGIN, _LIMIT = 0.02, 0.002
# How near to the wall parts of the body may come, metres: knees, elbows, ankles, heels, hips, shoulders, nose.
_CLEARANCE = {25: 0.05, 26: 0.05, 13: 0.05, 14: 0.05, 27: 0.03, 28: 0.03, 29: 0.01, 30: 0.01, 23: 0.11, 24: 0.11}
_CLEARANCE |= {11: 0.10, 12: 0.10, 0: 0.06}
_CLEAR = 0.01
# A step that gains less than this share of the sum of squares is the last.
_ENOUGH = 1e-3


@dataclass(frozen=True)
class Wishes:
    """What the body should do, for ``n`` frames, ``rate`` of them a second.

    Attributes:
        own: ``(n, degrees of freedom)`` the climber's posture at the same point of the same move.
        points: ``(n, 4, 3)`` where the limbs' tips should be, wall metres; NaN where it does not matter.
        on: ``(n, 4)`` whether a tip must be exactly there: it is on a hold.
        across: ``(n, 2, 3)`` from each hand's little-finger to its index knuckle while it holds on, metres; NaN
            otherwise.
        gravity: ``(n, 3)`` where the centre of gravity should be.
        nearly: ``(n,)`` how far from there is no surprise, metres.
        ease: ``(n,)`` how many times as much jerk as usually is no surprise.
    """

    own: Tensor
    points: Tensor
    on: Tensor
    across: Tensor
    gravity: Tensor
    nearly: Tensor
    ease: Tensor
    rate: float


def pose_clip(model: BodyModel, wishes: Wishes, start: Tensor, steps: Sequence[int]) -> Tensor:
    """``(n, degrees of freedom)`` from ``start``, in at most so many Levenberg-Marquardt steps with loose pins and
    limits, firmer ones, and firm ones.

    What is pinned moves on a curve when the body does, and a straight step leaves that curve by millimetres, which firm
    pins do not allow: with them alone the body would hardly move.
    """
    ties = jerk_penalty(wishes.rate, wishes.ease), _by_name(model, _JERK, _JERK_LIMB) ** -2
    pose = start
    for firmness, most in zip(_FIRMNESS, steps, strict=True):
        pose = _descend(model, wishes, pose, ties, firmness, most)
    return pose


def _descend(
    model: BodyModel, wishes: Wishes, pose: Tensor, ties: tuple[Tensor, Tensor], firmness: float, steps: int
) -> Tensor:
    band, stiffness = ties
    # The pelvis may jerk as the centre of gravity has to.
    asked = times_band(band, torch.nn.functional.pad(wishes.gravity, (0, pose.shape[1] - 3)))
    # Each frame is damped by itself: one in which the body cannot do what it should does not hold back the others.
    damping = pose.new_full((len(pose),), _DAMPING)
    values, gradient, curvature = _linearised(model, wishes, pose, firmness)
    value = values.sum() + _jerk(band, stiffness, pose, asked)
    for _ in range(steps):
        right = -(gradient + (times_band(band, pose) - asked) * stiffness)
        damped = curvature + torch.diag_embed(damping[:, None].expand_as(pose))
        step = solve_chain(damped, band, stiffness, right)
        trial = pose + step.clamp(-0.5, 0.5)
        new_values, new_gradient, new_curvature = _linearised(model, wishes, trial, firmness)
        new_value = new_values.sum() + _jerk(band, stiffness, trial, asked)
        worse = new_values > values
        if new_value < value:
            gain = float((value - new_value) / value)
            pose, value, values, gradient, curvature = trial, new_value, new_values, new_gradient, new_curvature
            damping = torch.where(worse, damping * 4, damping / 5)
            if gain < _ENOUGH:
                break
        else:
            damping = torch.where(worse, damping * 10, damping * 2)
    return pose


def _jerk(band: Tensor, stiffness: Tensor, pose: Tensor, asked: Tensor) -> Tensor:
    """But for what does not depend on the pose."""
    return (pose * (times_band(band, pose) - 2 * asked) * stiffness).sum()


def _linearised(model: BodyModel, wishes: Wishes, pose: Tensor, firmness: float) -> tuple[Tensor, Tensor, Tensor]:
    """The sums of squares ``(n,)``, half their gradient ``(n, d)`` and the Gauss-Newton matrix ``(n, d, d)``."""
    posture = model.posture(pose)
    moved = model.jacobian(posture)
    gravity = _gravity_rows(model, wishes, posture, moved)
    rows = [*_tip_rows(wishes, posture, moved, _PIN / firmness), gravity, _wall_rows(posture, moved)]
    residual = torch.cat([row for row, _ in rows], dim=1)
    jacobian = torch.cat([row for _, row in rows], dim=1)
    value = residual.square().sum(dim=1)
    gradient = (jacobian.transpose(1, 2) @ residual[..., None])[..., 0]
    curvature = jacobian.transpose(1, 2) @ jacobian
    # What depends on each angle alone: the own posture, and the limits.
    own = _by_name(model, _OWN, _OWN_LIMB) ** -2
    away = pose - wishes.own
    beyond = (pose - (model.highest - _MARGIN)).clamp_min(0) - ((model.lowest + _MARGIN) - pose).clamp_min(0)
    hard = (beyond != 0) * (firmness / _LIMIT) ** 2
    value = value + (own * away.square()).sum(dim=1) + (hard * beyond.square()).sum(dim=1)
    gradient = gradient + own * away + hard * beyond
    return value, gradient, curvature + torch.diag_embed(own + hard)


def _tip_rows(wishes: Wishes, posture: Posture, moved: Tensor, pin: float) -> list[tuple[Tensor, Tensor]]:
    places, turns = posture.landmarks, moved
    rows = []
    for limb, tip in enumerate(TIPS):
        wanted = wishes.points[:, limb]
        weight = torch.where(wishes.on[:, limb], 1 / pin, 1 / _SWING) * wanted[:, 0].isfinite()
        away = places[:, list(tip)].mean(dim=1) - wanted.nan_to_num()
        rows.append((weight[:, None] * away, weight[:, None, None] * turns[:, list(tip)].mean(dim=1)))
        if len(tip) == 2:
            across = wishes.across[:, limb]
            weight = across[:, 0].isfinite() / _KNUCKLES
            away = places[:, tip[1]] - places[:, tip[0]] - across.nan_to_num()
            rows.append((weight[:, None] * away, weight[:, None, None] * (turns[:, tip[1]] - turns[:, tip[0]])))
    return rows


def _gravity_rows(model: BodyModel, wishes: Wishes, posture: Posture, moved: Tensor) -> tuple[Tensor, Tensor]:
    weights = model.tensor(LANDMARK_WEIGHTS)
    away = weights @ posture.landmarks - wishes.gravity
    nearly = wishes.nearly[:, None]
    return away / nearly, torch.einsum("l,nlid->nid", weights, moved) / nearly[..., None]


def _wall_rows(posture: Posture, moved: Tensor) -> tuple[Tensor, Tensor]:
    parts = list(_CLEARANCE)
    nearest = posture.landmarks.new_tensor([_CLEARANCE[part] for part in parts])
    inside = (posture.landmarks[:, parts, 2] - nearest).clamp_max(0)
    return inside / _CLEAR, (inside < 0)[..., None] * moved[:, parts, 2] / _CLEAR


def _by_name(model: BodyModel, known: dict[str, float], otherwise: float) -> Tensor:
    def of(name: str) -> float:
        return next((value for part, value in known.items() if name == part or f"{part}_" in name), otherwise)

    return model.tensor([of(name) for name in DEGREES_OF_FREEDOM])
