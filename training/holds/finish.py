"""From a run's mean weights to the file that ships: ``python -m training.holds.finish RUN WEIGHTS``.

Learns the hold types on rendered walls, fits what scores are worth on the tuning photos, and packs both.
"""

import argparse
import datetime
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from ascension_vision.holds.boxes import Boxes
from ascension_vision.holds.finding import Trust
from ascension_vision.holds.looking import look
from ascension_vision.holds.network import KINDS, HoldNetwork
from ascension_vision.holds.types import NAMES, TypeHead, samples
from torch import Tensor
from torch.nn import functional

from training.holds import start
from training.holds.crops import relit
from training.holds.packing import pack
from training.holds.photos import Photo, data_directory, digest, load, split
from training.holds.tuning import measured
from training.holds.walls import bare, rendered

TYPE_WALLS = range(2000, 2140)
# A type is said where it is right this often on rendered walls not learnt from.
_RIGHT_OFTEN = 0.9


def finish(run: Path, weights: Path, walls: Sequence[int] = TYPE_WALLS) -> None:
    """Write ``weights`` from what lies in ``run``."""
    state = torch.load(run / "state.pt", weights_only=False)
    network = mean_network(state["average"])
    directory = data_directory() / "holds"
    trust = fitted_trust(network, [load(name, directory) for name in split("tune")], [bare(900 + i) for i in range(4)])
    types = learnt_types(network, walls, run / "drawn")
    when = datetime.datetime.now(datetime.UTC).date().isoformat()
    name = f"ascension-holds {when}, {state['step']} steps, seed {state['recipe']['seed']}"
    pack(network, types, trust, name, digest(split("train"), directory), weights)


def mean_network(average: dict[str, Tensor]) -> HoldNetwork:
    """The network with a run's mean weights, as the product has it."""
    network = HoldNetwork()
    for module in network.backbone.modules():
        if isinstance(module, torch.nn.Conv2d):
            start.parametrized(module, torch.ones(module.out_channels))
    network.load_state_dict(average)
    return start.finished(network).to(memory_format=torch.channels_last).eval()  # type: ignore[call-overload,no-any-return]


def fitted_trust(network: HoldNetwork, photos: Sequence[Photo], empty: Sequence[Photo]) -> Trust:
    """Chances by logistic regression on whether detections are right; the least is where F1 is best."""
    photos = [*photos, *empty]
    found = [look(network, photo.image)[0] for photo in photos]
    return trust_of(found, photos)


def trust_of(found: Sequence[Boxes], photos: Sequence[Photo]) -> Trust:
    """``Trust`` from what was found in photos."""
    slope, offset, least = [], [], []
    for curve in measured(photos, found).values():
        scores = np.clip(curve.scores, 1e-6, 1 - 1e-6)
        x = np.column_stack([np.log(scores / (1 - scores)), np.ones(len(scores))])
        w = np.array([1.0, 0.0])
        for _ in range(25):  # Newton's method
            p = 1 / (1 + np.exp(-x @ w))
            hessian = (x * (p * (1 - p))[:, None]).T @ x + 1e-6 * np.eye(2)
            w = w + np.linalg.solve(hessian, x.T @ (curve.right - p))
        f1 = 2 * curve.precision * curve.recall / np.maximum(curve.precision + curve.recall, 1e-9)
        best = curve.scores[int(f1.argmax())] if len(f1) else 0.5
        chance = 1 / (1 + np.exp(-(w[0] * np.log(best / (1 - best)) + w[1])))
        slope.append(round(float(w[0]), 4))
        offset.append(round(float(w[1]), 4))
        least.append(round(float(chance), 4))
    assert len(slope) == len(KINDS)
    return Trust((slope[0], slope[1]), (offset[0], offset[1]), (least[0], least[1]))


def learnt_types(network: HoldNetwork, walls: Sequence[int], drawn: Path) -> TypeHead:
    """A head that has learnt the types of rendered holds, judged on every fifth wall, which it has not learnt from."""
    torch.manual_seed(0)
    rng = np.random.default_rng(3)
    learnt: list[tuple[Tensor, Tensor]] = []
    judged: list[tuple[Tensor, Tensor]] = []
    for number, seed in enumerate(walls):
        photo, types = rendered(seed, drawn)
        kept = np.array([t in NAMES for t in types], bool)
        if kept.sum() < 3:
            continue
        truth = torch.tensor([NAMES.index(t) for t, k in zip(types, kept, strict=True) if k])
        image = photo.image if number % 5 == 0 else relit(photo.image, rng)
        _, features = look(network, image, [float(rng.uniform(900, 1400))], [])
        (judged if number % 5 == 0 else learnt).append((samples(features, _shaken(photo, kept, rng)), truth))
    head = TypeHead()
    x, y = (torch.cat(parts) for parts in zip(*learnt, strict=True))
    x, y = x.clone(), y.clone()
    optimizer = torch.optim.AdamW(head.parameters(), lr=2e-3, weight_decay=0.1)
    steps = 1500
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * 0.5 * (1 + np.cos(np.pi * step / steps))
        pick = torch.randint(len(x), (256,))
        logits = head.outer(functional.dropout(head.hidden(functional.dropout(x[pick], 0.2)), 0.3))
        cost = functional.cross_entropy(logits, y[pick], label_smoothing=0.05)
        optimizer.zero_grad()
        cost.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    head.eval()
    with torch.no_grad():
        _calibrate(head, x, y, *(torch.cat(parts).clone() for parts in zip(*judged, strict=True)))
    return head


def _shaken(photo: Photo, kept: npt.NDArray[np.bool_], rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """The boxes as a detector would find them, a little off."""
    boxes = photo.boxes[kept].astype(np.float64)
    size = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    return np.asarray(boxes + rng.normal(0, 0.04, boxes.shape) * size)


def _calibrate(head: TypeHead, x: Tensor, y: Tensor, x_judged: Tensor, y_judged: Tensor) -> None:
    hidden = head.hidden(x)
    for number in range(len(NAMES)):
        head.mean[number] = hidden[y == number].mean(0)
    head.spread.copy_((hidden - head.mean[y]).std(0).clamp(min=0.05))
    unseen = head.hidden(x_judged)
    head.farthest.copy_(head.strangeness(unseen).quantile(0.9))
    logits = head.outer(unseen)
    options = torch.exp(torch.linspace(-1.5, 1.5, 61))
    costs = torch.stack([functional.cross_entropy(logits / t, y_judged) for t in options])
    head.temperature.copy_(options[costs.argmin()])
    chances, said = (logits / head.temperature).softmax(-1).max(-1)
    right = (said == y_judged).float()
    order = chances.argsort(descending=True)
    often = right[order].cumsum(0) / torch.arange(1, len(order) + 1)
    enough = (often >= _RIGHT_OFTEN).nonzero()[:, 0]
    head.least.copy_(chances[order][enough[-1]] if len(enough) else torch.tensor(1.0))
    print(f"types: right {right.mean():.3f} of {len(y_judged)}, temperature {head.temperature.item():.2f}, "
          f"said from {head.least.item():.2f}: {(chances >= head.least).float().mean():.3f} of holds")  # fmt: skip


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m training.holds.finish", description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("weights", type=Path)
    args = parser.parse_args()
    finish(args.run, args.weights)


if __name__ == "__main__":
    main()
