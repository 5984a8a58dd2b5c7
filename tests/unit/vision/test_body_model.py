"""The body model against anatomy, against itself, and against MuJoCo, which knows nothing of it."""

import mujoco
import numpy as np
import numpy.typing as npt
import pytest
import torch
from ascension_vision.body.gravity import SEGMENTS, centre_of_gravity
from ascension_vision.body.joints import DEGREES_OF_FREEDOM, JOINTS
from ascension_vision.body.lengths import LENGTHS, Lengths
from ascension_vision.body.model import BONES, BodyModel, rest
from ascension_vision.body.skeleton import LANDMARKS

Array = npt.NDArray[np.float64]

BODY = BodyModel(Lengths.from_height(1.74))


def poses(count: int, seed: int = 0) -> torch.Tensor:
    """Anywhere, in any attitude, all joints somewhere within their limits."""
    rng = np.random.default_rng(seed)
    low, high = BODY.lowest.numpy().copy(), BODY.highest.numpy().copy()
    low[:3], high[:3], low[3:6], high[3:6] = -2, 2, -np.pi, np.pi
    return BODY.tensor(rng.uniform(low, high, (count, len(low))))


def posed(**degrees: float) -> Array:
    """Landmarks of the body at rest with some angles changed."""
    pose = torch.zeros(1, len(DEGREES_OF_FREEDOM), dtype=torch.float64)
    for name, angle in degrees.items():
        pose[0, DEGREES_OF_FREEDOM.index(name)] = np.radians(angle)
    landmarks: Array = BODY.landmarks(pose)[0].numpy()
    return landmarks


def at(landmarks: Array, name: str) -> Array:
    place: Array = landmarks[LANDMARKS.index(name)]
    return place


RIGHT, UP, BACK = np.eye(3)


@pytest.mark.parametrize(
    ("angle", "degrees", "landmark", "direction"),
    [
        ("shoulder_elevation", 90, "wrist", "up"),
        ("shoulder_elevation", 90, "wrist", "ahead"),
        ("shoulder_across", 60, "wrist", "inwards"),
        ("elbow_flexion", 90, "wrist", "ahead"),
        ("elbow_pronation", 80, "thumb", "inwards"),
        ("wrist_flexion", 60, "index", "inwards"),
        ("wrist_deviation", 20, "index", "ahead"),
        ("hip_flexion", 90, "knee", "ahead"),
        ("hip_abduction", 60, "knee", "outwards"),
        ("hip_rotation", 60, "foot_index", "outwards"),
        ("knee_flexion", 90, "ankle", "back"),
        ("ankle_flexion", 30, "foot_index", "up"),
        ("ankle_turn", 30, "foot_index", "outwards"),
    ],
)
@pytest.mark.parametrize("side", ["left", "right"])
def test_a_joint_turns_as_its_name_says(side: str, angle: str, degrees: float, landmark: str, direction: str) -> None:
    outwards = RIGHT if side == "right" else -RIGHT
    ways = {"up": UP, "back": BACK, "ahead": -BACK, "outwards": outwards, "inwards": -outwards}
    moved = at(posed(**{f"{side}_{angle}": degrees}), f"{side}_{landmark}") - at(posed(), f"{side}_{landmark}")
    assert moved @ ways[direction] > 0.4 * np.linalg.norm(moved)


def test_arms_reach_overhead_and_knees_to_the_chest() -> None:
    overhead = posed(left_shoulder_elevation=180, right_shoulder_elevation=180)
    for side in ("left", "right"):
        arm = at(overhead, f"{side}_wrist") - at(overhead, f"{side}_shoulder")
        assert arm / np.linalg.norm(arm) == pytest.approx(UP)
    folded = posed(left_hip_flexion=140)
    assert at(folded, "left_knee")[1] > at(folded, "left_hip")[1]


def test_both_sides_mirror_each_other() -> None:
    pose = poses(20)
    pose[:, :12] = 0
    half = len(DEGREES_OF_FREEDOM) - 13
    left = DEGREES_OF_FREEDOM.index("left_shoulder_elevation")
    pose[:, left + 13 :] = pose[:, left : left + 13]
    assert half == left + 13
    landmarks = BODY.landmarks(pose).numpy()
    for name in LANDMARKS:
        if name.startswith("left_"):
            one, other = (landmarks[:, LANDMARKS.index(f"{side}_{name[5:]}")] for side in ("left", "right"))
            assert one == pytest.approx(other * [-1, 1, 1], abs=1e-12)


def test_bones_keep_their_lengths_in_every_pose() -> None:
    landmarks = BODY.landmarks(poses(200)).numpy()
    for a, b in BONES:
        lengths = np.linalg.norm(landmarks[:, a] - landmarks[:, b], axis=1)
        assert np.ptp(lengths) < 1e-12, (LANDMARKS[a], LANDMARKS[b])


def test_the_jacobians_are_the_derivatives() -> None:
    pose, step = poses(3), 1e-6
    posture = BODY.posture(pose)
    by_pose, by_length = BODY.jacobian(posture), BODY.length_jacobian(posture)
    for i in range(pose.shape[1]):
        nudged = pose.clone()
        nudged[:, i] += step
        change = (BODY.landmarks(nudged) - posture.landmarks) / step
        assert change.numpy() == pytest.approx(by_pose[..., i].numpy(), abs=1e-5)
    for i in range(len(LENGTHS)):
        lengths = BODY.lengths.array()
        lengths[i] += step
        change = (BodyModel(Lengths(*lengths)).landmarks(pose) - posture.landmarks) / step
        assert change.numpy() == pytest.approx(by_length[..., i].numpy(), abs=1e-5)


def test_gradients_flow_to_the_pose() -> None:
    pose = poses(2).requires_grad_()
    BODY.gravity_centre(pose).sum().backward()  # type: ignore[no-untyped-call]
    assert pose.grad is not None
    assert torch.isfinite(pose.grad).all()
    assert (pose.grad[:, :3] - 1).abs().max() < 1e-12  # the body's place moves its centre as much


def test_the_centre_of_gravity_is_that_of_the_landmarks() -> None:
    pose = poses(10)
    assert BODY.gravity_centre(pose).numpy() == pytest.approx(centre_of_gravity(BODY.landmarks(pose).numpy()))


def test_limits_are_told_in_radians_and_can_be_kept() -> None:
    pose = poses(5)
    assert BODY.limit_violation(pose).abs().max() == 0
    knee = DEGREES_OF_FREEDOM.index("left_knee_flexion")
    pose[:, knee] = -0.25
    violation = BODY.limit_violation(pose)
    assert violation[:, knee].numpy() == pytest.approx(0.25)
    assert violation.sum() == pytest.approx(5 * 0.25)
    assert BODY.limit_violation(BODY.clamp(pose)).abs().max() == 0


def test_single_precision_is_as_good_as_a_tenth_of_a_millimetre() -> None:
    pose = poses(50)
    single = BodyModel(BODY.lengths, dtype=torch.float32)
    assert single.landmarks(pose.float()).numpy() == pytest.approx(BODY.landmarks(pose).numpy(), abs=1e-4)


def test_lengths_are_found_again_in_the_landmarks() -> None:
    long_legged = Lengths(*(BODY.lengths.array() * [1, 1, 1, 1, 1, 1, 1.1, 1.1, 1, 1, 1]))
    landmarks = BodyModel(long_legged).landmarks(poses(40)).numpy()
    landmarks += np.random.default_rng(1).normal(0, 0.01, landmarks.shape)
    landmarks[5:9] = np.nan
    found = Lengths.from_landmarks(landmarks)
    assert found.height == pytest.approx(long_legged.height, rel=0.03)
    assert found.thigh > BODY.lengths.thigh * 1.03
    assert found.forearm == pytest.approx(BODY.lengths.forearm, rel=0.03)


def test_an_average_person_is_as_tall_as_said() -> None:
    assert Lengths.from_height(1.6).height == pytest.approx(1.6)
    top_of_head = posed()[:11, 1].max() + 0.5 * BODY.lengths.head
    sole = min(at(posed(), "left_heel")[1], at(posed(), "left_foot_index")[1]) - 0.02
    assert top_of_head - sole == pytest.approx(1.74, abs=0.06)


def mujoco_body(lengths: Lengths) -> tuple[mujoco.MjModel, dict[str, str]]:
    """The same body written down for MuJoCo: hinges, and a point mass at both ends of every segment."""
    centres, landmarks = rest(lengths.array())
    carriers = _carriers(lengths)
    masses: dict[int, float] = {}
    for segment in SEGMENTS:
        for ends, share in ((segment.proximal, 1 - segment.centre), (segment.distal, segment.centre)):
            for end in ends:
                masses[end] = masses.get(end, 0) + segment.mass * share / len(ends)

    def body(name: str) -> str:
        index = [joint.name for joint in JOINTS].index(name)
        joint = JOINTS[index]
        parent = next((i for i, other in enumerate(JOINTS) if other.name == joint.parent), None)
        place = centres[index] - (centres[parent] if parent is not None else 0)
        parts = [f'<body name="{name}" pos="{_text(place)}">']
        if parent is None:
            parts += [
                f'<joint name="{a}" type="slide" axis="{_text(axis)}"/>'
                for a, axis in zip("xyz", np.eye(3), strict=True)
            ]
        parts += [
            f'<joint name="{name}_{a.name}" type="hinge" axis="{_text(np.array(a.axis))}"/>' for a in joint.angles
        ]
        for number, landmark in enumerate(LANDMARKS):
            if carriers[landmark] == name:
                at = _text(landmarks[number] - centres[index])
                parts.append(f'<site name="{landmark}" pos="{at}"/>')
                parts.append(f'<geom type="sphere" size="0.001" pos="{at}" mass="{masses.get(number, 0)}"/>')
        parts.append('<geom type="sphere" size="0.02" mass="1e-8"/>')  # MuJoCo wants some mass in every part
        parts += [body(child.name) for child in JOINTS if child.parent == name]
        return "".join([*parts, "</body>"])

    text = f'<mujoco><compiler angle="radian"/><worldbody>{body("pelvis")}</worldbody></mujoco>'
    return mujoco.MjModel.from_xml_string(text), carriers


def _carriers(lengths: Lengths) -> dict[str, str]:
    """Which part every landmark belongs to, told by its name."""
    ends = {"index": "wrist", "pinky": "wrist", "thumb": "wrist", "heel": "ankle", "foot_index": "ankle"}
    names = {joint.name for joint in JOINTS}
    carriers = {}
    for landmark in LANDMARKS:
        side, _, part = landmark.partition("_")
        carriers[landmark] = f"{side}_{ends[part]}" if part in ends else landmark if landmark in names else "neck"
    return carriers | {f"{side}_shoulder": f"{side}_shoulder" for side in ("left", "right")}


def _text(values: Array) -> str:
    return " ".join(f"{value:.12g}" for value in values)


def test_mujoco_finds_the_same_joints_landmarks_and_centre_of_mass() -> None:
    model, _ = mujoco_body(BODY.lengths)
    data = mujoco.MjData(model)
    assert [model.joint(i).name for i in range(model.njnt)][:6] == list(DEGREES_OF_FREEDOM[:6])
    order = [model.joint(name).qposadr[0] for name in DEGREES_OF_FREEDOM]
    pose = poses(100, seed=3)
    posture, centre = BODY.posture(pose), BODY.gravity_centre(pose).numpy()
    for i, row in enumerate(pose.numpy()):
        data.qpos[order] = row
        mujoco.mj_forward(model, data)
        landmarks = np.array([data.site(name).xpos for name in LANDMARKS])
        joints = np.array([data.body(joint.name).xpos for joint in JOINTS])
        assert landmarks == pytest.approx(posture.landmarks[i].numpy(), abs=1e-6)
        assert joints == pytest.approx(posture.centres[i].numpy(), abs=1e-6)
        assert data.subtree_com[1] == pytest.approx(centre[i], abs=1e-6)
