"""What each limb carries: contact forces that hold a body up, as little tiring as can be.

In every frame the forces ``f`` on the limbs minimise ``Σ ‖fᵢ‖² / kᵢ²``, loads relative to the limbs' capacities
(experts spare their muscles fatigue rather than torque: Russell et al. 2012), while they balance force and moment about
the centre of gravity,

    Σ fᵢ = up + a / g,    Σ (pᵢ − c) × fᵢ = 0    (body weights; a: acceleration of the centre of gravity),

and lie in the cones of ``grips``. Turning of the limbs about the centre of gravity is neglected. Many forces do this
equally well for a camera: the result is an estimate, and is called so wherever it is shown.

All frames are solved at once by the alternating direction method of multipliers (Boyd et al. 2011): a linear system
that stays the same, then a projection on the cones, which has a closed form.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from ascension_vision.body.grips import Grips

Array = npt.NDArray[np.float64]

GRAVITY = 9.81
# A moment counts as the force that makes it at this distance, about that of a climber's limbs from the centre, metres.
LEVER = 0.5
# Balanced to one part in a hundred of the body weight: what the certificate asks for.
BALANCED = 0.01

# How much more an imbalance of one body weight costs than a load of that much.
_BALANCE = 3e4
# The method's own steps, and for how many rounds: with the first the loads of a body that is held settle soonest, with
# the second what a body lacks that is not held (a step that varies: Boyd et al. 2011, 3.4.1).
_STEPS = ((20.0, 150), (2000.0, 450))
_RELAXATION, _CHECKED_EVERY = 1.7, 25
_SETTLED = 1e-4
# Standard deviation in time of what an acceleration is taken from.
_ACCELERATION_SECONDS = 0.15


@dataclass(frozen=True)
class Forces:
    """Estimated forces of the wall on a climber; limbs in the order of ``LIMBS``.

    Attributes:
        force: ``(n, 4, 3)`` body weights, wall frame.
        load: ``(n, 4)`` their norms.
        missing: ``(n, 6)`` force and moment about the centre, at ``LEVER``, that would balance the body and that the
            contacts cannot give; body weights.
        residual: ``(n,)`` its norm.
        feasible: ``(n,)`` whether the contacts can hold this body so.
    """

    force: torch.Tensor
    load: torch.Tensor
    missing: torch.Tensor
    residual: torch.Tensor
    feasible: torch.Tensor


def contact_forces(
    points: torch.Tensor, centre: torch.Tensor, acceleration: torch.Tensor, up: npt.ArrayLike, grips: Grips
) -> Forces:
    """The least tiring forces that hold the body.

    Args:
        points: ``(n, 4, 3)`` where the limbs touch, metres, wall frame.
        centre: ``(n, 3)`` of gravity, metres, wall frame.
        acceleration: ``(n, 3)`` of the centre of gravity, metres per second squared, wall frame.
        up: ``(3,)`` or ``(n, 3)`` against gravity, wall frame: ``Wall.up``.
        grips: of the same frames.
    """
    share, axis, slope, capacity = (
        torch.as_tensor(values, device=points.device, dtype=points.dtype)
        for values in (grips.share, grips.axis, grips.slope, grips.capacity)
    )
    holding = share > 1e-3
    balance = _balance(points, centre) * holding.to(points.dtype).repeat_interleave(3, dim=1)[:, None]
    wanted = _wanted(acceleration, up)
    cost = (1 / (capacity * share.clamp_min(1e-3)).square()).repeat_interleave(3, dim=1)
    transposed = balance.transpose(1, 2)
    curvature = _BALANCE * transposed @ balance + torch.diag_embed(cost)
    right = _BALANCE * (transposed @ wanted[..., None])[..., 0]
    force = _settled(curvature, right, axis, slope, holding)
    missing = wanted - (balance @ force[..., None])[..., 0]
    residual = missing.norm(dim=1)
    force = force.reshape(-1, 4, 3)
    return Forces(force, force.norm(dim=2), missing, residual, residual < BALANCED)


def _settled(
    curvature: torch.Tensor, right: torch.Tensor, axis: torch.Tensor, slope: torch.Tensor, holding: torch.Tensor
) -> torch.Tensor:
    """``(n, 12)`` forces where the method comes to rest. A frame that has is not computed on: most are quick."""
    result = torch.zeros_like(right)
    rest = torch.arange(len(right), device=right.device)
    force, dual = torch.zeros_like(right), torch.zeros_like(right)
    for (step, rounds), (before, _) in zip(_STEPS, (_STEPS[0], *_STEPS), strict=False):
        eye = step * torch.eye(right.shape[1], device=right.device, dtype=right.dtype)
        inverse = torch.linalg.inv(curvature + eye)
        pull, factor = (inverse @ right[..., None])[..., 0], step * inverse
        dual = dual * (before / step)
        for done in range(1, rounds + 1):
            free = pull + (factor @ (force - dual)[..., None])[..., 0]
            eased = _RELAXATION * free + (1 - _RELAXATION) * force
            last, force = force, _into_cones(eased + dual, axis, slope, holding)
            dual = dual + eased - force
            if done % _CHECKED_EVERY == 0:
                result[rest] = force
                moving = torch.maximum((free - force).abs(), (force - last).abs()).amax(dim=1) >= _SETTLED
                if not moving.any():
                    return result
                rest, pull, factor, force, dual, axis, slope, holding, curvature, right = (
                    values[moving]
                    for values in (rest, pull, factor, force, dual, axis, slope, holding, curvature, right)
                )
    return result


def effort(load: torch.Tensor, grips: Grips, power: float = 2.0) -> torch.Tensor:
    """``(n,)``: ``Σ (load / capacity)^power``, how fast a body tires; power ≥ 2: Russell et al. 2012."""
    capacity = torch.as_tensor(grips.capacity, device=load.device, dtype=load.dtype)
    return (load / capacity).pow(power).sum(dim=1)


def accelerations(t: Array, places: Array, within: float = _ACCELERATION_SECONDS) -> Array:
    """``(n, d)`` second derivatives of ``(n, d)`` places: of the parabola that fits the neighbourhood best.

    Neighbours weigh by a Gaussian of ``within`` seconds, which for what a camera saw must be 0.15; ``t`` may be uneven
    but must increase.
    """
    n = len(t)
    if n < 3:
        return np.zeros_like(places)
    reach = int(np.ceil(2.5 * within / float(np.median(np.diff(t)))))
    near = np.arange(n)[:, None] + np.arange(-reach, reach + 1)
    inside = (near >= 0) & (near < n)
    near = np.clip(near, 0, n - 1)
    apart = (t[near] - t[:, None]) / within
    weight = np.where(inside, np.exp(-0.5 * apart**2), 0.0)
    powers = np.stack([np.ones_like(apart), apart, apart**2], axis=-1)
    weighted = powers * weight[..., None]
    moments = weighted.transpose(0, 2, 1) @ powers
    # Where frames are missing all around, nothing is known of acceleration.
    moments += 1e-6 * np.eye(3)
    fitted = np.linalg.solve(moments, weighted.transpose(0, 2, 1) @ places[near])
    found: Array = 2 * fitted[:, 2] / within**2
    return found


def _balance(points: torch.Tensor, centre: torch.Tensor) -> torch.Tensor:
    """``(n, 6, 12)``: from the limbs' forces to their sum and their moment about the centre, at ``LEVER``."""
    x, y, z = ((points - centre[:, None]) / LEVER).unbind(dim=-1)
    zero = torch.zeros_like(x)
    moment = torch.stack(
        [torch.stack([zero, -z, y], -1), torch.stack([z, zero, -x], -1), torch.stack([-y, x, zero], -1)], dim=-2
    )
    summed = torch.eye(3, device=points.device, dtype=points.dtype).expand_as(moment)
    rows = torch.cat([summed, moment], dim=-2)
    return rows.permute(0, 2, 1, 3).reshape(len(points), 6, 12)


def _wanted(acceleration: torch.Tensor, up: npt.ArrayLike) -> torch.Tensor:
    """``(n, 6)``: what the forces must add up to, and no moment."""
    weight = torch.as_tensor(up, device=acceleration.device, dtype=acceleration.dtype)
    total = weight + acceleration / GRAVITY
    return torch.cat([total, torch.zeros_like(total)], dim=1)


def _into_cones(force: torch.Tensor, axis: torch.Tensor, slope: torch.Tensor, holding: torch.Tensor) -> torch.Tensor:
    """``(n, 12)``: the nearest forces within the cones (Parikh and Boyd 2014, 6.3); none where nothing is held."""
    vector = force.reshape(len(force), 4, 3)
    along = (vector * axis).sum(dim=-1)
    across = vector - along[..., None] * axis
    aside = across.norm(dim=-1)
    inside = aside <= slope * along
    behind = slope * aside <= -along
    height = ((along + slope * aside) / (1 + slope.square())).clamp_min(0)
    edge = height[..., None] * (axis + (slope / aside.clamp_min(1e-12))[..., None] * across)
    nearest = torch.where(inside[..., None], vector, torch.where(behind[..., None], torch.zeros_like(vector), edge))
    return (nearest * holding[..., None]).reshape(len(force), 12)
