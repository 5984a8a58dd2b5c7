"""The network's looks at one picture, small and large."""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from ascension_vision.holds.boxes import Array, Boxes, agreed, joined, merged
from ascension_vision.holds.network import COARSEST, KINDS, HoldNetwork

# A look's size is the side of the square with as many pixels as the picture is given. Large looks find small holds,
# small looks find whole volumes; each is asked only for what it is good at, for what the others add is mostly wrong.
# Every other look at volumes is at the picture mirrored: what is seen both ways is likelier to be one.
HOLD_LOOKS: tuple[float, ...] = (1600,)
VOLUME_LOOKS: tuple[float, ...] = (900, 720, 560)
_FAINTEST, _MOST = 0.03, 1500
# Small pictures that are looked at together: more takes memory and no less time.
_TOGETHER = 4


@dataclass(frozen=True)
class Features:
    """What the network made of its largest look: ``levels`` (1, channels, rows, columns) by stride, in pixels of which
    ``ratio`` (x, y) of the picture's make one."""

    levels: list[Tensor]
    ratio: Array


def look(
    network: HoldNetwork,
    image: npt.NDArray[np.uint8],
    holds: Sequence[float] = HOLD_LOOKS,
    volumes: Sequence[float] = VOLUME_LOOKS,
    threads: Executor | None = None,
) -> tuple[Boxes, Features]:
    """What the network sees in an RGB image ``(rows, columns, 3)``: boxes in its pixels, each object once.

    ``holds`` and ``volumes`` are the looks that each kind is taken from. ``threads`` take a look each.
    """
    mirrored = set(volumes[1::2]) - set(holds)

    def once(side: float) -> tuple[list[int], Boxes, Features]:
        scale = side / float(np.sqrt(image.shape[0] * image.shape[1]))
        rows, columns = (max(1, round(n * scale)) for n in image.shape[:2])
        resized = cv2.resize(image, (columns, rows), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        ratio = np.array([image.shape[1] / columns, image.shape[0] / rows])
        kinds = [kind for kind, sides in enumerate((holds, volumes)) if side in sides]  # as KINDS has them
        seen, levels = _once(network, np.asarray(resized, np.uint8), side in mirrored, kinds)
        return kinds, Boxes(seen.corners * np.tile(ratio, 2), seen.scores, seen.kinds), Features(levels, ratio)

    sides = sorted({*holds, *volumes}, reverse=True)
    looks = list((threads.map if threads else map)(once, sides))
    found = [
        [seen.chosen(seen.kinds == kind) for kinds, seen, _ in looks if kind in kinds] for kind in range(len(KINDS))
    ]
    every = joined([agreed(boxes) for boxes in found if boxes])
    features = next(features for side, (_, _, features) in zip(sides, looks, strict=True) if side not in mirrored)
    return every.chosen(np.argsort(-every.scores, kind="stable")), features


def look_closely(
    network: HoldNetwork, pieces: Sequence[npt.NDArray[np.uint8]], threads: Executor | None = None
) -> list[Boxes]:
    """What the network sees in each of several RGB pictures ``(rows, columns, 3)`` of one size, at their own size."""

    def several(start: int) -> list[Boxes]:
        return _several(network, np.stack(pieces[start : start + _TOGETHER]), range(len(KINDS)))[0]

    found = (threads.map if threads else map)(several, range(0, len(pieces), _TOGETHER))
    return [boxes for together in found for boxes in together]


def _once(
    network: HoldNetwork, image: npt.NDArray[np.uint8], mirrored: bool, kinds: Sequence[int]
) -> tuple[Boxes, list[Tensor]]:
    """The features are of the picture that was looked at, the boxes of the one that was given."""
    found, levels = _several(network, np.ascontiguousarray(image[None, :, ::-1]) if mirrored else image[None], kinds)
    boxes = found[0]
    if mirrored:
        x0, y0, x1, y1 = boxes.corners.T
        columns = image.shape[1]
        boxes = Boxes(np.stack([columns - x1, y0, columns - x0, y1], axis=1), boxes.scores, boxes.kinds)
    return boxes, levels


@torch.inference_mode()
def _several(
    network: HoldNetwork, images: npt.NDArray[np.uint8], kinds: Sequence[int]
) -> tuple[list[Boxes], list[Tensor]]:
    """Each picture's boxes of these kinds, and the features of all; ``images`` (n, rows, columns, 3)."""
    rows, columns = images.shape[1:3]
    device = network.scales.device
    pixels = torch.from_numpy(images).to(device)
    pixels = functional.pad(pixels, (0, 0, 0, -columns % COARSEST, 0, -rows % COARSEST)).permute(0, 3, 1, 2)
    # bfloat16 takes a third of the time where the processor or the GPU knows it, and changes scores by a hundredth;
    # the pixels' whole numbers it tells exactly
    half = _knows_bfloat16(device)
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=half):
        levels = network.pyramid(pixels.to(torch.bfloat16 if half else torch.float32))
        logits, boxes = network.read(levels)
    found = []
    for i in range(len(images)):
        scores = logits[i, :, list(kinds)].sigmoid()
        values, flat = scores.flatten().topk(min(_MOST, scores.numel()))
        flat = flat[values > _FAINTEST]
        place, kind = flat // scores.shape[1], flat % scores.shape[1]
        corners = boxes[i, place].cpu().numpy().astype(np.float64)
        corners = np.clip(corners, 0, [columns, rows, columns, rows])
        sure = scores[place, kind].cpu().numpy().astype(np.float64)
        seen = Boxes(corners, sure, np.array(kinds, np.int64)[kind.cpu().numpy()])
        found.append(merged(seen.chosen((corners[:, 2:] - corners[:, :2]).min(axis=1, initial=np.inf) >= 2)))
    return found, levels


def _knows_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 is multiplied by the device itself: emulated, it is slower than single precision."""
    return device.type != "cpu" or bool(torch.cpu._is_amx_tile_supported())
