"""What users may set right about holds, and what is refused."""

from typing import Any

import numpy as np
import pytest
from ascension_vision.holds.correction import correct, ellipse
from ascension_vision.holds.hold import Hold
from ascension_vision.problems import Problem

WIDTH, HEIGHT = 1000, 2000


def hold(number: int) -> Hold:
    box = (100.0, 200.0, 200.0, 260.0)
    return Hold(number, "hold", "unknown", None, 0.7, box, ellipse(box))


def test_an_added_hold_gets_a_new_id_and_is_the_users() -> None:
    corrected = correct([hold(3)], [{"action": "add", "box": [0.1, 0.1, 0.2, 0.15], "type": "jug"}], 8, WIDTH, HEIGHT)
    added = corrected.holds[-1]
    assert (added.id, added.by, added.type, added.kind, added.confidence) == (8, "user", "jug", "hold", 1.0)
    assert added.box == (100.0, 200.0, 200.0, 300.0)
    assert corrected.next_id == 9


def test_a_moved_hold_takes_its_outline_along() -> None:
    moved = correct([hold(0)], [{"action": "move", "hold_id": 0, "box": [0.3, 0.5, 0.5, 0.56]}], 1, WIDTH, HEIGHT)
    outline = moved.holds[0].outline
    assert np.allclose(outline.min(axis=0), (300, 1000))
    assert np.allclose(outline.max(axis=0), (500, 1120))


def test_a_retyped_volume_becomes_a_volume() -> None:
    retyped = correct([hold(0)], [{"action": "retype", "hold_id": 0, "type": "volume"}], 1, WIDTH, HEIGHT).holds[0]
    assert (retyped.kind, retyped.type, retyped.type_confidence) == ("volume", "volume", 1.0)


def test_the_id_of_a_deleted_hold_is_not_given_again() -> None:
    changes: list[dict[str, Any]] = [{"action": "delete", "hold_id": 1}, {"action": "add", "box": [0, 0, 0.1, 0.1]}]
    corrected = correct([hold(0), hold(1)], changes, 2, WIDTH, HEIGHT)
    assert [kept.id for kept in corrected.holds] == [0, 2]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"action": "delete", "hold_id": 7}, "no hold 7"),
        ({"action": "delete"}, "no hold None"),
        ({"action": "move", "hold_id": 0, "box": [0.5, 0, 0.1, 1]}, "left before its right"),
        ({"action": "add", "box": [0, 0, 1]}, "four numbers"),
        ({"action": "add", "box": [0, 0, float("nan"), 1]}, "four numbers"),
        ({"action": "add", "box": [0, 0, 1, 1], "type": "banana"}, "no type 'banana'"),
        ({"action": "retype", "hold_id": 0, "type": "jug", "kind": "volume"}, "cannot be of type jug"),
        ({"action": "paint", "hold_id": 0}, "no action 'paint'"),
    ],
)
def test_a_change_that_cannot_be_carried_out_is_refused_with_its_number(change: dict[str, Any], told: str) -> None:
    first = {"action": "retype", "hold_id": 0, "type": "crimp"}
    with pytest.raises(Problem) as refused:
        correct([hold(0)], [first, change], 1, WIDTH, HEIGHT)
    assert refused.value.type == "invalid-correction"
    assert "Change 2" in refused.value.detail
    assert told in refused.value.detail
