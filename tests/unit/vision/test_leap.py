"""The Ghost of a climber who jumps: its flight is the climber's, and it goes no detours for it."""

import numpy as np
import pytest
from ascension_vision.ghost.beta import Beta, Stay
from ascension_vision.ghost.finding import find_ghost
from ascension_vision.ghost.ghost import Ghost
from ascension_vision.ghost.timeline import Flight, lay_out
from ascension_vision.metrics.measuring import Findings, measure
from ascension_vision.scene import SceneOptions

from tests.unit.vision.climbs import climb

RATE = 15.0


def stays(limb: int, *times: tuple[float, float]) -> tuple[Stay, ...]:
    return tuple(
        Stay(limb, 10 * limb + number, start, end, np.array([0.3 * (limb % 2), 0.5 * number, 0.0]), end - start, 0.9)
        for number, (start, end) in enumerate(times)
    )


@pytest.mark.parametrize("lasts", [0.2, 0.27, 0.33, 0.4])
def test_from_the_last_moment_that_something_bears_to_the_next_a_flight_lasts_as_long_as_the_climbers(
    lasts: float,
) -> None:
    lands = 2.0 + lasts
    beta = Beta(tuple(stays(limb, (0.0, 2.0), (lands + 0.4 * (limb > 1), 4.0)) for limb in range(4)), ())
    timeline = lay_out(beta, 0.0, 4.0, RATE, 1.7, jumps=[Flight(2.0, lands)])
    assert timeline is not None
    # a contact bears nothing at the very moments of its start and end
    bears = [any(c.start < t < c.end for c in timeline.contacts) for t in timeline.t]
    nothing = np.flatnonzero(~np.array(bears[1:-1])) + 1
    assert np.ptp(nothing) == len(nothing) - 1
    assert (len(nothing) + 1) / RATE == pytest.approx(lasts, abs=0.61 / RATE)


def test_an_expert_who_jumps_scores_like_one() -> None:
    jumped = climb(SceneOptions(seed=7, duration_s=6.0, fps=15, dyno=True, flight_s=0.3))
    ghost = find_ghost(jumped.motion, jumped.contacts, jumped.holds, jumped.wall)
    assert isinstance(ghost, Ghost)
    assert ghost.certificate["passed"], ghost.certificate["gates"]
    found = measure(Findings(jumped.poses, jumped.motion, jumped.wall, jumped.holds, jumped.contacts, ghost))
    efficiency = found["movement_efficiency"].value
    assert efficiency is not None
    assert efficiency > 0.9
