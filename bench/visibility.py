"""Fits what ``ascension_vision.body.trust`` says about landmarks, and tells how well it holds on climbs left out."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt
from ascension_vision.body import trust
from ascension_vision.body.cleaning import clean
from ascension_vision.pose.blazepose import BlazePose
from ascension_vision.pose.climber import Path, find_climber
from ascension_vision.pose.following import follow
from ascension_vision.pose.scouting import scout
from ascension_vision.video.clip import Clip

from bench.climbs import CLIMBS, Array, rendered
from bench.pose import JOINTS, REACH, error
from bench.report import Goal, Report, Table

_BINS = (0.0, 0.3, 0.5, 0.7, 0.85, 0.95, 1.0)
_RIDGE = 1e-3


def measure() -> Report:
    """Fit on all climbs but one, judge on that one, for each; then fit on all. Half a minute and the rendering."""
    known = [_landmarks(number) for number in range(len(CLIMBS))]
    chances, before, right = [], [], []
    for left_out, (x, y) in enumerate(known):
        others = [pair for number, pair in enumerate(known) if number != left_out]
        coefficients = fit(others)
        chances.append(_chance(x, coefficients))
        before.append(1 / (1 + np.exp(-x[:, 1])))
        right.append(y)
    chance: Array = np.concatenate(chances)
    raw: Array = np.concatenate(before)
    truth: npt.NDArray[np.bool_] = np.concatenate(right)
    final = fit(known)
    columns = ["from", "to", "landmarks", "said", "right", "landmarks, raw", "said, raw", "right, raw"]
    table = Table(f"Landmarks within {REACH} torso lengths by visibility, on climbs left out of the fit", columns)
    for low, high in pairwise(_BINS):
        cells = [cell for said in (chance, raw) for cell in _bin(said, truth, low, high)]
        table.rows.append([low, high, *cells])
    near = (chance >= 0.85) & (chance < 0.95)
    share = float(truth[near].mean()) if near.any() else 0.0
    return Report(
        tables=[table],
        goals=[Goal(f"of landmarks said 0.85 to 0.95, nine in ten are right ({share:.3f})", 0.85 <= share <= 0.96)],
        notes=[
            f"Fitted on all climbs: {np.round(final, 3).tolist()}; in use: {trust.COEFFICIENTS.tolist()}.",
            f"Mean squared error of the chance: {((chance - truth) ** 2).mean():.4f}, "
            f"of the network's own visibility {((raw - truth) ** 2).mean():.4f}.",
        ],
        packages=("torch", "numpy"),
    )


def fit(climbs: list[tuple[Array, npt.NDArray[np.bool_]]]) -> Array:
    """``(4,)`` coefficients of the logistic regression, by Newton's method; every climb weighs the same."""
    x = np.concatenate([x for x, _ in climbs])
    y = np.concatenate([y for _, y in climbs])
    weight = np.concatenate([np.full(len(y), 1 / len(y)) for _, y in climbs]) / len(climbs)
    coefficients = np.zeros(x.shape[1])
    for _ in range(30):
        chance = _chance(x, coefficients)
        gradient = x.T @ (weight * (y - chance)) - _RIDGE * coefficients
        curvature = (x * (weight * chance * (1 - chance))[:, None]).T @ x + _RIDGE * np.eye(x.shape[1])
        coefficients = coefficients + np.linalg.solve(curvature, gradient)
    return coefficients


def _landmarks(number: int) -> tuple[Array, npt.NDArray[np.bool_]]:
    """``(n, 4)`` features and ``(n,)`` whether the landmark is right, of one climb."""
    truth = rendered(CLIMBS[number])
    clip, pose = Clip(truth.video), BlazePose("cpu")
    scouted = scout(clip, pose, lambda done: None)
    raw = follow(clip, pose, Path(find_climber(scouted.keys, pose), scouted.keys), scouted, lambda done: None)
    cleaned = clean(raw)
    answer = cleaned.points[..., :2] / (cleaned.width, cleaned.height)
    found = raw.seen
    right = error(truth, answer)[found][:, JOINTS] <= REACH
    return trust.features(raw, cleaned)[found][:, JOINTS].reshape(-1, 4), right.ravel()


def _chance(x: Array, coefficients: Array) -> Array:
    chance: Array = 1 / (1 + np.exp(-x @ coefficients))
    return chance


def _bin(said: Array, truth: npt.NDArray[np.bool_], low: float, high: float) -> list[float | int | None]:
    here = (said >= low) & (said < high if high < 1 else said <= high)
    if not here.any():
        return [0, None, None]
    return [int(here.sum()), round(float(said[here].mean()), 3), round(float(truth[here].mean()), 3)]


if __name__ == "__main__":
    print(measure().text())
