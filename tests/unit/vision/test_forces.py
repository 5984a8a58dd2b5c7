"""Contact forces where statics, or the laws of an optimum, say what they must be."""

import numpy as np
import numpy.typing as npt
import pytest
import torch
from ascension_vision.body.forces import GRAVITY, Forces, accelerations, contact_forces, effort
from ascension_vision.body.grips import Grips, Touch, grips
from ascension_vision.contacts.contact import LIMBS, Contact, Limb

Array = npt.NDArray[np.float64]

HANDS = ("left_hand", "right_hand")
FEET = ("left_foot", "right_foot")
PLACES = np.array([[-0.3, 2.0, 0.05], [0.3, 2.0, 0.05], [-0.2, 0.6, 0.05], [0.2, 0.6, 0.05]])
CENTRE = np.array([0.0, 1.35, 0.3])


def up(angle: float) -> Array:
    lean = np.radians(angle)
    return np.array([0.0, np.cos(lean), -np.sin(lean)])


def holding(*limbs: str, hold: int | None = 0, start: float = 0.0, end: float = 9.0) -> list[Touch]:
    return [Contact(limb, hold, start, end, 1.0, (0.0, 0.0)) for limb in LIMBS if limb in limbs]


def held(
    *limbs: str,
    angle: float = 0.0,
    places: Array = PLACES,
    centre: Array = CENTRE,
    acceleration: Array | None = None,
    kind: str = "unknown",
) -> Forces:
    """The forces of one frame."""
    moving = np.zeros((1, 3)) if acceleration is None else acceleration[None]
    return solved(places[None], centre[None], moving, up(angle), grips(holding(*limbs), {0: kind}, np.zeros(1)))


def solved(places: Array, centre: Array, acceleration: Array, upwards: Array, grip: Grips) -> Forces:
    tensors = torch.as_tensor(places), torch.as_tensor(centre), torch.as_tensor(acceleration)
    return contact_forces(*tensors, upwards, grip)


def test_hanging_straight_from_two_hands_each_carries_half() -> None:
    forces = held(*HANDS, centre=np.array([0.0, 1.1, 0.05]))
    assert forces.load[0].numpy() == pytest.approx([0.5, 0.5, 0, 0], abs=2e-3)
    assert forces.force[0, 0].numpy() == pytest.approx([0, 0.5, 0], abs=2e-3)
    assert forces.feasible.all()
    assert forces.residual[0] < 1e-3


def test_hanging_from_one_hand_it_carries_all() -> None:
    forces = held("right_hand", centre=np.array([0.3, 1.1, 0.05]))
    assert forces.load[0].numpy() == pytest.approx([0, 1, 0, 0], abs=2e-3)


def test_who_stands_upright_on_a_slab_needs_no_hands() -> None:
    middle = PLACES[2:].mean(axis=0)
    forces = held(*FEET, angle=-20, centre=middle + 0.9 * up(-20))
    assert forces.load[0].numpy() == pytest.approx([0, 0, 0.5, 0.5], abs=2e-3)
    assert forces.feasible[0]


def test_a_wall_that_leans_more_loads_the_hands_more() -> None:
    loads = [float(held(*LIMBS, angle=angle).load[0, :2].sum()) for angle in (-10, 0, 15, 30, 45)]
    assert loads == sorted(loads)
    assert loads[-1] > loads[1] + 0.2


def test_off_the_vertical_wall_hands_pull_by_the_lever_of_the_body() -> None:
    # Moments about the feet: the hands' pull into the wall times their height is the weight times its distance, and no
    # moment is left for the rest since all limbs are equally far out.
    forces = held(*LIMBS).force[0].numpy()
    assert -forces[:2, 2].sum() * 1.4 == pytest.approx(0.25, abs=2e-3)


def test_a_symmetric_body_is_loaded_symmetrically() -> None:
    force = held(*LIMBS, angle=20).force[0].numpy()
    assert force[0] == pytest.approx(force[1] * [-1, 1, 1], abs=1e-3)
    assert force[2] == pytest.approx(force[3] * [-1, 1, 1], abs=1e-3)


def test_weight_over_one_foot_loads_that_foot() -> None:
    load = held(*LIMBS, centre=np.array([0.2, 1.3, 0.15])).load[0]
    assert load[3] > 1.3 * load[2]


def test_feet_alone_cannot_hold_a_body_that_leans_out() -> None:
    forces = held(*FEET)
    assert not forces.feasible[0]
    assert forces.residual[0] > 0.05


def test_nobody_stays_in_the_air_but_a_falling_body_needs_nothing() -> None:
    assert held().residual[0] == pytest.approx(1)
    assert not held().feasible[0]
    falling = held(acceleration=-GRAVITY * up(10), angle=10)
    assert falling.feasible[0]
    assert falling.load.max() == 0


def test_pushing_off_takes_more_than_the_weight() -> None:
    straight = np.array([0.0, 1.1, 0.05])
    forces = held(*HANDS, centre=straight, acceleration=0.2 * GRAVITY * up(0))
    assert float(forces.load.sum()) == pytest.approx(1.2, abs=5e-3)


def test_a_sloper_holds_nobody_on_a_steep_wall() -> None:
    hanging = {"angle": 40.0, "centre": PLACES[:2].mean(axis=0) - 0.9 * up(40)}
    assert held(*HANDS, kind="jug", **hanging).feasible[0]
    assert not held(*HANDS, kind="sloper", **hanging).feasible[0]


def test_what_a_body_lacks_that_is_not_held_is_the_least_it_could_lack() -> None:
    # beyond a cone's nearest point nothing is gained along what is held already: they are at right angles
    aside = CENTRE + np.array([0.2, 0.05, 0.0])
    for kind, angle in (("sloper", 40.0), ("crimp", 50.0), ("foothold", 60.0)):
        forces = held("left_hand", *FEET, angle=angle, kind=kind, centre=aside)
        missing = forces.missing[0].numpy()
        wanted = np.concatenate([up(angle), np.zeros(3)])
        assert np.linalg.norm(missing) > 0.02
        assert missing @ (wanted - missing) == pytest.approx(0, abs=5e-3)


def some_climbing(count: int) -> tuple[Array, Array, Array, Grips]:
    """Random contacts about a body; most of it can be held."""
    rng = np.random.default_rng(5)
    places = PLACES + rng.normal(0, 0.12, (count, 4, 3)) * [1, 1, 0.1]
    centre = CENTRE + rng.normal(0, 0.08, (count, 3))
    found = grips(holding(*LIMBS), {}, np.zeros(count))
    share = (rng.random((count, 4)) > 0.1).astype(float)
    return places, centre, rng.normal(0, 0.5, (count, 3)), Grips(share, found.axis, found.slope, found.capacity)


def test_forces_lie_in_their_cones_and_balance_and_no_others_cost_less() -> None:
    places, centre, acceleration, grip = some_climbing(60)
    forces = solved(places, centre, acceleration, up(10), grip)
    force = forces.force.numpy()
    along = (force * grip.axis).sum(axis=-1)
    across = np.linalg.norm(force - along[..., None] * grip.axis, axis=-1)
    assert (across <= grip.slope * along + 1e-9).all()
    assert (force[grip.share == 0] == 0).all()
    feasible = forces.feasible.numpy()
    assert feasible.mean() > 0.5
    total = force.sum(axis=1) - up(10) - acceleration / GRAVITY
    moment = np.cross(places - centre[:, None], force).sum(axis=1)
    assert np.abs(total[feasible]).max() < 0.01
    assert np.abs(moment[feasible]).max() < 0.01
    # Forces next to these that balance as well and lie in the cones too do not cost less.
    weight = 1 / grip.capacity[..., None] ** 2
    cost = (weight * force**2).sum(axis=(1, 2))
    rng, tried = np.random.default_rng(1), 0
    for _ in range(100):
        other = force + 0.03 * _without_effect(rng.normal(0, 1, force.shape), places - centre[:, None], grip.share > 0)
        along = (other * grip.axis).sum(axis=-1)
        across = np.linalg.norm(other - along[..., None] * grip.axis, axis=-1)
        admissible = feasible & (across <= grip.slope * along + 1e-6).all(axis=1)
        gain = cost - (weight * other**2).sum(axis=(1, 2))
        assert (gain[admissible] < 1e-4).all()
        tried += int(admissible.sum())
    assert tried > 500


def _without_effect(change: Array, arms: Array, held_on: npt.NDArray[np.bool_]) -> Array:
    """The part of a change of forces that adds up to nothing, as force and as moment."""
    for i, arm in enumerate(arms):
        cross = [np.cross(arm[limb], np.eye(3)).T for limb in range(4)]
        effect = np.concatenate([np.hstack([np.eye(3)] * 4), np.hstack(cross)]) * np.repeat(held_on[i], 3)
        flat = (change[i] * held_on[i][:, None]).ravel()
        change[i] = (flat - np.linalg.pinv(effect) @ (effect @ flat)).reshape(4, 3)
    return change


def test_a_limb_that_carries_only_its_share_is_spared() -> None:
    def load(share: float) -> float:
        found = grips(holding(*LIMBS), {}, np.zeros(1))
        part = Grips(found.share * [1, share, 1, 1], found.axis, found.slope, found.capacity)
        return float(solved(PLACES[None], CENTRE[None], np.zeros((1, 3)), up(20), part).load[0, 1])

    assert load(1.0) > load(0.5) > load(0.1) > 0
    assert load(0.0) == 0


def test_loads_come_and_go_within_a_contact() -> None:
    touches = holding("left_hand", start=1.0, end=2.0)
    share = grips(touches, {}, np.array([0.9, 1.0, 1.1, 1.5, 1.95, 2.1]), ease=0.2).share[:, 0]
    assert share == pytest.approx([0, 0, 0.5, 1, 0.25, 0])


@pytest.mark.parametrize("limb", LIMBS)
def test_a_hold_that_nobody_knows_counts_as_unknown(limb: Limb) -> None:
    unknown = grips(holding(limb, hold=None), {}, np.zeros(1))
    missing = grips(holding(limb, hold=7), {}, np.zeros(1))
    assert (unknown.axis == missing.axis).all()
    assert (unknown.capacity == missing.capacity).all()


def test_effort_weighs_a_load_by_what_the_limb_can_bear() -> None:
    found = grips(holding(*LIMBS), {0: "crimp"}, np.zeros(1))
    on_hands = torch.tensor([[0.5, 0.0, 0.0, 0.0]], dtype=torch.float64)
    on_feet = torch.tensor([[0.0, 0.0, 0.5, 0.0]], dtype=torch.float64)
    assert effort(on_hands, found)[0] > 10 * effort(on_feet, found)[0]
    assert effort(2 * on_hands, found, power=3) == pytest.approx(8 * effort(on_hands, found, power=3))


def test_accelerations_are_found_at_uneven_times() -> None:
    t = np.cumsum(np.random.default_rng(0).uniform(0.02, 0.06, 60))
    places = np.stack([1 + 2 * t - 3 * t**2, np.sin(t)], axis=1)
    found = accelerations(t, places)
    assert found[:, 0] == pytest.approx(-6, abs=1e-3)
    assert found[8:-8, 1] == pytest.approx(-np.sin(t)[8:-8], abs=0.05)
    assert (accelerations(t[:2], places[:2]) == 0).all()
