"""Which places of the network answer for which box, and what a wrong answer costs.

Z. Ge et al. 2021, "OTA" and "YOLOX" (SimOTA): each box takes the few places that already suit it best, as many as its
overlaps with their boxes add up to. H. Rezatofighi et al. 2019, "Generalized IoU". X. Li et al. 2020, "Generalized
Focal Loss": the class score that is learnt is the box's overlap.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

# A place answers for a box if it lies within it or within this many strides of its middle.
_NEAR = 1.5
_CANDIDATES = 10
_BOX_WEIGHT = 3.0


@dataclass(frozen=True)
class Truth:
    """One picture's ``boxes`` (n, 4), ``kinds`` (n,), and boxes about which nothing is known, ``ignored`` (m, 4)."""

    boxes: Tensor
    kinds: Tensor
    ignored: Tensor


@dataclass(frozen=True)
class Loss:
    """``kind`` and ``box`` add up to what is minimised; ``matched`` places had a box."""

    kind: Tensor
    box: Tensor
    matched: int


def overlap(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """IoU and generalised IoU of boxes ``(…, 4)``, broadcast."""
    low, high = torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])
    both = (high - low).clamp(min=0).prod(-1)
    area_a, area_b = (a[..., 2:] - a[..., :2]).prod(-1), (b[..., 2:] - b[..., :2]).prod(-1)
    either = area_a + area_b - both
    iou = both / either.clamp(min=1e-6)
    hull = (torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])).prod(-1)
    return iou, iou - (hull - either) / hull.clamp(min=1e-6)


@torch.no_grad()
def match(logits: Tensor, boxes: Tensor, truth: Truth, middles: Tensor, strides: Tensor) -> tuple[Tensor, Tensor]:
    """Places that answer for a box ``(k,)``, and the number of that box ``(k,)``. For one picture."""
    if not len(truth.boxes):
        empty = torch.zeros(0, dtype=torch.int64)
        return empty, empty
    low, high = truth.boxes[:, None, :2], truth.boxes[:, None, 2:]
    inside = ((middles > low) & (middles < high)).all(-1)
    away = (middles - (low + high) / 2).abs().amax(-1) / strides
    near = away < _NEAR
    candidates = (inside | near).any(0).nonzero()[:, 0]
    iou, _ = overlap(truth.boxes[:, None], boxes[candidates][None])
    score = logits[candidates].sigmoid()[:, truth.kinds].T
    cost = functional.binary_cross_entropy(score.sqrt(), torch.ones_like(score), reduction="none")
    cost = cost - _BOX_WEIGHT * torch.log(iou.clamp(min=1e-6))
    outside = ~(inside & near)[:, candidates]
    cost = cost + 1e3 * outside + 1e6 * ~(inside | near)[:, candidates]
    count = min(_CANDIDATES, len(candidates))
    wanted = iou.topk(count, dim=1).values.sum(1).int().clamp(min=1)
    order = cost.argsort(dim=1)[:, :count]
    rank = torch.arange(count)[None, :].expand(len(order), -1)
    taken = torch.zeros_like(cost, dtype=torch.bool)
    taken.scatter_(1, order, rank < wanted[:, None])
    taken &= cost < 1e5
    # a place that several boxes took stays with the one it suits best
    cost = torch.where(taken, cost, torch.inf)
    best, owner = cost.min(dim=0)
    chosen = best.isfinite()
    return candidates[chosen], owner[chosen]


def loss(logits: Tensor, boxes: Tensor, truths: list[Truth], middles: Tensor, strides: Tensor) -> Loss:
    """Of a batch: ``logits`` (n, places, 2), ``boxes`` (n, places, 4)."""
    target = torch.zeros_like(logits)
    weight = torch.ones_like(logits[..., :1])
    found, wanted = [], []
    for i, truth in enumerate(truths):
        place, owner = match(logits[i].detach(), boxes[i].detach(), truth, middles, strides)
        for box in truth.ignored:
            within = ((middles > box[:2]) & (middles < box[2:])).all(-1)
            weight[i, within] = 0
        weight[i, place] = 1
        mine = boxes[i, place]
        theirs = truth.boxes[owner]
        target[i, place, truth.kinds[owner]] = overlap(mine.detach(), theirs)[0]
        found.append(mine)
        wanted.append(theirs)
    mine, theirs = torch.cat(found), torch.cat(wanted)
    iou, generalised = overlap(mine, theirs)
    importance = iou.detach().clamp(min=0.1)
    total = importance.sum().clamp(min=1.0)
    score = logits.sigmoid()
    focal = functional.binary_cross_entropy_with_logits(logits, target, reduction="none") * (score - target).abs() ** 2
    return Loss(
        (focal * weight).sum() / total,
        2.0 * ((1 - generalised) * importance).sum() / total,
        len(mine),
    )
