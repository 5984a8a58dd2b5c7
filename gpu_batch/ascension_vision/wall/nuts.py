"""The grid of T-nuts: small dark dots in even rows, which tell how the wall stands and how large it is."""

from collections import deque
from dataclasses import dataclass
from itertools import combinations

import cv2
import numpy as np
import numpy.typing as npt

from ascension_vision.camera.track import ReferenceView
from ascension_vision.holds.hold import Hold

Array = npt.NDArray[np.float64]
Node = tuple[int, int]

_SIDE = 1280
_SIGMAS = (1.2, 1.7, 2.4, 3.4)
_CONTRAST, _ROUND = 10.0, 0.45
_MOST_DOTS = 1500
_NEIGHBOURS, _TRIED, _SEEDS = 7, 250, 12
# Of the step from dot to dot: how far from its place a dot may be while the grid grows, and in the end.
_GROWING, _FITTING = 0.2, 0.1
# A grid that takes only every second dot: where the others are, and the shorter steps as columns.
_FINER = (
    ((0.5, 0.5), ((0.5, -0.5), (0.5, 0.5))),
    ((0.5, 0.0), ((0.5, 0.0), (0.0, 1.0))),
    ((0.0, 0.5), ((1.0, 0.0), (0.0, 0.5))),
)
_MIN_DOTS, _ENOUGH = 30, 100
_MIN_FOUND, _MIN_CLIMBED = 0.45, 8
_AROUND_MISSING = 2
_AROUND = ((1, 0), (0, 1), (-1, 0), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1))


@dataclass(frozen=True)
class Grid:
    """Dots in even rows on one plane.

    Attributes:
        to_pixels: ``(3, 3)`` from steps of the grid to reference pixels.
        dots: how many lie on it.
        error: of a dot's place, root mean square in steps.
    """

    to_pixels: Array
    dots: int
    error: float


def find_grid(view: ReferenceView, holds: list[Hold], climbed: Array) -> Grid | None:
    """The grid with the most dots, or None where there is none that can be trusted.

    ``climbed``: ``(n, 2)`` reference pixels where the climber was: other grids belong to other walls.
    """
    dots, free = _dots(view, holds)
    if len(dots) < _MIN_DOTS:
        return None
    chart = _Chart(dots, free.mask.shape)
    region = cv2.convexHull(((climbed - view.origin) / free.shrink).astype(np.float32))
    there = cv2.fillConvexPoly(np.zeros(free.mask.shape, np.uint8), region.astype(np.int32), 1) > 0
    best: Grid | None = None
    for seed in _seeds(chart):
        grid = _fitted(chart, _grow(chart, seed), free)
        if grid is not None and not _holds_there(chart, grid, _Free(free.mask & there, free.shrink)):
            continue
        if grid is not None and (best is None or grid.dots > best.dots):
            best = grid
        if best is not None and best.dots >= _ENOUGH:
            break
    if best is None:
        return None
    enlarge = np.array([[1.0, 0, view.origin[0]], [0, 1, view.origin[1]], [0, 0, 1]]) @ np.diag(
        [free.shrink, free.shrink, 1.0]
    )
    return Grid(enlarge @ best.to_pixels, best.dots, best.error)


@dataclass(frozen=True)
class _Free:
    """Where a dot could be seen, ``(rows, columns)`` of the picture that is searched, ``shrink`` times smaller than the
    view."""

    mask: npt.NDArray[np.bool_]
    shrink: float


def _dots(view: ReferenceView, holds: list[Hold]) -> tuple[Array, _Free]:
    """``(n, 2)`` pixels of the searched picture: the darkest round spots (Lindeberg 1998: extrema in place and size of
    the normalised Laplacian) outside of holds."""
    gray = cv2.cvtColor(view.image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    shrink = max(1.0, max(gray.shape) / _SIDE)
    size = (round(gray.shape[1] / shrink), round(gray.shape[0] / shrink))
    if shrink > 1:
        gray = cv2.resize(gray, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    darkness = np.zeros(gray.shape, np.float32)
    roundness = np.zeros(gray.shape, np.float32)
    for sigma in _SIGMAS:
        soft = cv2.GaussianBlur(gray, (0, 0), sigma)
        xx, yy, xy = (cv2.Sobel(soft, cv2.CV_32F, *order, ksize=3) for order in ((2, 0), (0, 2), (1, 1)))
        trace = sigma**2 * (xx + yy) / 4
        better = trace > darkness
        darkness = np.where(better, trace, darkness)
        roundness = np.where(better, (xx * yy - xy * xy) / np.maximum(((xx + yy) / 2) ** 2, 1e-6), roundness)
    hidden = cv2.resize(view.seen.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) == 0
    covered = np.zeros(gray.shape, np.uint8)
    for hold in holds:
        if hold.kind == "hold":
            cv2.fillPoly(covered, [np.round((hold.outline - view.origin) / shrink).astype(np.int32)], 1)
    free = ~hidden & (covered == 0)
    peak = (darkness == cv2.dilate(darkness, np.ones((7, 7), np.uint8))) & free
    y, x = np.nonzero(peak & (darkness > _CONTRAST) & (roundness > _ROUND))
    order = np.argsort(-darkness[y, x])[:_MOST_DOTS]
    return np.asarray(np.column_stack([x, y])[order] + 0.5, np.float64), _Free(free, shrink)


class _Chart:
    """Dots that can be looked up by place."""

    def __init__(self, dots: Array, shape: tuple[int, ...]) -> None:
        self.dots = dots
        apart = np.linalg.norm(dots[:, None] - dots[None], axis=2)
        np.fill_diagonal(apart, np.inf)
        self.near = np.argsort(apart, axis=1)[:, :_NEIGHBOURS]
        # The nearest dot of every pixel.
        column, row = dots.astype(int).T
        blank = np.ones(shape, np.uint8)
        blank[row, column] = 0
        _, labels = cv2.distanceTransformWithLabels(blank, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
        of_label = np.zeros(int(labels.max()) + 1, np.intp)
        of_label[labels[row, column]] = np.arange(len(dots))
        self._nearest = of_label[labels]

    def at(self, places: Array, reach: Array | float) -> npt.NDArray[np.intp]:
        """``(n,)`` the dots nearest to ``(n, 2)`` places; -1 where none is within reach."""
        rows, columns = self._nearest.shape
        x, y = (np.clip(places[:, axis], 0, size - 1).astype(int) for axis, size in ((0, columns), (1, rows)))
        found = self._nearest[y, x]
        away = np.linalg.norm(self.dots[found] - places, axis=1)
        return np.where(away < reach, found, -1)


@dataclass(frozen=True)
class _Seed:
    dot: int
    right: Array
    up: Array
    support: int


def _seeds(chart: _Chart) -> list[_Seed]:
    """Dots with two steps to neighbours that lead to further dots on all sides; the best, apart from each other."""
    found: list[_Seed] = []
    for dot in range(0, len(chart.dots), max(1, len(chart.dots) // _TRIED)):
        neighbours = chart.near[dot]
        steps = chart.dots[neighbours] - chart.dots[dot]
        best: _Seed | None = None
        for a, b in combinations(range(len(steps)), 2):
            one, other = steps[a], steps[b]
            lengths = np.hypot(*one), np.hypot(*other)
            crossing = abs(one[0] * other[1] - one[1] * other[0]) / (lengths[0] * lengths[1])
            if not 0.6 < lengths[0] / lengths[1] < 1.6 or crossing < 0.75:
                continue
            around = chart.dots[dot] + np.array(_AROUND) @ np.stack([one, other])
            support = int((chart.at(around, _GROWING * min(lengths)) >= 0).sum())
            if support >= len(_AROUND) - _AROUND_MISSING and (best is None or support > best.support):
                best = _Seed(dot, one, other, support)
        if best is not None:
            found.append(best)
    found.sort(key=lambda seed: -seed.support)
    # From different parts of the picture: walls have several planes.
    kept: list[_Seed] = []
    for seed in found:
        if all(np.hypot(*(chart.dots[seed.dot] - chart.dots[k.dot])) > 6 * np.hypot(*seed.right) for k in kept):
            kept.append(seed)
        if len(kept) == _SEEDS:
            break
    return kept


def _grow(chart: _Chart, seed: _Seed) -> dict[Node, int]:
    """From node to dot: the grid goes on from each dot by the steps that led to it."""
    nodes: dict[Node, int] = {(0, 0): seed.dot}
    taken = {seed.dot}
    steps: dict[Node, tuple[Array, Array]] = {(0, 0): (seed.right, seed.up)}
    waiting = deque([(0, 0)])
    while waiting:
        node = waiting.popleft()
        right, up = steps[node]
        here = chart.dots[nodes[node]]
        for i, j in _AROUND[:4]:
            there = (node[0] + i, node[1] + j)
            if there in nodes:
                continue
            step = i * right + j * up
            dot = int(chart.at((here + step)[None], _GROWING * float(np.hypot(*step)))[0])
            if dot < 0 or dot in taken:
                continue
            # Steps shrink and turn slowly with perspective; half of what is seen goes into the next.
            change = (chart.dots[dot] - here - step) / 2
            nodes[there] = dot
            taken.add(dot)
            steps[there] = (right + i * change, up) if i else (right, up + j * change)
            waiting.append(there)
    return nodes


def _fitted(chart: _Chart, nodes: dict[Node, int], free: _Free) -> Grid | None:
    """The plane through most of the grown grid's dots, and through all others that lie on it."""
    expected = 0
    for turn in range(4):
        if len(nodes) < _MIN_DOTS:
            return None
        source = np.array(list(nodes), np.float64)
        target = chart.dots[list(nodes.values())]
        step = float(np.median(np.linalg.norm(target - chart.dots[chart.near[list(nodes.values()), 0]], axis=1)))
        found, agree = cv2.findHomography(source, target, cv2.RANSAC, _FITTING * step, maxIters=1000)
        if found is None or agree.sum() < _MIN_DOTS:
            return None
        plane, source = np.asarray(found, np.float64), source[agree[:, 0] > 0]
        if turn in (1, 2):
            plane, source = _finest(chart, plane, source, free)
        nodes, expected = _laid_out(chart, plane, source, free)
    source, target = np.array(list(nodes), np.float64), chart.dots[list(nodes.values())]
    if len(nodes) < max(_MIN_DOTS, _MIN_FOUND * expected):
        return None
    found, _ = cv2.findHomography(source, target, 0)
    plane = np.asarray(found, np.float64)
    away = np.linalg.norm(_through(np.asarray(np.linalg.inv(plane)), target) - source, axis=1)
    return Grid(plane, len(nodes), float(np.sqrt((away**2).mean())))


def _finest(chart: _Chart, plane: Array, source: Array, free: _Free) -> tuple[Array, Array]:
    """The same grid with its shortest steps: it may have grown over every second dot only."""
    for aside, steps in _FINER:
        between = plane @ np.array([[1, 0, aside[0]], [0, 1, aside[1]], [0, 0, 1]])
        nodes, expected = _laid_out(chart, between, source, free)
        if len(nodes) >= _MIN_FOUND * expected:
            shorter = np.eye(3)
            shorter[:2, :2] = steps
            return plane @ shorter, source @ np.linalg.inv(shorter[:2, :2]).T
    return plane, source


def _holds_there(chart: _Chart, grid: Grid, climbed: _Free) -> bool:
    """Whether the grid's dots are seen where the climber was, too."""
    y, x = np.nonzero(climbed.mask)
    if not len(x):
        return False
    corners = np.array([[x.min(), y.min()], [x.max(), y.min()], [x.max(), y.max()], [x.min(), y.max()]], np.float64)
    nodes, expected = _laid_out(
        chart, grid.to_pixels, _through(np.asarray(np.linalg.inv(grid.to_pixels)), corners), climbed
    )
    return expected >= _MIN_CLIMBED and len(nodes) >= _MIN_FOUND * expected


def _laid_out(chart: _Chart, plane: Array, source: Array, free: _Free) -> tuple[dict[Node, int], int]:
    """The dots where the plane wants nodes, and how many nodes could be seen, a step around those known."""
    (left, low), (right, high) = source.min(axis=0).astype(int) - 1, source.max(axis=0).astype(int) + 1
    i, j = np.meshgrid(np.arange(left, right + 1), np.arange(low, high + 1))
    grid = np.column_stack([i.ravel(), j.ravel()]).astype(np.float64)
    places = _through(plane, grid)
    steps = np.linalg.norm(_through(plane, grid + np.array([1, 0])) - places, axis=1)
    rows, columns = free.mask.shape
    inside = ((places >= 2) & (places < [columns - 2, rows - 2])).all(axis=1)
    grid, places, steps = grid[inside], places[inside], steps[inside]
    seen = free.mask[places[:, 1].astype(int), places[:, 0].astype(int)]
    dots = chart.at(places[seen], _FITTING * steps[seen])
    pairs = zip(grid[seen][dots >= 0].astype(int).tolist(), dots[dots >= 0].tolist(), strict=True)
    return {(i, j): dot for (i, j), dot in pairs}, int(seen.sum())


def _through(matrix: Array, points: Array) -> Array:
    mapped = points @ matrix[:, :2].T + matrix[:, 2]
    return np.asarray(mapped[:, :2] / mapped[:, 2:])
