"""Finds the holds and volumes in one picture of a wall."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ascension_vision.cores import threads
from ascension_vision.holds.boxes import Array, Boxes, overlaps
from ascension_vision.holds.hold import UNKNOWN, Hold, Kind
from ascension_vision.holds.looking import look, look_closely
from ascension_vision.holds.network import KINDS, HoldNetwork
from ascension_vision.holds.outline import outlined
from ascension_vision.holds.route import routes
from ascension_vision.holds.types import Guess, TypeHead, samples
from ascension_vision.pose.model import ModelUnavailable

WEIGHTS = Path(__file__).with_name("weights.safetensors")
SCHEMA = "ascension.holds/1"
# Above this overlap a hold and a volume are one object seen as both.
_SAME_OBJECT = 0.7


@dataclass(frozen=True)
class FoundHold:
    """A hold or volume in one picture; places in its pixels. What the fields mean is said in ``holds.hold.Hold``."""

    kind: Kind
    confidence: float
    box: tuple[float, float, float, float]
    outline: Array
    type: str = UNKNOWN
    type_confidence: float | None = None
    color: str | None = None
    route: int | None = None

    def hold(self, hold_id: int) -> Hold:
        """The same as the rest of the analysis knows it."""
        return Hold(
            id=hold_id, kind=self.kind, type=self.type, type_confidence=self.type_confidence,
            confidence=self.confidence, box=self.box, outline=self.outline, color=self.color, route=self.route,
        )  # fmt: skip


@dataclass(frozen=True)
class Trust:
    """What the network's scores are worth, fitted on photos that it did not learn from.

    A score s means the chance 1 / (1 + exp(-(slope · logit(s) + offset))) that the box is right; detections below
    ``least`` are not reported. One of each for holds and volumes. A wall with holds shows some beyond doubt: a picture
    in which nothing reaches ``sure`` is taken for one without holds, and nothing in it is reported.
    """

    slope: tuple[float, float] = (1.0, 1.0)
    offset: tuple[float, float] = (0.0, 0.0)
    least: tuple[float, float] = (0.4, 0.4)
    sure: tuple[float, float] = (0.95, 0.95)

    def chances(self, found: Boxes) -> Array:
        """``(n,)``."""
        scores = np.clip(found.scores, 1e-6, 1 - 1e-6)
        slope, offset = np.array(self.slope)[found.kinds], np.array(self.offset)[found.kinds]
        return np.asarray(1 / (1 + np.exp(-(slope * np.log(scores / (1 - scores)) + offset))))


class HoldModel:
    """The detector. Any number of threads may call it.

    Attributes:
        name: for ``quality.model_versions``.
    """

    def __init__(self, weights: Path | None = None, device: str = "cpu") -> None:
        """``weights``: a safetensors file with the tensors of ``HoldNetwork`` and ``TypeHead``; ours if None.

        Raises:
            ModelUnavailable: where the file is none of that kind; the message says why.
        """
        path = weights or WEIGHTS
        tensors, about = _read(path)
        self.network, self.types = HoldNetwork(), TypeHead()
        _fill(self.network, tensors, "network.", path)
        _fill(self.types, tensors, "types.", path)
        if left := sorted(tensors):
            raise ModelUnavailable(f"{path.name} has tensors that the hold detector does not know, like {left[0]}")
        self.network.to(device=device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
        self.types.to(device).eval()
        self.trust = _trust(about, path)
        self._threads = threads("holds") if torch.device(device).type == "cpu" else None
        self.name = about.get("name") or f"holds from {path.name}"

    def find(self, image: npt.NDArray[np.uint8], least: float | None = None) -> list[FoundHold]:
        """Holds and volumes in an RGB image ``(rows, columns, 3)``, the surest first.

        ``least``: how likely they are at least, 0 … 1, and then each kind by itself: a place may be told as a doubtful
        volume and as a likely hold. None: what is worth showing to people, each place once. In a picture in which
        nothing is sure there is no wall, and nothing on it.
        """
        seen, features = look(self.network, image, threads=self._threads)
        found, chances = self.believed(seen, least)
        kinds = [KINDS[number] for number in found.kinds]
        looks = outlined(image, found.corners)
        colors = [one.color for one in looks]
        guesses = self.types.guess(samples(features, found.corners)) if len(found) else []
        centers = (found.corners[:, :2] + found.corners[:, 2:]) / 2
        numbers = routes(centers, colors, kinds)
        holds = []
        for i, (x0, y0, x1, y1) in enumerate(found.corners.tolist()):
            chance = float(chances[i])
            guess = Guess("volume", chance) if kinds[i] == "volume" else guesses[i]
            holds.append(
                FoundHold(kinds[i], chance, (x0, y0, x1, y1), looks[i].outline, guess.type, guess.confidence,
                          colors[i], numbers[i])
            )  # fmt: skip
        return holds

    def find_closely(self, pieces: list[npt.NDArray[np.uint8]]) -> list[Boxes]:
        """Boxes in small RGB pictures ``(rows, columns, 3)``, all of one size and shown as large as holds are to be
        seen; scores are chances. Nothing is left out for being doubtful, and no picture for having no wall."""
        return [
            replace(seen, scores=self.trust.chances(seen)) for seen in look_closely(self.network, pieces, self._threads)
        ]

    def believed(self, seen: Boxes, least: float | None = None) -> tuple[Boxes, Array]:
        """Detections that are reported, the surest first, and the chance of each. ``least``: see ``find``."""
        seen = replace(seen, scores=self.trust.chances(seen))
        wall = (seen.scores >= np.array(self.trust.sure)[seen.kinds]).any()
        enough = np.array(self.trust.least)[seen.kinds] if least is None else least
        seen = seen.chosen((seen.scores >= enough) & wall)
        seen = seen.chosen(np.argsort(-seen.scores, kind="stable"))
        if least is None:
            iou = overlaps(seen.corners, seen.corners)
            kept = np.ones(len(seen), bool)
            for i in range(len(seen)):
                if kept[i]:
                    kept[i + 1 :] &= iou[i, i + 1 :] < _SAME_OBJECT
            seen = seen.chosen(kept)
        return seen, seen.scores


def _read(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise ModelUnavailable(f"there is no file {path}")
    try:
        with safe_open(path, framework="pt") as opened:
            about = dict(opened.metadata() or {})
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 it is no dict
    except (SafetensorError, OSError) as error:
        raise ModelUnavailable(f"{path.name} is not a safetensors file: {error}") from error
    if about.get("schema") != SCHEMA:
        raise ModelUnavailable(f"{path.name} does not say in its header that it is of schema {SCHEMA}")
    return tensors, about


def _fill(module: torch.nn.Module, tensors: dict[str, torch.Tensor], prefix: str, path: Path) -> None:
    """Takes the module's tensors out of ``tensors``."""
    wanted = module.state_dict()
    state = {}
    for name, like in wanted.items():
        tensor = tensors.pop(prefix + name, None)
        if tensor is None:
            raise ModelUnavailable(f"{path.name} lacks the tensor {prefix + name}")
        if tensor.shape != like.shape or not tensor.is_floating_point():
            raise ModelUnavailable(
                f"{path.name}: {prefix + name} is {tensor.dtype} {tuple(tensor.shape)}, not floats {tuple(like.shape)}"
            )
        if not bool(tensor.float().isfinite().all()):
            raise ModelUnavailable(f"{path.name}: {prefix + name} has values that are not finite")
        state[name] = tensor.float()
    module.load_state_dict(state)


def _trust(about: dict[str, str], path: Path) -> Trust:
    try:
        stored: dict[str, Any] = json.loads(about.get("trust", "{}"))
        pairs = {name: (float(a), float(b)) for name, (a, b) in stored.items()}
        return Trust(**pairs)
    except (ValueError, TypeError) as error:
        raise ModelUnavailable(f"{path.name}: the trust in its header is not as it must be: {error}") from error
