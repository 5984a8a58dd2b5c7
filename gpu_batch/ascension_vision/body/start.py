"""Where a fit begins: poses that look like the network's own idea of the body in space."""

import numpy as np
import numpy.typing as npt
import torch

from ascension_vision.body.evidence import Evidence
from ascension_vision.body.model import BodyModel
from ascension_vision.body.problem import SEEN, Problem, beyond_limits
from ascension_vision.body.skeleton import HIPS, SHOULDERS

Array = npt.NDArray[np.float64]
Tensor = torch.Tensor

# Postures change little between neighbouring knots: only every third is looked for, the others lie between.
_EVERY, _STEPS = 3, 10
# How near the body should come to the network's, metres.
_NEAR = 0.05


def first_poses(problem: Problem, evidence: Evidence, model: BodyModel) -> Tensor:
    """``(n, degrees of freedom)``: hips where they are seen, at a usual distance before the wall."""
    pose = np.tile(problem.usual.cpu().numpy(), (len(evidence.t), 1))
    pose[:, :3] = evidence.hips
    pose[:, 3:6] = _attitude(evidence.world)
    some = np.unique([*range(0, len(pose), _EVERY), len(pose) - 1])
    target = (problem.world + model.tensor(pose[:, None, :3]))[some][:, SEEN]
    found = _reach(problem, model, model.tensor(pose[some]), target, model.tensor(evidence.trust[some][:, SEEN]))
    between = [np.interp(evidence.t, evidence.t[some], column) for column in found.cpu().numpy().T]
    return model.tensor(np.column_stack(between))


def _attitude(world: Array) -> Array:
    """``(n, 3)`` roll, pitch and yaw of the trunk, continuous in time."""
    up = world[:, SHOULDERS].mean(axis=1) - world[:, HIPS].mean(axis=1)
    right = world[:, HIPS[1]] - world[:, HIPS[0]] + world[:, SHOULDERS[1]] - world[:, SHOULDERS[0]]
    up /= np.linalg.norm(up, axis=1, keepdims=True)
    right -= (right * up).sum(axis=1, keepdims=True) * up
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    back = np.cross(right, up)
    roll = np.unwrap(np.arctan2(-up[:, 0], up[:, 1]))
    yaw = np.unwrap(np.arctan2(-right[:, 2], back[:, 2]))
    return np.column_stack([roll, np.arcsin(np.clip(up[:, 2], -1, 1)), yaw])


def _reach(problem: Problem, model: BodyModel, pose: Tensor, target: Tensor, trust: Tensor) -> Tensor:
    """Levenberg-Marquardt, every pose on its own, towards ``(n, seen, 3)`` places of its landmarks."""
    weight = (trust / _NEAR).square()[..., None]
    damping = torch.full_like(pose[:, 0], 0.05)

    def linearised(pose: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        posture = model.posture(pose)
        moved = model.jacobian(posture)[:, SEEN]
        away = posture.landmarks[:, SEEN] - target
        hard, beyond = beyond_limits(model, pose)
        strange = pose - problem.usual
        value = (weight * away.square()).sum(dim=(1, 2))
        value = value + (hard * beyond.square() + problem.easy * strange.square()).sum(dim=1)
        flat = moved.flatten(1, 2).transpose(1, 2)
        curvature = flat @ (weight[..., None] * moved).flatten(1, 2) + torch.diag_embed(hard + problem.easy)
        gradient = (flat @ (weight * away).flatten(1)[..., None])[..., 0] + hard * beyond + problem.easy * strange
        return value, gradient, curvature

    value, gradient, curvature = linearised(pose)
    for _ in range(_STEPS):
        system = curvature + torch.diag_embed(damping[:, None] * (curvature.diagonal(dim1=1, dim2=2) + 1e-6))
        step = torch.linalg.solve(system, gradient[..., None])[..., 0]
        trial = pose - step.clamp(-0.6, 0.6)
        new_value, new_gradient, new_curvature = linearised(trial)
        better = new_value < value
        pose, value = torch.where(better[:, None], trial, pose), torch.where(better, new_value, value)
        gradient = torch.where(better[:, None], new_gradient, gradient)
        curvature = torch.where(better[:, None, None], new_curvature, curvature)
        damping = torch.where(better, damping / 4, damping * 8).clamp(1e-4, 1e3)
    return pose
