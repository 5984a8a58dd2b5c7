"""A jointed body of rigid parts with BlazePose's landmarks: from joint angles to places in space.

Everything is batched over poses and runs on any PyTorch device in any float type. A pose is a row of
``joints.DEGREES_OF_FREEDOM``: where the middle of the hips is (metres, wall frame), then angles in radians.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from ascension_vision.body.gravity import LANDMARK_WEIGHTS
from ascension_vision.body.joints import DEGREES_OF_FREEDOM, JOINTS
from ascension_vision.body.lengths import LENGTHS, Lengths
from ascension_vision.body.skeleton import LANDMARKS

Array = npt.NDArray[np.float64]

# Pairs of landmarks on one rigid part each: these distances never change.
BONES: Final = (
    *((11, 12), (23, 24), (11, 13), (13, 15), (12, 14), (14, 16), (23, 25), (25, 27), (24, 26), (26, 28)),
    *((15, 17), (15, 19), (16, 18), (16, 20), (27, 29), (27, 31), (28, 30), (28, 32), (0, 7), (0, 8), (7, 8)),
)
# What each limb touches the wall with, as means of landmarks: the knuckles and the tip of the foot. In the order of
# ``contacts.contact.LIMBS``.
TIPS: Final = ((17, 19), (18, 20), (31,), (32,))

# Of the trunk, from the hips up: where the spine bends, at the navel (de Leva 1996: lower part 0.146 of 0.516 m).
_NAVEL = 0.28
# Of the way from the middle of the shoulders to that of the ears: where the neck bends, at its root.
_NECK = 0.37
# (right, up, forward) of the middle of the ears, in head lengths.
_FACE: Final = {
    "nose": (0.0, -0.06, 0.56), "mouth_left": (-0.12, -0.28, 0.44), "mouth_right": (0.12, -0.28, 0.44),
    "left_eye_inner": (-0.09, 0.10, 0.46), "left_eye": (-0.16, 0.10, 0.45), "left_eye_outer": (-0.22, 0.10, 0.41),
    "right_eye_inner": (0.09, 0.10, 0.46), "right_eye": (0.16, 0.10, 0.45), "right_eye_outer": (0.22, 0.10, 0.41),
    "left_ear": (-0.36, 0.02, 0.04), "right_ear": (0.36, 0.02, 0.04),
}  # fmt: skip


@dataclass(frozen=True)
class Posture:
    """A body in poses.

    Attributes:
        landmarks: ``(n, 33, 3)`` metres.
        centres: ``(n, joints, 3)`` metres.
        orientations: ``(n, joints, 3, 3)`` of the part beyond each joint; columns are its right, up and back.
        axes: ``(n, angles, 3)`` unit vectors that each angle turns about, in the order of a pose after x, y, z.
    """

    landmarks: torch.Tensor
    centres: torch.Tensor
    orientations: torch.Tensor
    axes: torch.Tensor


def rest(lengths: Array) -> tuple[Array, Array]:
    """Joint centres ``(joints, 3)`` and landmarks ``(33, 3)`` at rest, from the middle of the hips, metres.

    Linear in ``lengths``, which is ``Lengths.array()``."""
    size = Lengths(*lengths)
    joints: dict[str, Array] = {"pelvis": np.zeros(3), "spine": np.array([0, _NAVEL * size.trunk, 0])}
    joints["neck"] = np.array([0, size.trunk + _NECK * size.neck, 0])
    ears = np.array([0, size.trunk + size.neck, 0])
    places = {name: ears + size.head * np.array([x, y, -ahead]) for name, (x, y, ahead) in _FACE.items()}
    for side, sign in (("left", -1), ("right", 1)):
        shoulder = np.array([sign * size.shoulders / 2, size.trunk, 0])
        elbow = shoulder - [0, size.upper_arm, 0]
        wrist = elbow - [0, size.forearm, 0]
        hip = np.array([sign * size.hips / 2, 0, 0])
        knee = hip - [0, size.thigh, 0]
        ankle = knee - [0, size.shank, 0]
        for name, place in (("shoulder", shoulder), ("elbow", elbow), ("wrist", wrist)):
            joints[f"{side}_{name}"] = places[f"{side}_{name}"] = place
        for name, place in (("hip", hip), ("knee", knee), ("ankle", ankle)):
            joints[f"{side}_{name}"] = places[f"{side}_{name}"] = place
        # The palm looks to the thigh, the thumb forward.
        places[f"{side}_index"] = wrist + size.hand * np.array([0, -1, -0.36])
        places[f"{side}_pinky"] = wrist + size.hand * np.array([0, -1, 0.36])
        places[f"{side}_thumb"] = wrist + size.hand * np.array([-0.12 * sign, -0.55, -0.55])
        places[f"{side}_heel"] = ankle + size.foot * np.array([0, -0.20, 0.20])
        places[f"{side}_foot_index"] = ankle + size.foot * np.array([0, -0.20, -0.62])
    return np.array([joints[joint.name] for joint in JOINTS]), np.array([places[name] for name in LANDMARKS])


def _carrier(landmark: str) -> str:
    """The joint beyond which a landmark lies, or at whose centre it is."""
    if landmark.endswith(("index", "pinky", "thumb")) and "foot" not in landmark:
        return landmark.split("_")[0] + "_wrist"
    if landmark.endswith(("heel", "foot_index")):
        return landmark.split("_")[0] + "_ankle"
    return landmark if landmark in _INDEX else "neck"


_INDEX: Final = {joint.name: i for i, joint in enumerate(JOINTS)}
_PARENTS: Final = [_INDEX.get(joint.parent, -1) for joint in JOINTS]
_CARRIERS: Final = [_INDEX[_carrier(name)] for name in LANDMARKS]


def _levels() -> list[list[int]]:
    """Joints by their distance from the pelvis: those of one level are computed together."""
    depth: list[int] = []
    for parent in _PARENTS:
        depth.append(0 if parent < 0 else depth[parent] + 1)
    return [[i for i, d in enumerate(depth) if d == level] for level in range(max(depth) + 1)]


_LEVELS: Final = _levels()
# Where each joint's first, second and third angle is in a pose; one past the end where it has none.
_NONE = len(DEGREES_OF_FREEDOM)


def _angle_places() -> npt.NDArray[np.intp]:
    places = np.full((len(JOINTS), 3), _NONE)
    at = 3
    for i, joint in enumerate(JOINTS):
        places[i, : len(joint.angles)] = range(at, at + len(joint.angles))
        at += len(joint.angles)
    return places


_PLACES: Final = _angle_places()
_OWNERS: Final = [i for i, joint in enumerate(JOINTS) for _ in joint.angles]


def _moves() -> npt.NDArray[np.bool_]:
    """``(33, angles)``: whether an angle moves a landmark."""
    above = np.zeros((len(JOINTS), len(JOINTS)), dtype=bool)
    for i, parent in enumerate(_PARENTS):
        above[i] = above[parent] if parent >= 0 else False
        above[i, i] = True
    return above[np.ix_(_CARRIERS, _OWNERS)]


def _linear() -> tuple[Array, Array]:
    """Offsets of joints from their parents ``(joints, 3, lengths)``, of landmarks from their joints ``(33, 3, …)``."""
    places = [rest(unit) for unit in np.eye(len(LENGTHS))]
    joints = np.stack([joint for joint, _ in places], axis=-1)
    landmarks = np.stack([landmark for _, landmark in places], axis=-1)
    return joints - joints[np.maximum(_PARENTS, 0)], landmarks - joints[_CARRIERS]


_JOINT_OFFSETS, _LANDMARK_OFFSETS = _linear()
_MOVES: Final = _moves()


@dataclass(frozen=True)
class BodyModel:
    """One climber's body.

    Attributes:
        lengths: the bones.
        device, dtype: of all poses given and places answered.
    """

    lengths: Lengths
    device: str = "cpu"
    dtype: torch.dtype = torch.float64

    def tensor(self, values: npt.ArrayLike | torch.Tensor) -> torch.Tensor:
        """On the body's device, in its type."""
        return torch.as_tensor(values, device=self.device, dtype=self.dtype)

    @cached_property
    def lowest(self) -> torch.Tensor:
        """``(degrees of freedom,)`` limits in radians, minus infinity where there is none."""
        return self._limits("lowest", -np.inf)

    @cached_property
    def highest(self) -> torch.Tensor:
        """``(degrees of freedom,)`` limits in radians, infinity where there is none."""
        return self._limits("highest", np.inf)

    def landmarks(self, pose: torch.Tensor) -> torch.Tensor:
        """``(n, degrees of freedom)``, to ``(n, 33, 3)`` metres in the wall frame."""
        return self.posture(pose).landmarks

    def gravity_centre(self, pose: torch.Tensor) -> torch.Tensor:
        """``(n, degrees of freedom)``, to ``(n, 3)`` metres in the wall frame; masses as in ``gravity``."""
        return self._weights @ self.landmarks(pose)

    def tips(self, pose: torch.Tensor) -> torch.Tensor:
        """``(n, degrees of freedom)``, to ``(n, 4, 3)``: what each limb touches with, in the order of ``LIMBS``."""
        return tips(self.landmarks(pose))

    def limit_violation(self, pose: torch.Tensor) -> torch.Tensor:
        """``(n, degrees of freedom)``: radians beyond the limits, 0 within."""
        return (self.lowest - pose).clamp_min(0) + (pose - self.highest).clamp_min(0)

    def clamp(self, pose: torch.Tensor) -> torch.Tensor:
        """The pose with every angle moved to its nearest limit."""
        return torch.minimum(torch.maximum(pose, self.lowest), self.highest)

    def posture(self, pose: torch.Tensor) -> Posture:
        """Everything about where the body's parts are. Differentiable."""
        turns = self._turns(pose)
        first, second = turns[:, :, 0], turns[:, :, 0] @ turns[:, :, 1]
        whole = second @ turns[:, :, 2]
        axes = self._axes
        local = torch.stack(
            [
                axes[:, 0].expand(len(pose), -1, -1),
                (first @ axes[:, 1, :, None])[..., 0],
                (second @ axes[:, 2, :, None])[..., 0],
            ],
            dim=2,
        )
        orientations: list[torch.Tensor] = [whole[:, 0]] * len(JOINTS)
        centres: list[torch.Tensor] = [pose[:, :3]] * len(JOINTS)
        world: list[torch.Tensor] = [local[:, 0]] * len(JOINTS)
        offsets = self._joint_offsets
        for level in _LEVELS[1:]:
            parents = torch.stack([orientations[_PARENTS[i]] for i in level], dim=1)
            turned = parents @ whole[:, level]
            moved = (parents @ offsets[level, :, None])[..., 0]
            carried = local[:, level] @ parents.transpose(-1, -2)
            for k, i in enumerate(level):
                orientations[i], world[i] = turned[:, k], carried[:, k]
                centres[i] = centres[_PARENTS[i]] + moved[:, k]
        orientation, centre = torch.stack(orientations, dim=1), torch.stack(centres, dim=1)
        reach = (orientation[:, _CARRIERS] @ self._landmark_offsets[:, :, None])[..., 0]
        return Posture(
            landmarks=centre[:, _CARRIERS] + reach,
            centres=centre,
            orientations=orientation,
            axes=torch.stack(world, dim=1)[:, self._present],
        )

    def jacobian(self, posture: Posture) -> torch.Tensor:
        """``(n, 33, 3, degrees of freedom)``: how landmarks move with the pose, metres and metres per radian."""
        # The cross product of axis and lever, spelled out: in this layout it is several times as fast.
        x, y, z = (posture.landmarks[:, :, None] - posture.centres[:, None, _OWNERS]).unbind(dim=-1)
        a, b, c = (posture.axes[:, None] * self._moves[..., None]).unbind(dim=-1)
        turning = torch.stack([b * z - c * y, c * x - a * z, a * y - b * x], dim=2)
        shift = torch.eye(3, device=turning.device, dtype=turning.dtype).expand(*turning.shape[:2], 3, 3)
        return torch.cat([shift, turning], dim=-1)

    def length_jacobian(self, posture: Posture) -> torch.Tensor:
        """``(n, 33, 3, lengths)``: how landmarks move with ``Lengths.array()``."""
        joints, landmarks = self.tensor(_JOINT_OFFSETS), self.tensor(_LANDMARK_OFFSETS)
        moved: list[torch.Tensor] = []
        for i, parent in enumerate(_PARENTS):
            if parent < 0:
                moved.append(joints[i].expand(len(posture.landmarks), -1, -1))
            else:
                moved.append(moved[parent] + posture.orientations[:, parent] @ joints[i])
        return torch.stack(moved, dim=1)[:, _CARRIERS] + posture.orientations[:, _CARRIERS] @ landmarks

    def _turns(self, pose: torch.Tensor) -> torch.Tensor:
        """``(n, joints, 3, 3, 3)`` rotation matrices of every joint's three angles, by Rodrigues' formula."""
        angles = torch.nn.functional.pad(pose, (0, 1))[:, self._places]
        sine, cosine = torch.sin(angles)[..., None, None], torch.cos(angles)[..., None, None]
        eye = torch.eye(3, device=pose.device, dtype=pose.dtype)
        return eye + sine * self._cross + (1 - cosine) * (self._cross @ self._cross)

    def _limits(self, which: str, free: float) -> torch.Tensor:
        degrees = [getattr(angle, which) for joint in JOINTS for angle in joint.angles]
        return self.tensor(np.concatenate([[free] * 3, np.radians(degrees)]))

    @cached_property
    def _places(self) -> torch.Tensor:
        return torch.as_tensor(_PLACES, device=self.device)

    @cached_property
    def _present(self) -> torch.Tensor:
        return torch.as_tensor(_PLACES < _NONE, device=self.device)

    @cached_property
    def _axes(self) -> torch.Tensor:
        axes = np.zeros((len(JOINTS), 3, 3))
        for i, joint in enumerate(JOINTS):
            axes[i, : len(joint.angles)] = [angle.axis for angle in joint.angles]
        return self.tensor(axes)

    @cached_property
    def _cross(self) -> torch.Tensor:
        """``(joints, 3, 3, 3)``: the matrix of the cross product with each axis."""
        axes, eye = self._axes, torch.eye(3, device=self.device, dtype=self.dtype)
        columns: torch.Tensor = torch.linalg.cross(
            axes[..., None, :].expand(-1, -1, 3, -1), eye.expand(len(JOINTS), 3, 3, 3)
        )
        return columns.transpose(-1, -2)

    @cached_property
    def _joint_offsets(self) -> torch.Tensor:
        return self.tensor(_JOINT_OFFSETS @ self.lengths.array())

    @cached_property
    def _landmark_offsets(self) -> torch.Tensor:
        return self.tensor(_LANDMARK_OFFSETS @ self.lengths.array())

    @cached_property
    def _moves(self) -> torch.Tensor:
        return self.tensor(_MOVES)

    @cached_property
    def _weights(self) -> torch.Tensor:
        return self.tensor(LANDMARK_WEIGHTS)


def tips(landmarks: torch.Tensor) -> torch.Tensor:
    """``(…, 33, 3)`` landmarks, to ``(…, 4, 3)``: what each limb touches with, in the order of ``LIMBS``."""
    return torch.stack([landmarks[..., list(tip), :].mean(dim=-2) for tip in TIPS], dim=-2)
