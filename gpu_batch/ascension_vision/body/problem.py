"""What a fit of the body to a video minimises, and its linearisation.

A sum of squared residuals, each divided by the deviation that would be no surprise. Outliers among what was seen weigh
less the farther they are off (Geman and McClure 1987).
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from ascension_vision.body.evidence import Evidence
from ascension_vision.body.joints import DEGREES_OF_FREEDOM
from ascension_vision.body.lengths import LENGTHS, SPREAD
from ascension_vision.body.model import TIPS, BodyModel
from ascension_vision.body.skeleton import HIPS, SHOULDERS

Array = npt.NDArray[np.float64]
Tensor = torch.Tensor

# Eyes and mouth say nothing that nose and ears do not.
SEEN: Final = [landmark for landmark in range(33) if landmark not in (1, 2, 3, 4, 5, 6, 9, 10)]
# In the picture: shares of the torso, for a landmark that can be trusted. Of a face seen from behind little is known.
_PIXEL: Final = dict.fromkeys(SEEN, 0.04) | dict.fromkeys((0, 7, 8), 0.15) | dict.fromkeys(range(17, 23), 0.06)
# The network's own depth, metres: poor, and poorest at hands and feet.
_DEPTH: Final = dict.fromkeys((0, *range(15, 23), *range(27, 33)), 0.5) | dict.fromkeys(
    (*SHOULDERS, 13, 14, 25, 26), 0.25
)
# How near to the wall a landmark may come, metres: half a limb's thickness; more at the trunk, less at hands and toes.
_NEAREST: Final = (
    dict.fromkeys((*SHOULDERS, *HIPS), 0.10)
    | dict.fromkeys((0, 13, 14, 25, 26, 27, 28, 29, 30), 0.03)
    | dict.fromkeys((19, 20, 31, 32), 0.01)
)
_CLEAR = 0.02
# Where a limb touches, metres. Contacts are outliers only when they are far off.
_ANCHOR, _ANCHOR_PATIENCE = 0.025, 2.0
_LIMIT = 0.02
# Accelerations: m/s² of the pelvis, rad/s² of angles.
_PELVIS, _ANGLE = 4.0, 25.0
# Hips before the wall, metres.
HIPS_OUT, _HIPS_SPREAD = 0.32, 0.12
# What posture to expect of a climber of whom nothing is seen, and its spread, degrees. Ours.
_USUAL: Final = {
    "pelvis_roll": (0, 60), "pelvis_pitch": (0, 40), "pelvis_yaw": (0, 60),
    "spine_flexion": (5, 25), "spine_bend": (0, 20), "spine_rotation": (0, 25),
    "neck_flexion": (-15, 30), "neck_bend": (0, 25), "neck_rotation": (0, 40),
    "shoulder_elevation": (110, 60), "shoulder_across": (0, 40), "shoulder_rotation": (-10, 50),
    "elbow_flexion": (60, 60), "elbow_pronation": (20, 45), "wrist_flexion": (0, 30), "wrist_deviation": (0, 15),
    "hip_flexion": (60, 50), "hip_abduction": (35, 30), "hip_rotation": (15, 30), "knee_flexion": (70, 60),
    "ankle_turn": (5, 20), "ankle_flexion": (-5, 20),
}  # fmt: skip


@dataclass(frozen=True)
class Bending:
    """The quadratic form of second derivatives in time, ``rows`` ``(n - 2, 3)``: each from three knots."""

    rows: Tensor

    @classmethod
    def at(cls, model: BodyModel, t: Array) -> "Bending":
        """For knots at ``t`` ``(n,)`` seconds."""
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
class Normal:
    """The normal equations at some point: ``(curvature + bending ⊗ stiffness) step = -gradient``, with a border.

    Attributes:
        value: the sum of squares.
        curvature: ``(n, d, d)`` knot by knot; what ties knots together is not in it.
        gradient: ``(n, d)``.
        cross, corner, slope: ``(n, d, lengths)``, ``(lengths, lengths)``, ``(lengths,)``: the bones.
        bending, stiffness: what ties knots together; ``(d,)``.
    """

    value: float
    curvature: Tensor
    gradient: Tensor
    cross: Tensor
    corner: Tensor
    slope: Tensor
    bending: Bending
    stiffness: Tensor


class Problem:
    """The fit of a body to the evidence at ``n`` knots in time."""

    def __init__(self, evidence: Evidence, average: BodyModel, height_spread: float) -> None:
        """``average``: a body of the expected height, which is known to within ``height_spread``, a share of it."""
        self._lengths = average.tensor(average.lengths.array())
        relative = np.diag([SPREAD[name] ** 2 for name in LENGTHS]) + height_spread**2
        self._root = average.tensor(np.linalg.cholesky(np.linalg.inv(relative)).T / average.lengths.array())
        names = [name.removeprefix("left_").removeprefix("right_") for name in DEGREES_OF_FREEDOM]
        degrees = np.array([1.0] * 3 + [np.pi / 180] * (len(names) - 3))
        usual = [(HIPS_OUT, _HIPS_SPREAD) if name == "z" else _USUAL.get(name, (0.0, np.inf)) for name in names]
        self.usual, spread = average.tensor(np.array(usual).T * degrees)
        self.easy = spread**-2
        self._stiffness = average.tensor([1 / _PELVIS**2] * 3 + [1 / _ANGLE**2] * (len(names) - 3))
        self._bending = Bending.at(average, evidence.t)
        rough = _rough(average)
        trust = evidence.trust
        deviation = np.array([_PIXEL[landmark] for landmark in SEEN]) * evidence.torso_px
        self._projection = rough.tensor(evidence.projection)
        self._pixels = rough.tensor(evidence.pixels[:, SEEN])
        self._pixel_weight = rough.tensor(trust[:, SEEN] / deviation)
        self._deep, self._close = list(_DEPTH), list(_NEAREST)
        # World landmarks are of a person of average size.
        self.world = rough.tensor(evidence.world * average.lengths.height / evidence.stature)
        self._depth = (self.world[:, self._deep] * rough.tensor(evidence.sight)[:, None]).sum(dim=-1)
        self._depth_weight = rough.tensor(trust[:, self._deep] / list(_DEPTH.values()))
        self._sight = rough.tensor(evidence.sight)
        self._anchors = rough.tensor(evidence.anchors)
        self._anchor_weight = rough.tensor(evidence.anchored / _ANCHOR)
        self._nearest = rough.tensor(list(_NEAREST.values()))

    def linearised(self, model: BodyModel, pose: Tensor, outlier: float) -> Normal:
        """At a body and its poses ``(n, d)``. Residuals of more than ``outlier`` deviations begin to count less."""
        rough = _rough(model)
        posture = rough.posture(rough.tensor(pose))
        landmarks = posture.landmarks
        # Derivatives with respect to the pose, then to the lengths.
        moved = torch.cat([rough.jacobian(posture), rough.length_jacobian(posture)], dim=-1)
        terms = [
            self._in_picture(landmarks[:, SEEN], moved[:, SEEN], outlier),
            self._at_contacts(landmarks, moved, outlier),
            self._in_depth(landmarks - posture.centres[:, :1], moved, outlier),
            self._before_wall(landmarks, moved),
        ]
        residual = torch.cat([term[1] for term in terms], dim=1)
        jacobian = torch.cat([term[2] for term in terms], dim=1)
        transposed = jacobian.transpose(1, 2)
        curvature = (transposed @ jacobian).to(pose.dtype)
        gradient = (transposed @ residual[..., None])[..., 0].to(pose.dtype)
        hard, beyond = beyond_limits(model, pose)
        away, bent = pose - self.usual, self._bending.times(pose)
        odd = self._root @ (model.tensor(model.lengths.array()) - self._lengths)
        value = torch.stack([term[0] for term in terms]).to(pose.dtype).sum() + (self._stiffness * pose * bent).sum()
        value = value + (hard * beyond.square()).sum() + (self.easy * away.square()).sum() + odd.square().sum()
        d = pose.shape[1]
        return Normal(
            value=float(value),
            curvature=curvature[:, :d, :d] + torch.diag_embed(hard + self.easy),
            gradient=gradient[:, :d] + hard * beyond + self.easy * away + self._stiffness * bent,
            cross=curvature[:, :d, d:],
            corner=curvature[:, d:, d:].sum(dim=0) + self._root.T @ self._root,
            slope=gradient[:, d:].sum(dim=0) + self._root.T @ odd,
            bending=self._bending,
            stiffness=self._stiffness,
        )

    # Each term: its sum of squares, and weighted rows of residuals (n, rows) and derivatives (n, rows, d + lengths).

    def _in_picture(self, places: Tensor, moved: Tensor, outlier: float) -> tuple[Tensor, Tensor, Tensor]:
        mapped = places @ self._projection[:, :3].T + self._projection[:, 3]
        pixel = mapped[..., :2] / mapped[..., 2:]
        across = (self._projection[:2, :3] - pixel[..., None] * self._projection[2, :3]) / mapped[..., 2:, None]
        away = pixel - self._pixels
        value, weight = _robust(away.norm(dim=-1), self._pixel_weight, outlier)
        rows = (weight[..., None, None] * across) @ moved
        return value, (weight[..., None] * away).flatten(1), rows.flatten(1, 2)

    def _at_contacts(self, places: Tensor, moved: Tensor, outlier: float) -> tuple[Tensor, Tensor, Tensor]:
        tips = torch.stack([places[:, list(tip)].mean(dim=1) for tip in TIPS], dim=1)
        turned = torch.stack([moved[:, list(tip)].mean(dim=1) for tip in TIPS], dim=1)
        away = tips - self._anchors
        value, weight = _robust(away.norm(dim=-1), self._anchor_weight, _ANCHOR_PATIENCE * outlier)
        return value, (weight[..., None] * away).flatten(1), (weight[..., None, None] * turned).flatten(1, 2)

    def _in_depth(self, reach: Tensor, moved: Tensor, outlier: float) -> tuple[Tensor, Tensor, Tensor]:
        rows = (self._sight[:, None, None] @ moved[:, self._deep])[:, :, 0]
        rows[..., :3] = 0  # from the hips, whose middle is the pose's own place
        away = (reach[:, self._deep] * self._sight[:, None]).sum(dim=-1) - self._depth
        value, weight = _robust(away.abs(), self._depth_weight, outlier)
        return value, weight * away, weight[..., None] * rows

    def _before_wall(self, places: Tensor, moved: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        inside = (places[:, self._close, 2] - self._nearest).clamp_max(0) / _CLEAR
        return inside.square().sum(), inside, (inside < 0)[..., None] * moved[:, self._close, 2] / _CLEAR


def _rough(model: BodyModel) -> BodyModel:
    """The body in single precision: what is seen has three digits, and half the numbers take two thirds of the time."""
    return replace(model, dtype=torch.float32)


def beyond_limits(model: BodyModel, pose: Tensor) -> tuple[Tensor, Tensor]:
    """Weights and residuals, both ``(n, d)``, of angles that are beyond their limits."""
    beyond = (pose - model.highest).clamp_min(0) - (model.lowest - pose).clamp_min(0)
    return (beyond != 0) / _LIMIT**2, beyond


def _robust(size: Tensor, weight: Tensor, outlier: float) -> tuple[Tensor, Tensor]:
    """The cost of residuals of that size, and the weights with which their squares have the same slope."""
    square = (size * weight).square() / outlier**2
    return (outlier**2 * square / (1 + square)).sum(), weight / (1 + square)
