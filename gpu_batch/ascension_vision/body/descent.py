"""Levenberg-Marquardt (Marquardt 1963) on all poses of a clip and the bones' lengths at once."""

import numpy as np
import torch

from ascension_vision.body.lengths import Lengths
from ascension_vision.body.model import BodyModel
from ascension_vision.body.problem import Normal, Problem

Tensor = torch.Tensor

_FIRST_DAMPING, _LEAST_DAMPING = 1e-2, 1e-5
# No angle turns by more in one step, radians; no bone becomes shorter, metres.
_LONGEST_STEP, _SHORTEST_BONE = 0.6, 0.02
_SETTLED = 3e-4
# How exactly each linear system is solved, and at most how long.
_SOLVED, _MOST_ROUNDS = 0.03, 40


def descend(problem: Problem, model: BodyModel, pose: Tensor, outlier: float, steps: int) -> tuple[BodyModel, Tensor]:
    """A better body and better poses ``(n, d)``, after at most so many steps."""
    damping = _FIRST_DAMPING
    now = problem.linearised(model, pose, outlier)
    for _ in range(steps):
        turn, grow = _step(now, damping)
        lengths = np.maximum(model.lengths.array() + grow.cpu().numpy(), _SHORTEST_BONE)
        tried = BodyModel(Lengths(*lengths.tolist()), model.device, model.dtype)
        trial = pose + turn.clamp(-_LONGEST_STEP, _LONGEST_STEP)
        new = problem.linearised(tried, trial, outlier)
        if new.value < now.value:
            gain = 1 - new.value / now.value
            model, pose, now = tried, trial, new
            damping = max(damping / 4, _LEAST_DAMPING)
            if gain < _SETTLED:
                break
        else:
            damping *= 8
    return model, pose


def _step(now: Normal, damping: float) -> tuple[Tensor, Tensor]:
    """The step of poses ``(n, d)`` and of lengths, by preconditioned conjugate gradients.

    What ties knots together is all that makes the system large: without it, knot by knot with the lengths as a border,
    it is solved at once, and that is the preconditioner.
    """
    blocks = now.curvature + damping * torch.diag_embed(now.curvature.diagonal(dim1=1, dim2=2) + 1e-6)
    corner = now.corner + damping * torch.diag(now.corner.diagonal())
    inverse = torch.linalg.inv(blocks + torch.diag_embed(now.bending.diagonal[:, None] * now.stiffness))
    along = inverse @ now.cross
    schur = torch.linalg.inv(corner - (now.cross.transpose(1, 2) @ along).sum(dim=0))

    def times(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        tied = now.stiffness * now.bending.times(x)
        return (blocks @ x[..., None] + now.cross @ y[:, None])[..., 0] + tied, _onto(now.cross, x) + corner @ y

    def near(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        y = schur @ (y - _onto(along, x))
        return (inverse @ x[..., None])[..., 0] - along @ y, y

    x, y = torch.zeros_like(now.gradient), torch.zeros_like(now.slope)
    rest_x, rest_y = -now.gradient, -now.slope
    toward_x, toward_y = near_x, near_y = near(rest_x, rest_y)
    size = (rest_x * near_x).sum() + rest_y @ near_y
    enough = _SOLVED**2 * size
    for _ in range(_MOST_ROUNDS):
        ahead_x, ahead_y = times(toward_x, toward_y)
        length = size / ((toward_x * ahead_x).sum() + toward_y @ ahead_y)
        x, y = x + length * toward_x, y + length * toward_y
        rest_x, rest_y = rest_x - length * ahead_x, rest_y - length * ahead_y
        near_x, near_y = near(rest_x, rest_y)
        before, size = size, (rest_x * near_x).sum() + rest_y @ near_y
        if size <= enough:
            break
        toward_x, toward_y = near_x + size / before * toward_x, near_y + size / before * toward_y
    return x, y


def _onto(border: Tensor, x: Tensor) -> Tensor:
    return (border.transpose(1, 2) @ x[..., None]).sum(dim=0)[..., 0]
