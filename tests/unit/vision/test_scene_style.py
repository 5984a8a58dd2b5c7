"""Clumsy climbers: the same route, worse in ways that are known, and still a body on its holds."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from ascension_vision.scene import BodyOptions, Scene, SceneOptions, StyleOptions, effort, plan_scene
from ascension_vision.scene.body import BONES, INDEX, LIMBS, center_of_gravity
from ascension_vision.scene.render import Renderer
from ascension_vision.scene.truth import describe

ROUTES = [
    SceneOptions(seed=seed, duration_s=7.0, fps=15, width=144, height=256, wall_angle_deg=angle, body=body)
    for seed, angle, body in (
        (1, 0.0, BodyOptions(height_m=1.90, build=1.2, sex="male")),
        (8, 40.0, BodyOptions(height_m=1.65)),
    )
]
SHORT = SceneOptions(seed=3, duration_s=4.0, fps=10, width=144, height=256)


def _clumsy(options: SceneOptions, clumsiness: float) -> SceneOptions:
    return replace(options, style=StyleOptions.graded(clumsiness))


@pytest.fixture(scope="module", params=ROUTES, ids=lambda options: f"seed {options.seed}")
def levels(request: pytest.FixtureRequest) -> list[Scene]:
    """The same route climbed ten times, worse each time."""
    return [plan_scene(_clumsy(request.param, level / 9)) for level in range(10)]


def _limb_end(scene: Scene, limb: str) -> npt.NDArray[np.float64]:
    """(frames, 3) where the limb meets a hold: between the knuckles, or the toe."""
    side, part = limb.split("_")
    names = [f"{side}_index", f"{side}_pinky"] if part == "hand" else [f"{side}_foot_index"]
    return np.asarray(scene.motion.landmarks[:, [INDEX[name] for name in names]].mean(axis=1))


def _angles(scene: Scene, first: str, joint: str, second: str) -> npt.NDArray[np.float64]:
    """(2, frames) degrees between the two bones of each side's joint, 180 when straight."""
    angles = []
    for side in ("left", "right"):
        a, b, c = (scene.motion.landmarks[:, INDEX[f"{side}_{name}"]] for name in (first, joint, second))
        cosine = np.sum((a - b) * (c - b), axis=1) / np.linalg.norm(a - b, axis=1) / np.linalg.norm(c - b, axis=1)
        angles.append(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
    return np.array(angles)


def test_clumsier_is_longer_jerkier_slower_and_grips_again_more_often(levels: list[Scene]) -> None:
    efforts = [effort(scene) for scene in levels]
    for better, worse in pairwise(efforts):
        assert worse.path_m > better.path_m
        assert worse.jerk > better.jerk
        assert worse.duration_s > better.duration_s
        assert worse.regrips > better.regrips
        assert worse.fidgets >= better.fidgets
    assert efforts[0].regrips == efforts[0].fidgets == 0
    assert efforts[-1].path_m > 2 * efforts[0].path_m


def test_every_level_climbs_the_same_route_in_the_same_order(levels: list[Scene]) -> None:
    def moves(scene: Scene) -> list[tuple[str, int]]:
        return [(contact.limb, contact.hold_id) for contact in scene.climb.contacts if contact.purpose == "move"]

    assert all(moves(scene) == moves(levels[0]) for scene in levels[1:])
    assert all(scene.climb.holds[-1].id == levels[0].climb.holds[-1].id for scene in levels)


def test_a_fault_comes_back_to_the_hold_it_left(levels: list[Scene]) -> None:
    for limb in LIMBS:
        for before, after in pairwise(levels[-1].climb.of_limb(limb)):
            assert (before.hold_id == after.hold_id) == (after.purpose != "move")
            assert before.end < after.start
    faults = [contact for contact in levels[-1].climb.contacts if contact.purpose != "move"]
    assert {contact.limb.split("_")[1] for contact in faults if contact.purpose == "regrip"} == {"hand"}
    assert {contact.limb.split("_")[1] for contact in faults if contact.purpose == "fidget"} == {"foot"}


def test_the_clumsiest_body_is_still_a_body_on_its_holds(levels: list[Scene]) -> None:
    scene = levels[-1]
    times, marks = scene.motion.times, scene.motion.landmarks
    for a, b in BONES:
        lengths = np.linalg.norm(marks[:, a] - marks[:, b], axis=-1)
        assert np.ptp(lengths) < 1e-6, f"bone {a}-{b}"
    for contact in scene.climb.contacts:
        on = (times >= contact.start) & (times <= contact.end)
        end = _limb_end(scene, contact.limb)[on]
        assert np.ptp(end, axis=0).max() < 1e-4, contact
        assert np.linalg.norm(end - scene.climb.hold(contact.hold_id).grip, axis=1).max() < 0.02
    assert _angles(scene, "shoulder", "elbow", "wrist").min() > 35
    assert _angles(scene, "hip", "knee", "ankle").min() > 35
    assert marks[..., 2].min() > -0.02
    acceleration = np.diff(marks, n=2, axis=0) * scene.options.fps**2
    assert np.linalg.norm(acceleration, axis=-1).max() < 50


def test_one_limb_at_a_time_leaves_the_wall(levels: list[Scene]) -> None:
    scene = levels[-1]
    off = np.zeros(len(scene.motion.times), dtype=int)
    for limb in LIMBS:
        contacts = scene.climb.of_limb(limb)
        assert contacts[0].start == 0.0
        assert contacts[-1].end == scene.options.length_s
        off += ~np.any([(scene.motion.times >= c.start) & (scene.motion.times <= c.end) for c in contacts], axis=0)
    assert off.max() == 1


def test_in_a_dyno_both_hands_fly_to_higher_holds_while_the_feet_stay() -> None:
    scene = plan_scene(replace(ROUTES[0], dyno=True))
    left, right = (scene.climb.of_limb(f"{side}_hand") for side in ("left", "right"))
    assert (left[-2].end, left[-1].start) == (right[-2].end, right[-1].start)
    assert 0.3 < left[-1].start - left[-2].end < 0.6
    for before, after in (left[-2:], right[-2:]):
        assert scene.climb.hold(after.hold_id).center[1] > scene.climb.hold(before.hold_id).center[1] + 0.2
    flight = (scene.motion.times > left[-2].end) & (scene.motion.times < left[-1].start)
    for side in ("left", "right"):
        toe = _limb_end(scene, f"{side}_foot")[flight]
        assert np.ptp(toe, axis=0).max() < 1e-4
        on = scene.motion.times >= left[-1].start
        grip = scene.climb.hold(scene.climb.of_limb(f"{side}_hand")[-1].hold_id).grip
        assert np.linalg.norm(_limb_end(scene, f"{side}_hand")[on] - grip, axis=1).max() < 0.02


@pytest.mark.parametrize("flight_s", [0.25, 0.35])
def test_in_a_dyno_with_a_flight_nothing_touches_the_wall_and_the_body_falls(flight_s: float) -> None:
    scene = plan_scene(replace(ROUTES[0], dyno=True, flight_s=flight_s))
    assert scene.climb.flight is not None
    start, end = scene.climb.flight
    times, fps = scene.motion.times, scene.options.fps
    assert end - start == pytest.approx(flight_s, abs=1e-3)
    assert not any(contact.start < end and contact.end > start for contact in scene.climb.contacts)
    gravity = center_of_gravity(scene.motion.landmarks, scene.options.body.sex)
    fall = np.diff(gravity, 2, axis=0) * fps**2
    flying = (times[1:-1] > start + 1.1 / fps) & (times[1:-1] < end - 1.1 / fps)
    lean = np.radians(scene.options.wall_angle_deg)
    expected = -9.81 * np.array([0.0, np.cos(lean), -np.sin(lean)])
    assert fall[flying] == pytest.approx(np.tile(expected, (flying.sum(), 1)), abs=0.1)
    for contact in scene.climb.contacts:
        on = (times >= contact.start) & (times <= contact.end)
        grip = scene.climb.hold(contact.hold_id).grip
        assert np.linalg.norm(_limb_end(scene, contact.limb)[on] - grip, axis=1).max() < 0.02, contact
    for a, b in BONES:
        assert np.ptp(np.linalg.norm(scene.motion.landmarks[:, a] - scene.motion.landmarks[:, b], axis=-1)) < 1e-6


def test_without_a_dyno_there_is_no_flight() -> None:
    with pytest.raises(ValueError, match="flight"):
        SceneOptions(flight_s=0.3)
    assert plan_scene(ROUTES[0]).climb.flight is None


def test_each_fault_can_be_had_alone() -> None:
    def cost(**style: float) -> tuple[float, float, float]:
        done = effort(plan_scene(replace(ROUTES[0], style=StyleOptions(**style))))  # type: ignore[arg-type]
        return done.path_m, done.jerk, done.duration_s

    path, jerk, duration = cost()
    assert cost(wander=1.0)[0] > 1.3 * path
    assert cost(sway=1.0)[1] > 2 * jerk
    assert cost(wander=1.0, sway=1.0)[2] == duration
    assert cost(hesitation=1.0)[2] > 1.2 * duration
    assert cost(regrips=4)[2] == pytest.approx(duration + 4 * StyleOptions.REGRIP_S)
    assert cost(fidgets=4)[2] == pytest.approx(duration + 4 * StyleOptions.FIDGET_S)


def test_the_film_of_a_clumsy_climber_is_as_long_as_the_climb() -> None:
    scene = plan_scene(_clumsy(SHORT, 0.3))
    assert scene.options.length_s > SHORT.duration_s
    assert len(scene.motion.times) == len(scene.cameras) == scene.options.frame_count
    assert Renderer(scene).frame(scene.options.frame_count - 1).visible.any()


def test_the_truth_tells_faults_from_moves_and_what_an_expert_would_have_needed() -> None:
    options = _clumsy(SHORT, 0.5)
    scene = plan_scene(options)
    truth = describe(scene, [np.ones(33, dtype=bool)] * options.frame_count)
    purposes = [contact["purpose"] for contact in truth["contacts"]]
    assert purposes.count("regrip") == truth["effort"]["regrips"] == options.style.regrips
    assert purposes.count("fidget") == truth["effort"]["fidgets"] == options.style.fidgets
    assert truth["expert"] == describe(plan_scene(SHORT), [np.ones(33, dtype=bool)] * SHORT.frame_count)["effort"]
    assert truth["effort"]["path_m"] > truth["expert"]["path_m"]


@pytest.mark.parametrize("wrong", [{"wander": 1.2}, {"sway": -0.1}, {"regrips": -1}, {"fidgets": 1000}], ids=str)
def test_an_impossible_style_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must lie"):
        StyleOptions(**wrong)  # type: ignore[arg-type]
