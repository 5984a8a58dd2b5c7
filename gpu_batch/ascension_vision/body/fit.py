"""A body of constant bones that moves as the climber in a video does: one least squares problem for the whole clip.

The unknowns are a pose for every knot in time and the lengths of the bones. Each term is a residual divided by the
deviation that would be no surprise: landmarks in the picture (weighed by their visibility, outliers weighed down after
Geman and McClure 1987), the network's own idea of depth, limbs at their contacts, a wall that nothing can be behind,
joint limits, average proportions and postures, and accelerations that stay small. Levenberg-Marquardt (Marquardt 1963)
solves all knots at once; its linear systems, blocks in a chain with the bones as a border, by preconditioned conjugate
gradients. Between knots poses follow cubic curves, and what is still beyond a joint's limit is set to the limit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from ascension_vision.body.evidence import Evidence, gather, on_plane, stature
from ascension_vision.body.joints import DEGREES_OF_FREEDOM
from ascension_vision.body.lengths import SPREAD, Lengths
from ascension_vision.body.model import TIPS, BodyModel
from ascension_vision.body.motion import BodyMotion
from ascension_vision.body.posture import phases
from ascension_vision.body.skeleton import HIPS, SHOULDERS
from ascension_vision.camera.track import CameraTrack
from ascension_vision.contacts.contact import Contact
from ascension_vision.pose.following import Poses
from ascension_vision.wall.wall import Wall

Array = npt.NDArray[np.float64]
Tensor = torch.Tensor

# Seconds between knots. Poses arrive smoothed over about as much.
_KNOTS = 0.1
_FEWEST_FRAMES = 3
_START_STEPS, _STEPS = 12, (8, 10)
_SOLVED, _MOST_ROUNDS = 0.01, 50

# No surprise, as standard deviations. Pixels: shares of the torso, for a landmark that can be trusted.
_PIXEL: Final = dict.fromkeys(range(33), 0.04) | dict.fromkeys((0, 7, 8), 0.10) | dict.fromkeys(range(17, 23), 0.06)
# The other landmarks of the face say nothing that nose and ears do not.
_UNUSED: Final = (1, 2, 3, 4, 5, 6, 9, 10)
_USED: Final = [landmark for landmark in range(33) if landmark not in _UNUSED]
# Depth, metres: the network's is poor, and poorest at hands and feet, which contacts say better.
_DEPTH: Final = dict.fromkeys(range(33), 0.25) | dict.fromkeys((*range(15, 23), *range(27, 33)), 0.5)
_ANCHOR = 0.025
# Residuals this many deviations large begin to count as outliers: first hardly any, at last all that are odd.
_OUTLIERS = (12.0, 3.0)
# Hips before the wall, metres.
_HIPS_OUT, _HIPS_SPREAD = 0.32, 0.12
# How near to the wall a joint's centre may come, metres: half a limb's thickness, more at the trunk.
_CLEARANCE: Final = dict.fromkeys(range(33), 0.03) | dict.fromkeys((*HIPS, *SHOULDERS), 0.10)
_CLEAR = 0.02
_LIMIT = 0.02
# Accelerations: m/s² of the pelvis, rad/s² of angles.
_PELVIS, _ANGLE = 4.0, 25.0
# A height that was said, and one that was not.
_SAID_HEIGHT, _ANY_HEIGHT, _AVERAGE_HEIGHT = 0.02, 0.10, 1.70
# What posture to expect of a climber of whom nothing is seen: degrees and spread.
_USUAL: Final = {
    "pelvis_roll": (0, 60), "pelvis_pitch": (0, 40), "pelvis_yaw": (0, 60),
    "spine_flexion": (5, 25), "spine_bend": (0, 20), "spine_rotation": (0, 25),
    "neck_flexion": (-15, 30), "neck_bend": (0, 25), "neck_rotation": (0, 40),
    "shoulder_elevation": (110, 60), "shoulder_across": (0, 40), "shoulder_rotation": (-10, 50),
    "elbow_flexion": (60, 60), "elbow_pronation": (20, 45), "wrist_flexion": (0, 30), "wrist_deviation": (0, 15),
    "hip_flexion": (60, 50), "hip_abduction": (35, 30), "hip_rotation": (15, 30), "knee_flexion": (70, 60),
    "ankle_turn": (5, 20), "ankle_flexion": (-5, 20),
}  # fmt: skip


def fit_body(
    poses: Poses,
    track: CameraTrack,
    wall: Wall,
    contacts: Sequence[Contact],
    height_m: float | None = None,
    device: str = "cpu",
) -> BodyMotion | None:
    """The climber's body over the climb, or None where it is seen on fewer than three frames.

    Args:
        poses: cleaned; ``visibility`` as ``trust`` gives it.
        height_m: the climber's, if it was said.
    """
    before, climbing, _ = phases(poses.t, poses.points)
    seen = poses.seen & track.known
    seen[:before] = seen[before + climbing :] = False
    frames = np.flatnonzero(seen)
    if len(frames) < _FEWEST_FRAMES:
        return None
    evidence = gather(poses, track, wall, contacts, frames)
    knots = _knots(evidence.t)
    model, at_knots = _fit(_at(evidence, knots), height_m, device)
    pose = model.clamp(model.tensor(_between(evidence.t[knots], at_knots.cpu().numpy(), evidence.t)))
    landmarks = model.landmarks(pose).cpu().numpy()
    return BodyMotion(
        model=model,
        frames=frames,
        t=evidence.t,
        pose=pose.cpu().numpy(),
        landmarks=landmarks,
        gravity_centre=model.gravity_centre(pose).cpu().numpy(),
        error_px=np.median(np.linalg.norm(wall.project(landmarks) - evidence.pixels, axis=2), axis=1),
    )


def _knots(t: Array) -> npt.NDArray[np.intp]:
    """Which frames to find poses for: the first and the last, and in between about every ``_KNOTS`` seconds."""
    chosen = [0]
    for i in range(1, len(t) - 1):
        if t[i] - t[chosen[-1]] >= _KNOTS - 1e-6:
            chosen.append(i)
    return np.array([*chosen, len(t) - 1])


def _at(evidence: Evidence, knots: npt.NDArray[np.intp]) -> Evidence:
    per_frame = ("t", "pixels", "trust", "world", "sight", "anchors", "anchored")
    return Evidence(
        **{name: getattr(evidence, name)[knots] for name in per_frame},
        torso_px=evidence.torso_px,
        projection=evidence.projection,
    )


def _between(knots: Array, values: Array, t: Array) -> Array:
    """Cubic Hermite curves through the knots, with the slopes of the parabolas through three knots each."""
    step = np.diff(knots)[:, None]
    chord = np.diff(values, axis=0) / step
    slope = np.concatenate(
        [chord[:1], (chord[:-1] * step[1:] + chord[1:] * step[:-1]) / (step[1:] + step[:-1]), chord[-1:]]
    )
    i = np.clip(np.searchsorted(knots, t, side="right") - 1, 0, len(knots) - 2)
    h = step[i]
    s = ((t - knots[i])[:, None]) / h
    curve: Array = (
        values[i] * (1 + 2 * s) * (1 - s) ** 2
        + slope[i] * h * s * (1 - s) ** 2
        + values[i + 1] * s**2 * (3 - 2 * s)
        + slope[i + 1] * h * s**2 * (s - 1)
    )
    return curve


# --- the problem ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Bending:
    """The quadratic form of second derivatives in time, ``rows`` ``(n - 2, 3)``: each from three knots."""

    rows: Tensor

    @classmethod
    def at(cls, model: BodyModel, t: Array) -> "_Bending":
        before, after = np.diff(t)[:-1], np.diff(t)[1:]
        whole = before + after
        return cls(model.tensor(np.column_stack([2 / (before * whole), -2 / (before * after), 2 / (after * whole)])))

    @cached_property
    def diagonal(self) -> Tensor:
        """``(n,)``"""
        diagonal = self.rows.new_zeros(len(self.rows) + 2)
        for i in range(3):
            diagonal[i : i + len(self.rows)] += self.rows[:, i].square()
        return diagonal

    def times(self, x: Tensor) -> Tensor:
        """The form's matrix times ``(n, d)``."""
        bent = sum(self.rows[:, i, None] * x[i : i + len(self.rows)] for i in range(3))
        product = torch.zeros_like(x)
        for i in range(3):
            product[i : i + len(self.rows)] += self.rows[:, i, None] * bent
        return product


@dataclass(frozen=True)
class _Prior:
    """What is known before anything is seen. ``lengths`` ``(10,)`` metres, ``root`` ``(10, 10)`` turns deviations from
    them into residuals; ``usual`` and ``spread`` ``(degrees of freedom,)``; ``bending`` is the square of second
    derivatives in time, ``stiffness`` ``(degrees of freedom,)`` its weight."""

    lengths: Tensor
    root: Tensor
    usual: Tensor
    spread: Tensor
    stiffness: Tensor
    bending: "_Bending"


@dataclass(frozen=True)
class _Normal:
    """The normal equations of a linearised problem, but for what ties knots together: ``curvature`` ``(n, d, d)``,
    ``gradient`` ``(n, d)``; the border's ``cross`` ``(n, d, lengths)``, ``corner`` and ``slope`` of the lengths."""

    value: float
    curvature: Tensor
    gradient: Tensor
    cross: Tensor
    corner: Tensor
    slope: Tensor


def _fit(evidence: Evidence, height_m: float | None, device: str) -> tuple[BodyModel, Tensor]:
    expected = height_m or _AVERAGE_HEIGHT
    model = BodyModel(Lengths.from_height(expected), device)
    prior = _prior(model, evidence, _SAID_HEIGHT if height_m else _ANY_HEIGHT)
    seen = _Seen.on(model, evidence)
    pose = _start(model, evidence, prior)
    for outlier, steps in zip(_OUTLIERS, _STEPS, strict=True):
        model, pose = _descend(model, pose, replace(seen, outlier=outlier), prior, steps)
    return model, pose


def _prior(model: BodyModel, evidence: Evidence, height_spread: float) -> _Prior:
    lengths = model.lengths.array()
    relative = SPREAD**2 * np.eye(len(lengths)) + height_spread**2
    root = np.linalg.cholesky(np.linalg.inv(relative)).T / lengths
    names = [name.removeprefix("left_").removeprefix("right_") for name in DEGREES_OF_FREEDOM]
    usual = [(_HIPS_OUT, _HIPS_SPREAD) if name == "z" else _USUAL.get(name, (0.0, np.inf)) for name in names]
    degrees = np.array([1.0, 1.0, 1.0] + [np.pi / 180] * (len(names) - 3))
    known = np.array(usual).T * degrees
    stiffness = [1 / _PELVIS**2] * 3 + [1 / _ANGLE**2] * (len(names) - 3)
    return _Prior(
        lengths=model.tensor(lengths),
        root=model.tensor(root),
        usual=model.tensor(known[0]),
        spread=model.tensor(known[1]),
        stiffness=model.tensor(stiffness),
        bending=_Bending.at(model, evidence.t),
    )


@dataclass(frozen=True)
class _Seen:
    """The evidence as tensors, for the landmarks in ``_USED`` followed by the four tips."""

    pixels: Tensor
    pixel_weight: Tensor
    world: Tensor
    depth_weight: Tensor
    sight: Tensor
    anchors: Tensor
    anchor_weight: Tensor
    projection: Tensor
    clearance: Tensor
    outlier: float = _OUTLIERS[0]

    @classmethod
    def on(cls, model: BodyModel, evidence: Evidence) -> "_Seen":
        trust = evidence.trust[:, _USED]
        deviation = np.array([_PIXEL[landmark] for landmark in _USED]) * evidence.torso_px
        # World landmarks are of a person of average size.
        size = model.lengths.height / stature(evidence.world, evidence.trust)
        return cls(
            pixels=model.tensor(evidence.pixels[:, _USED]),
            pixel_weight=model.tensor(trust / deviation),
            world=model.tensor(evidence.world[:, _USED] * size),
            depth_weight=model.tensor(trust / [_DEPTH[landmark] for landmark in _USED]),
            sight=model.tensor(evidence.sight),
            anchors=model.tensor(evidence.anchors),
            anchor_weight=model.tensor(evidence.anchored / _ANCHOR),
            projection=model.tensor(evidence.projection),
            clearance=model.tensor([_CLEARANCE[landmark] for landmark in _USED]),
        )


def _points(places: Tensor) -> Tensor:
    """From ``(n, 33, …)`` to ``(n, used + 4, …)``: the landmarks that are used, then the tips."""
    return torch.cat([places[:, _USED], torch.stack([places[:, list(tip)].mean(dim=1) for tip in TIPS], dim=1)], dim=1)


def _linearised(model: BodyModel, pose: Tensor, seen: _Seen, prior: _Prior) -> _Normal:
    posture = model.posture(pose)
    points = _points(posture.landmarks)
    moved, stretched = _points(model.jacobian(posture)), _points(model.length_jacobian(posture))
    value, weight, pull, relative_weight, relative_pull = _at_points(points, pose[:, :3], seen)
    # Relative to the hips, whose middle is the pose's own place.
    turned = moved.clone()
    turned[..., :3] = 0
    d = moved.shape[-1]
    whole = torch.cat([moved, stretched], dim=-1)
    inner = torch.cat([turned, stretched], dim=-1)
    flat, flat_inner = whole.flatten(1, 2), inner.flatten(1, 2)
    curvature = flat.transpose(1, 2) @ (weight @ whole).flatten(1, 2)
    curvature += flat_inner.transpose(1, 2) @ (relative_weight @ inner).flatten(1, 2)
    gradient = (flat.transpose(1, 2) @ pull.flatten(1)[..., None])[..., 0]
    gradient += (flat_inner.transpose(1, 2) @ relative_pull.flatten(1)[..., None])[..., 0]
    # Terms of single angles: limits, and the usual posture.
    beyond = (pose - model.highest).clamp_min(0) - (model.lowest - pose).clamp_min(0)
    hard = (beyond != 0) / _LIMIT**2
    easy, away = prior.spread**-2, pose - prior.usual
    value = value + (hard * beyond.square()).sum() + (easy * away.square()).sum()
    bent = prior.bending.times(pose)
    value = value + (prior.stiffness * pose * bent).sum()
    odd = prior.root @ (model.tensor(model.lengths.array()) - prior.lengths)
    return _Normal(
        value=float(value + odd.square().sum()),
        curvature=curvature[:, :d, :d] + torch.diag_embed(hard + easy),
        gradient=gradient[:, :d] + hard * beyond + easy * away + prior.stiffness * bent,
        cross=curvature[:, :d, d:],
        corner=curvature[:, d:, d:].sum(dim=0) + prior.root.T @ prior.root,
        slope=gradient[:, d:].sum(dim=0) + prior.root.T @ odd,
    )


def _at_points(points: Tensor, hips: Tensor, seen: _Seen) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """What pulls at each point: the sum of squares, then ``(n, points, 3, 3)`` curvatures and ``(n, points, 3)``
    gradients with respect to its place, and the same with respect to its place from the hips."""
    n, count = points.shape[:2]
    used = count - 4
    weight, pull = points.new_zeros(n, count, 3, 3), points.new_zeros(n, count, 3)
    landmarks, tips = points[:, :used], points[:, used:]

    mapped = landmarks @ seen.projection[:, :3].T + seen.projection[:, 3]
    pixel = mapped[..., :2] / mapped[..., 2:]
    rows = (seen.projection[:2, :3] - pixel[..., None] * seen.projection[2, :3]) / mapped[..., 2:, None]
    away = pixel - seen.pixels
    value, strength = _robust(away.norm(dim=-1), seen.pixel_weight, seen.outlier)
    weighted = rows.transpose(-1, -2) * strength[..., None, None]
    weight[:, :used] += weighted @ rows
    pull[:, :used] += (weighted @ away[..., None])[..., 0]

    inside = (landmarks[..., 2] - seen.clearance).clamp_max(0)
    value = value + (inside / _CLEAR).square().sum()
    weight[:, :used, 2, 2] += (inside < 0) / _CLEAR**2
    pull[:, :used, 2] += inside / _CLEAR**2

    apart = tips - seen.anchors
    cost, strength = _robust(apart.norm(dim=-1), seen.anchor_weight, 2 * seen.outlier)
    value = value + cost
    weight[:, used:] += strength[..., None, None] * torch.eye(3, device=points.device, dtype=points.dtype)
    pull[:, used:] += strength[..., None] * apart

    deep = ((landmarks - hips[:, None] - seen.world) * seen.sight[:, None]).sum(dim=-1)
    cost, strength = _robust(deep.abs(), seen.depth_weight, seen.outlier)
    value = value + cost
    relative_weight, relative_pull = torch.zeros_like(weight), torch.zeros_like(pull)
    direction = seen.sight[:, None]
    relative_weight[:, :used] = strength[..., None, None] * (direction[..., :, None] * direction[..., None, :])
    relative_pull[:, :used] = (strength * deep)[..., None] * direction
    return value, weight, pull, relative_weight, relative_pull


def _robust(size: Tensor, weight: Tensor, outlier: float) -> tuple[Tensor, Tensor]:
    """The cost of residuals of that size, and the weights with which their squares have the same slope."""
    square = (size * weight).square() / outlier**2
    return (outlier**2 * square / (1 + square)).sum(), weight.square() / (1 + square).square()


# --- its solution ---------------------------------------------------------------------------------------------------


def _descend(model: BodyModel, pose: Tensor, seen: _Seen, prior: _Prior, steps: int) -> tuple[BodyModel, Tensor]:
    """Levenberg-Marquardt on poses and lengths."""
    damping = 1e-2
    now = _linearised(model, pose, seen, prior)
    for _ in range(steps):
        turn, grow = _step(now, prior, damping)
        lengths = model.lengths.array() + grow.cpu().numpy()
        tried = BodyModel(Lengths(*np.maximum(lengths, 0.02)), model.device, model.dtype)
        trial = pose + turn.clamp(-0.6, 0.6)
        new = _linearised(tried, trial, seen, prior)
        if new.value < now.value:
            gain = (now.value - new.value) / now.value
            model, pose, now = tried, trial, new
            damping = max(damping / 4, 1e-5)
            if gain < 1e-4:
                break
        else:
            damping *= 8
    return model, pose


def _step(now: _Normal, prior: _Prior, damping: float) -> tuple[Tensor, Tensor]:
    """The step of poses ``(n, d)`` and of lengths, by conjugate gradients.

    What ties knots together is all that makes the system large: without it, knot by knot with the lengths as a border,
    it is solved at once, and that is the preconditioner.
    """
    scale = now.curvature.diagonal(dim1=1, dim2=2)
    blocks = now.curvature + damping * torch.diag_embed(scale + 1e-6)
    corner = now.corner + damping * torch.diag(now.corner.diagonal())
    inverse = torch.linalg.inv(blocks + torch.diag_embed(prior.bending.diagonal[:, None] * prior.stiffness))
    along = inverse @ now.cross
    schur = torch.linalg.inv(corner - (now.cross.transpose(1, 2) @ along).sum(dim=0))

    def times(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        tied = prior.stiffness * prior.bending.times(x)
        return (blocks @ x[..., None] + now.cross @ y[:, None])[..., 0] + tied, _onto(now.cross, x) + corner @ y

    def better(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        y = schur @ (y - _onto(along, x))
        return (inverse @ x[..., None])[..., 0] - along @ y, y

    x, y = torch.zeros_like(now.gradient), torch.zeros_like(now.slope)
    rest_x, rest_y = -now.gradient, -now.slope
    toward_x, toward_y = near_x, near_y = better(rest_x, rest_y)
    size = (rest_x * near_x).sum() + rest_y @ near_y
    enough = _SOLVED**2 * size
    for _ in range(_MOST_ROUNDS):
        ahead_x, ahead_y = times(toward_x, toward_y)
        length = size / ((toward_x * ahead_x).sum() + toward_y @ ahead_y)
        x, y = x + length * toward_x, y + length * toward_y
        rest_x, rest_y = rest_x - length * ahead_x, rest_y - length * ahead_y
        near_x, near_y = better(rest_x, rest_y)
        before, size = size, (rest_x * near_x).sum() + rest_y @ near_y
        if size <= enough:
            break
        toward_x, toward_y = near_x + size / before * toward_x, near_y + size / before * toward_y
    return x, y


def _onto(border: Tensor, x: Tensor) -> Tensor:
    return (border.transpose(1, 2) @ x[..., None]).sum(dim=0)[..., 0]


# --- where to begin -------------------------------------------------------------------------------------------------


def _start(model: BodyModel, evidence: Evidence, prior: _Prior) -> Tensor:
    """Poses that look like the world landmarks, before the wall where the hips are seen."""
    size = model.lengths.height / stature(evidence.world, evidence.trust)
    world = evidence.world * size
    hips = evidence.pixels[:, HIPS].mean(axis=1)
    pose = np.tile(prior.usual.cpu().numpy(), (len(world), 1))
    pose[:, :3] = on_plane(evidence.projection, hips, np.full(len(world), _HIPS_OUT))
    pose[:, 3:6] = _attitude(world)
    target = world + pose[:, None, :3]
    return _reach(
        model, model.tensor(pose), model.tensor(target[:, _USED]), model.tensor(evidence.trust[:, _USED]), prior
    )


def _attitude(world: Array) -> Array:
    """``(n, 3)`` roll, pitch and yaw of the trunk, continuous in time."""
    up = world[:, SHOULDERS].mean(axis=1) - world[:, HIPS].mean(axis=1)
    right = world[:, HIPS[1]] - world[:, HIPS[0]] + world[:, SHOULDERS[1]] - world[:, SHOULDERS[0]]
    up /= np.linalg.norm(up, axis=1, keepdims=True)
    right -= (right * up).sum(axis=1, keepdims=True) * up
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    back = np.cross(right, up)
    roll = np.unwrap(np.arctan2(-up[:, 0], up[:, 1]))
    pitch = np.arcsin(np.clip(up[:, 2], -1, 1))
    yaw = np.unwrap(np.arctan2(-right[:, 2], back[:, 2]))
    return np.column_stack([roll, pitch, yaw])


def _reach(model: BodyModel, pose: Tensor, target: Tensor, trust: Tensor, prior: _Prior) -> Tensor:
    """Every pose on its own, from where it is towards ``(n, used, 3)`` places of its landmarks."""
    weight = (trust / 0.05).square()[..., None]
    damping = torch.full_like(pose[:, 0], 0.05)

    def linearised(pose: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        posture = model.posture(pose)
        moved = model.jacobian(posture)[:, _USED]
        away = posture.landmarks[:, _USED] - target
        beyond = (pose - model.highest).clamp_min(0) - (model.lowest - pose).clamp_min(0)
        hard, easy = (beyond != 0) / _LIMIT**2, prior.spread**-2
        strange = pose - prior.usual
        value = (weight * away.square()).sum(dim=(1, 2)) + (hard * beyond.square() + easy * strange.square()).sum(dim=1)
        flat = moved.flatten(1, 2).transpose(1, 2)
        curvature = flat @ (weight[..., None] * moved).flatten(1, 2) + torch.diag_embed(hard + easy)
        gradient = (flat @ (weight * away).flatten(1)[..., None])[..., 0] + hard * beyond + easy * strange
        return value, gradient, curvature

    value, gradient, curvature = linearised(pose)
    for _ in range(_START_STEPS):
        diagonal = curvature.diagonal(dim1=1, dim2=2) + 1e-6
        system = curvature + torch.diag_embed(damping[:, None] * diagonal)
        step = torch.cholesky_solve(gradient[..., None], torch.linalg.cholesky(system))[..., 0]
        trial = pose - step.clamp(-0.6, 0.6)
        new_value, new_gradient, new_curvature = linearised(trial)
        better = new_value < value
        pose, value = torch.where(better[:, None], trial, pose), torch.where(better, new_value, value)
        gradient = torch.where(better[:, None], new_gradient, gradient)
        curvature = torch.where(better[:, None, None], new_curvature, curvature)
        damping = torch.where(better, damping / 4, damping * 8).clamp(1e-4, 1e3)
    return pose
