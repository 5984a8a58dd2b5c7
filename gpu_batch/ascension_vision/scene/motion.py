"""How the body moves between the contacts: limbs carried from hold to hold, a trunk that follows, and exact limbs.

The trunk (pelvis position, roll, pitch, yaw, twist of the shoulders) is found per frame by damped least squares on
residuals a coach would recognise - arms long, hips near the wall, weight over the feet - then smoothed over time;
arms and legs follow by two-bone inverse kinematics, so that hands and feet are exactly on their holds and bones never
stretch.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ascension_vision.scene.body import INDEX, LIMBS, Array, Proportions, center_of_gravity, proportions
from ascension_vision.scene.climb import Climb
from ascension_vision.scene.options import SceneOptions

# In a dyno with a flight: how much higher the centre of gravity is when the feet leave than a climber's who reaches,
# and when the hands land than when the body hangs still, metres; how long it gathers speed and loses it, seconds.
_OFF_HIGHER, _CAUGHT_HIGHER, _RUN_UP_S, _CATCH_S = 0.12, 0.15, 0.5, 0.6
SIDES = (("left", -1.0), ("right", 1.0))
# trunk (frames, 7), where it should stay near and how firmly, to residuals (frames, n)
Residuals = Callable[[Array, Array, float], Array]


@dataclass(frozen=True)
class Motion:
    """The body over time in the wall frame; arrays begin with ``frames``."""

    times: Array  # (frames,) seconds
    landmarks: Array  # (frames, 33, 3) metres
    pelvis: Array  # (frames, 3, 3) columns right, up, back
    chest: Array  # (frames, 3, 3)
    head: Array  # (frames, 3, 3)
    head_center: Array  # (frames, 3)
    hands: Array  # (frames, 2, 3, 3) columns across (towards the thumb), along the fingers, off the palm's back
    feet: Array  # (frames, 2, 3, 3) columns outward, up, forward


def move_body(climb: Climb, options: SceneOptions, rng: np.random.Generator) -> Motion:
    """The whole clip's body motion."""
    body = proportions(options.body)
    times = np.arange(options.frame_count) / options.fps
    ends, loads = _carry_limbs(climb, times)
    middle = smooth(np.mean([ends[limb] for limb in LIMBS], axis=0), 0.35 * options.fps)
    hands, wrists = _hands(ends, middle, body)
    feet, ankles, toes = _feet(ends, body)
    trunk = _solve_trunk(wrists, ankles, loads, ends, body, options, rng)

    def placed(trunk: Array) -> tuple[Array, Array, Array, Array, Array]:
        """All landmarks, pelvis, chest and head frames, and the head's centre."""
        landmarks = np.zeros((len(times), 33, 3))
        pelvis, chest, hips, shoulders = _trunk_joints(trunk, body)
        for side, (name, sign) in enumerate(SIDES):
            landmarks[:, INDEX[f"{name}_hip"]] = hips[side]
            landmarks[:, INDEX[f"{name}_shoulder"]] = shoulders[side]
            # Elbows hang outwards and off the wall, knees turn out.
            elbow_pole = 0.60 * sign * chest[..., 0] - 0.65 * chest[..., 1] + 0.35 * chest[..., 2]
            elbow, wrist = _two_bones(
                shoulders[side], wrists[side], body.upper_arm, body.forearm, elbow_pole, options.fps
            )
            knee_pole = 1.0 * sign * pelvis[..., 0] + 0.35 * pelvis[..., 1] + 0.02 * pelvis[..., 2]
            knee, ankle = _two_bones(hips[side], ankles[side], body.thigh, body.shank, knee_pole, options.fps)
            for joint, place in (("elbow", elbow), ("wrist", wrist), ("knee", knee), ("ankle", ankle)):
                landmarks[:, INDEX[f"{name}_{joint}"]] = place
            across, along, back = hands[:, side, :, 0], hands[:, side, :, 1], hands[:, side, :, 2]
            half_palm = 0.36 * body.hand
            landmarks[:, INDEX[f"{name}_index"]] = wrist + along * body.hand + across * half_palm
            landmarks[:, INDEX[f"{name}_pinky"]] = wrist + along * body.hand - across * half_palm
            landmarks[:, INDEX[f"{name}_thumb"]] = wrist + 0.55 * body.hand * (along + across) - 0.01 * back
            landmarks[:, INDEX[f"{name}_foot_index"]] = ankle + (toes[side] - ankles[side])
            foot_up, forward = feet[:, side, :, 1], feet[:, side, :, 2]
            landmarks[:, INDEX[f"{name}_heel"]] = ankle - forward * 0.20 * body.foot - foot_up * 0.20 * body.foot
        head, head_center = _head(chest, shoulders, ends, loads, body, options.fps)
        _face(landmarks, head, head_center, body)
        return landmarks, pelvis, chest, head, head_center

    if climb.flight is not None:
        trunk = _fly(
            trunk, lambda moved: center_of_gravity(placed(moved)[0], options.body.sex), climb.flight, times, options
        )
    landmarks, pelvis, chest, head, head_center = placed(trunk)
    return Motion(times, landmarks, pelvis, chest, head, head_center, hands, feet)


# --- limbs between holds --------------------------------------------------------------------------------------------


def _carry_limbs(climb: Climb, times: Array) -> tuple[dict[str, Array], dict[str, Array]]:
    """Where each limb's end is (frames, 3), and how much of its load it carries, 0 to 1 (frames,)."""
    ends, loads = {}, {}
    for limb in LIMBS:
        contacts = climb.of_limb(limb)
        place = np.repeat(climb.hold(contacts[0].hold_id).grip[None], len(times), axis=0)
        load = np.ones(len(times))
        for before, after in pairwise(contacts):
            origin, target = climb.hold(before.hold_id).grip, climb.hold(after.hold_id).grip
            share = np.clip((times - before.end) / (after.start - before.end), 0, 1)[:, None]
            eased = share**3 * (10 - 15 * share + 6 * share**2)  # least jerk, at rest at both ends
            arc = 0.09 if limb.endswith("hand") else 0.07
            lift = arc * np.sin(np.pi * eased) ** 2
            path = origin + (target - origin) * eased + lift * np.array([0.0, 0.25, 1.0])
            if after.purpose != "move":
                path = origin + 64 * (share * (1 - share)) ** 3 * np.array(after.excursion)
            place = np.where((times >= before.end)[:, None], path, place)
            leaving, landed = (times - before.end + 0.15) / 0.3, (after.start + 0.15 - times) / 0.3
            unload = np.clip(leaving, 0, 1) * np.clip(landed, 0, 1)
            load = np.minimum(load, 1 - unload)
        ends[limb], loads[limb] = place, load
    return ends, loads


def _hands(ends: dict[str, Array], middle: Array, body: Proportions) -> tuple[Array, list[Array]]:
    """Hand frames (frames, 2, 3, 3) and wrists: the fingers point from the body's middle and into the wall."""
    frames, wrists = [], []
    for name, sign in SIDES:
        grip = ends[f"{name}_hand"] + np.array([0.0, -0.004, 0.014])
        along = _unit(0.85 * _unit(grip - middle) + np.array([0.0, 0.25, -0.55]))
        # the back of the hand looks away from the wall, the thumb to the body's middle
        back = _unit(np.array([0.0, 0.0, 1.0]) - along * along[:, 2:])
        across = -sign * np.cross(along, back)
        frames.append(np.stack([across, along, back], axis=-1))
        wrists.append(grip - along * body.hand)
    return np.stack(frames, axis=1), wrists


def _feet(ends: dict[str, Array], body: Proportions) -> tuple[Array, list[Array], list[Array]]:
    """Foot frames (frames, 2, 3, 3), ankles and toes: toes to the wall and turned out, the heel a little low."""
    frames, ankles, toes = [], [], []
    for name, sign in SIDES:
        toe = ends[f"{name}_foot"] + np.array([0.0, 0.012, 0.008])
        forward = np.broadcast_to(_unit(np.array([0.52 * sign, 0.10, -0.80])), toe.shape)
        up = _unit(np.array([0.0, 1.0, 0.0]) - forward * forward[:, 1:2])
        outward = sign * np.cross(forward, up)
        frames.append(np.stack([outward, up, forward], axis=-1))
        toes.append(toe)
        ankles.append(toe - forward * 0.62 * body.foot + up * 0.20 * body.foot)
    return np.stack(frames, axis=1), ankles, toes


# --- trunk ----------------------------------------------------------------------------------------------------------


def _trunk_joints(trunk: Array, body: Proportions) -> tuple[Array, Array, list[Array], list[Array]]:
    """From ``(..., 7)`` (pelvis x y z, roll, pitch, yaw, twist): pelvis and chest frames, hips and shoulders."""
    pelvis = _rotation(trunk[..., 3], trunk[..., 4], trunk[..., 5])
    zero = np.zeros_like(trunk[..., 6])
    chest = pelvis @ _rotation(zero, zero, trunk[..., 6])
    neck = trunk[..., :3] + body.trunk * pelvis[..., 1]
    hips = [trunk[..., :3] + sign * body.hip_half * pelvis[..., 0] for _, sign in SIDES]
    shoulders = [neck + sign * body.shoulder_half * chest[..., 0] for _, sign in SIDES]
    return pelvis, chest, hips, shoulders


def _solve_trunk(
    wrists: list[Array], ankles: list[Array], loads: dict[str, Array], ends: dict[str, Array], body: Proportions,
    options: SceneOptions, rng: np.random.Generator,
) -> Array:  # fmt: skip
    """(frames, 7) trunk parameters, smooth in time and within reach of every contact."""
    frames = len(wrists[0])
    fps = options.fps
    arm, leg = body.upper_arm + body.forearm, body.thigh + body.shank
    load = {limb: smooth(loads[limb], 0.22 * fps) for limb in LIMBS}
    shares = {"left_hand": 0.12, "right_hand": 0.12, "left_foot": 0.38, "right_foot": 0.38}
    weights = np.stack([shares[limb] * load[limb] for limb in LIMBS])
    support = np.sum(weights * np.stack([ends[limb][:, 0] for limb in LIMBS]), axis=0) / weights.sum(axis=0)
    support = smooth(support, 0.25 * fps)
    reach_side = smooth(loads["left_hand"] - loads["right_hand"], 0.2 * fps)  # + while the right hand moves
    times = np.arange(frames) / fps
    breath = 0.012 * np.sin(2 * np.pi * (0.24 * times[:, None] + rng.random(2))) @ np.array([1.0, 0.5])

    hand_x = (wrists[0][:, 0] + wrists[1][:, 0]) / 2
    hand_y = (wrists[0][:, 1] + wrists[1][:, 1]) / 2
    foot_y = (ankles[0][:, 1] + ankles[1][:, 1]) / 2
    out = 0.27 + 0.03 * body.girth

    def reached(hips: list[Array], shoulders: list[Array]) -> list[tuple[Array, Array]]:
        """For both sides how far arm and leg are stretched, 1 when straight."""
        return [
            (
                np.linalg.norm(wrists[side] - shoulders[side], axis=-1) / arm,
                np.linalg.norm(ankles[side] - hips[side], axis=-1) / leg,
            )
            for side in range(2)
        ]

    def within_reach(trunk: Array, prior: Array, prior_weight: float) -> Array:
        _, _, hips, shoulders = _trunk_joints(trunk, body)
        parts = []
        for stretch, fold in reached(hips, shoulders):
            parts += [_hinge(stretch - 0.955), _hinge(0.42 - stretch), _hinge(fold - 0.965), _hinge(0.50 - fold)]
        return np.stack([*(14 * part for part in parts), *np.moveaxis(prior_weight * (trunk - prior), -1, 0)], axis=-1)

    def residuals(trunk: Array, prior: Array, prior_weight: float) -> Array:
        _, _, hips, shoulders = _trunk_joints(trunk, body)
        neck = (shoulders[0] + shoulders[1]) / 2
        parts = []
        for (name, _), (stretch, fold) in zip(SIDES, reached(hips, shoulders), strict=True):
            parts += [
                14 * _hinge(stretch - 0.955), 14 * _hinge(0.42 - stretch),
                14 * _hinge(fold - 0.965), 14 * _hinge(0.50 - fold),
                0.55 * load[f"{name}_hand"] * (stretch - 0.80), 0.40 * load[f"{name}_foot"] * (fold - 0.80),
            ]  # fmt: skip
        middle = 0.45 * neck + 0.55 * trunk[..., :3]
        parts += [
            3.0 * (middle[..., 0] - support - breath),
            1.2 * (neck[..., 0] - 0.6 * hand_x - 0.4 * support),
            4.0 * (trunk[..., 2] - out),
            4.0 * (neck[..., 2] - out - 0.02),
            0.9 * trunk[..., 3],
            0.8 * (trunk[..., 5] - 0.22 * reach_side),
            1.2 * (trunk[..., 6] - 0.16 * reach_side),
        ]
        return np.stack([*parts, *np.moveaxis(prior_weight * (trunk - prior), -1, 0)], axis=-1)

    trunk = np.zeros((frames, 7))
    trunk[:, 0], trunk[:, 2] = support, out
    trunk[:, 1] = 0.5 * (hand_y + foot_y) - 0.12
    trunk = _least_squares(residuals, trunk, trunk, 0.02, 14)
    trunk = smooth(trunk, 0.20 * fps)
    for _ in range(4):
        # smoothing may have pulled the body out of reach; return it gently, staying near the smooth path
        trunk = smooth(_least_squares(residuals, trunk, trunk, 4.0, 5), 0.07 * fps)
    return _stray(trunk, times, within_reach, body, options)


def _stray(trunk: Array, times: Array, within_reach: Residuals, body: Proportions, options: SceneOptions) -> Array:
    """The expert's trunk (frames, 7) led astray by the style: slow detours, and hips that swing under the shoulders."""
    style = options.style
    if not style.wander and not style.sway:
        return trunk
    rng = np.random.default_rng([options.seed, 4])
    pace = rng.uniform((0.18, 0.40, 0.65), (0.30, 0.55, 0.90), (3, 3))  # Hz, three for each axis
    slow = np.sin(2 * np.pi * (pace[..., None] * times + rng.random((3, 3, 1))))  # axis, sine, frame
    detour = 0.14 * style.wander * np.array([0.62, 0.33, 0.18]) @ slow
    straight, trunk = trunk, trunk.copy()
    trunk[:, 0] += detour[0]
    trunk[:, 1] += 0.5 * detour[1]
    trunk[:, 2] += 0.5 * (detour[2] + 0.14 * style.wander)  # never into the wall
    beat, phase, slower = rng.uniform(1.20, 1.40), rng.random(), rng.uniform(0.07, 0.12)
    swing = 0.07 * style.sway * np.sin(2 * np.pi * (beat * times + phase))
    swing *= 0.75 + 0.25 * np.sin(2 * np.pi * slower * times)
    trunk[:, 0] += swing
    trunk[:, 3] += swing / body.trunk
    trunk[:, 5] += 1.5 * swing
    for _ in range(3):
        able = _least_squares(within_reach, trunk, trunk, 4.0, 5)
        trunk = straight + smooth(able - straight, 0.07 * options.fps)
    return trunk


def _fly(
    trunk: Array, gravity: Callable[[Array], Array], flight: tuple[float, float], times: Array, options: SceneOptions
) -> Array:
    """The trunk (frames, 7), moved so that the centre of gravity falls during ``flight``, seconds, as physics has it.

    Before and after it the centre comes from where it would be without a flight, and goes back there, with least jerk
    (Flash and Hogan 1985): from and to rest in speed and acceleration as they are at both ends.
    """
    lean = np.radians(options.wall_angle_deg)
    fall = -9.81 * np.array([0.0, np.cos(lean), -np.sin(lean)])
    usual, (start, end) = gravity(trunk), flight
    lasts = end - start

    def at(moment: float) -> Array:
        return np.array([np.interp(moment, times, axis) for axis in usual.T])

    # off with the legs long, caught with the arms long
    off, caught = (
        at(start) + np.array([0.0, _OFF_HIGHER, 0.0]),
        at(end + _CATCH_S) + np.array([0.0, _CAUGHT_HIGHER, 0.0]),
    )
    speed = (caught - off) / lasts - fall * lasts / 2
    wanted = usual.copy()
    flying = (times >= start) & (times <= end)
    since = (times[flying] - start)[:, None]
    wanted[flying] = off + speed * since + fall * since**2 / 2
    step = 1 / options.fps

    def usually(moment: float) -> tuple[Array, Array, Array]:
        before, here, after = (at(moment + offset * step) for offset in (-1, 0, 1))
        return here, (after - before) / (2 * step), (after - 2 * here + before) / step**2

    run_up, caught_at = start - _RUN_UP_S, end + _CATCH_S
    for first, last, ends in (
        (run_up, start, (usually(run_up), (off, speed, fall))),
        (end, caught_at, ((caught, speed + fall * lasts, fall), usually(caught_at))),
    ):
        during = (times > first) & (times < last) & ~flying
        wanted[during] = _least_jerk((times[during] - first) / (last - first), last - first, *ends)
    for _ in range(8):
        trunk = trunk.copy()
        trunk[:, :3] += wanted - gravity(trunk)
    return trunk


def _least_jerk(
    share: Array, lasts: float, first: tuple[Array, Array, Array], last: tuple[Array, Array, Array]
) -> Array:
    """``(n, 3)`` the quintic between two states (place, velocity, acceleration), at shares ``(n,)`` of its time."""
    powers = np.arange(6)
    rows, values = [], []
    for moment, state in ((0.0, first), (1.0, last)):
        for order, value in enumerate(state):
            factor = np.array([np.prod(np.arange(power - order + 1, power + 1)) for power in powers], dtype=float)
            rows.append(np.where(powers >= order, factor * moment ** np.maximum(powers - order, 0), 0.0))
            values.append(value * lasts**order)
    coefficients = np.linalg.solve(np.array(rows), np.array(values))
    return np.asarray(share[:, None] ** powers @ coefficients)


def _least_squares(residuals: Residuals, start: Array, prior: Array, prior_weight: float, steps: int) -> Array:
    """Levenberg-Marquardt with a numeric Jacobian, every frame on its own, all frames at once."""
    trunk = start.copy()
    count = trunk.shape[1]
    damping = 1e-3 * np.eye(count)
    for _ in range(steps):
        value = residuals(trunk, prior, prior_weight)
        jacobian = np.empty((*value.shape, count))
        for axis in range(count):
            nudged = trunk.copy()
            nudged[:, axis] += 1e-5
            jacobian[..., axis] = (residuals(nudged, prior, prior_weight) - value) / 1e-5
        normal = np.swapaxes(jacobian, 1, 2) @ jacobian + damping
        gradient = (np.swapaxes(jacobian, 1, 2) @ value[..., None])[..., 0]
        step = np.linalg.solve(normal, gradient[..., None])[..., 0]
        trunk = trunk - np.clip(step, -0.25, 0.25)
    return trunk


# --- head -----------------------------------------------------------------------------------------------------------


def _head(
    chest: Array, shoulders: list[Array], ends: dict[str, Array], loads: dict[str, Array], body: Proportions, fps: int
) -> tuple[Array, Array]:
    """Head frames and centres: the eyes follow the limb that moves, within what a neck can do."""
    neck = (shoulders[0] + shoulders[1]) / 2
    weights = np.stack([(1 - loads[limb]) * (1.0 if limb.endswith("hand") else 0.6) for limb in LIMBS])[..., None]
    rest = 0.5 * (ends["left_hand"] + ends["right_hand"])
    watched = np.sum(weights * np.stack([ends[limb] for limb in LIMBS]), axis=0)
    looked = (0.35 * rest + watched) / (0.35 + weights.sum(axis=0))
    toward = _unit(smooth(looked, 0.18 * fps) - neck - 0.2 * chest[..., 1])
    # In the chest's frame: yaw to the right of straight ahead (towards the wall), pitch up.
    right, up, ahead = (np.einsum("fi,fi->f", toward, axis) for axis in (chest[..., 0], chest[..., 1], -chest[..., 2]))
    yaw = 0.85 * np.tanh(0.8 * np.arctan2(right, np.maximum(ahead, 0.35)) / 0.85)
    pitch = 0.50 * np.tanh(0.6 * np.arctan2(up, np.hypot(right, ahead)) / 0.50)
    zero = np.zeros_like(yaw)
    head = chest @ _rotation(zero, zero, -yaw) @ _rotation(zero, pitch, zero)
    base = neck + 0.075 * body.height / 1.74 * chest[..., 1] - 0.01 * chest[..., 2]
    return head, base + 0.62 * body.head * head[..., 1] - 0.012 * head[..., 2]


def _face(landmarks: Array, head: Array, center: Array, body: Proportions) -> None:
    """Eyes, ears, nose and mouth, rigid in the head: (right, up, forward) in units of the head's length."""
    places = {
        "nose": (0.0, -0.06, 0.52), "mouth_left": (-0.12, -0.28, 0.40), "mouth_right": (0.12, -0.28, 0.40),
        "left_eye_inner": (-0.09, 0.10, 0.42), "left_eye": (-0.16, 0.10, 0.41), "left_eye_outer": (-0.22, 0.10, 0.37),
        "right_eye_inner": (0.09, 0.10, 0.42), "right_eye": (0.16, 0.10, 0.41), "right_eye_outer": (0.22, 0.10, 0.37),
        "left_ear": (-0.36, 0.02, 0.0), "right_ear": (0.36, 0.02, 0.0),
    }  # fmt: skip
    for name, (right, up, forward) in places.items():
        offset = body.head * np.array([right, up, -forward])
        landmarks[:, INDEX[name]] = center + head @ offset


# --- geometry -------------------------------------------------------------------------------------------------------


def _two_bones(root: Array, target: Array, first: float, second: float, pole: Array, fps: int) -> tuple[Array, Array]:
    """Middle joint and end of a two-bone limb: bends towards ``pole``; the end is the target if it is within reach."""
    toward = target - root
    distance = np.linalg.norm(toward, axis=-1, keepdims=True)
    direction = toward / distance
    reach = np.clip(distance, abs(first - second) + 1e-3, (first + second) * 0.9995)
    along = (first**2 - second**2 + reach**2) / (2 * reach)
    aside = np.sqrt(np.maximum(first**2 - along**2, 0))
    bend = _bend_directions(direction, pole, fps)
    # Keep the joint off the wall: turn the bend about the limb's axis until the joint clears it.
    off = _unit(np.array([0.0, 0.0, 1.0]) - direction * direction[:, 2:])
    beside = np.cross(direction, off)
    lowest = (0.07 - root[:, 2:] - along * direction[:, 2:]) / np.maximum(aside * off[:, 2:], 1e-6)
    outward = np.sum(bend * off, axis=-1, keepdims=True)
    outward = np.maximum(outward, np.clip(lowest, -1, 1))
    sideways = np.sign(np.sum(bend * beside, axis=-1, keepdims=True)) * np.sqrt(np.maximum(1 - outward**2, 0))
    bend = smooth(outward * off + sideways * beside, 0.09 * fps)
    bend = _unit(bend - direction * np.sum(bend * direction, axis=-1, keepdims=True))
    return root + along * direction + aside * bend, root + reach * direction


def _bend_directions(direction: Array, pole: Array, fps: int) -> Array:
    """(frames, 3) unit vectors across the limb, near the pole but never spinning.

    Where the limb points nearly along the pole the pole says nothing about the bend; then the previous frame's bend,
    carried along with the limb, decides. The pull towards the pole is as strong as the pole is across the limb.
    """
    pull = 1 - np.exp(-1 / (0.10 * fps))
    across = _unit(pole)
    across = across - direction * np.sum(across * direction, axis=-1, keepdims=True)
    bends = np.empty_like(direction)
    bend = _unit(across[0])
    for frame in range(len(direction)):
        bend = _unit(bend - direction[frame] * (bend @ direction[frame]))
        strength = pull * min(1.0, float(across[frame] @ across[frame]) * 1.6)
        bend = _unit((1 - strength) * bend + strength * _unit(across[frame]))
        bends[frame] = bend
    bends = smooth(bends, 0.05 * fps)
    return _unit(bends - direction * np.sum(bends * direction, axis=-1, keepdims=True))


def _rotation(roll: Array, pitch: Array, yaw: Array) -> Array:
    """(..., 3, 3) about z, then x, then y; columns are the turned axes."""
    cr, sr, cp, sp, cy, sy = np.cos(roll), np.sin(roll), np.cos(pitch), np.sin(pitch), np.cos(yaw), np.sin(yaw)
    rows = [
        [cr * cy - sr * sp * sy, -sr * cp, cr * sy + sr * sp * cy],
        [sr * cy + cr * sp * sy, cr * cp, sr * sy - cr * sp * cy],
        [-cp * sy, sp, cp * cy],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def _unit(vectors: Array) -> Array:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9))


def _hinge(values: Array) -> Array:
    return np.maximum(values, 0.0)


def smooth(values: Array, sigma: float) -> Array:
    """Gaussian over time (first axis), the ends held."""
    if sigma <= 0 or len(values) == 1:
        return values
    half = int(np.ceil(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-half, half + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    padded = np.concatenate([np.repeat(values[:1], half, 0), values, np.repeat(values[-1:], half, 0)])
    flat = padded.reshape(len(padded), -1)
    smoothed = np.stack([np.convolve(column, kernel, "valid") for column in flat.T], axis=-1)
    return smoothed.reshape(values.shape)
