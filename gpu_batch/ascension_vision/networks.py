"""The built-in networks. A process loads each once; its analyses share them, one after the other or several at once."""

import threading
from functools import cache
from typing import TYPE_CHECKING

# PyTorch takes a second to import, and a file that is no video should not have to wait for it.
if TYPE_CHECKING:
    from ascension_vision.holds.finding import HoldModel
    from ascension_vision.pose.model import PoseModel

_loading = threading.Lock()


def pose_model(device: str) -> "PoseModel":
    """BlazePose on ``cpu`` or ``cuda``. Raises ``WeightsUnavailable`` where the project was not set up."""
    with _loading:
        return _blazepose(device)


def hold_model(device: str) -> "HoldModel":
    """Our detector on ``cpu`` or ``cuda``."""
    with _loading:
        return _holds(device)


@cache
def _blazepose(device: str) -> "PoseModel":
    from ascension_vision.pose.blazepose import BlazePose

    return BlazePose(device)


@cache
def _holds(device: str) -> "HoldModel":
    from ascension_vision.holds.finding import HoldModel

    return HoldModel(device=device)
