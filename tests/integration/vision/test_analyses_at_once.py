"""Several analyses in one process, as on a GPU: they share the networks' batches and nothing else."""

import gzip
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ascension_vision.analysis import Options, analyze
from ascension_vision.pose.blazepose import BlazePose
from ascension_vision.problems import Problem
from ascension_vision.scene import SceneOptions
from ascension_vision.scene.film import write_sample
from torch import Tensor

from tests.unit.test_worker import Bench, bench  # noqa: F401
from tests.unit.vision import films

OPTIONS = Options(detect_holds=False, device="cpu")


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two climbers, and a wall without any."""
    folder = tmp_path_factory.mktemp("clips")
    climbs = [
        write_sample(folder / str(seed), SceneOptions(seed=seed, duration_s=0.6, fps=10, width=270, height=480))[0]
        for seed in (7, 3)
    ]
    return [*climbs, films.film(folder / "nobody.mp4", films.plain(10), fps=10)]


def result_of(clip: Path, pose: BlazePose) -> dict[str, Any] | str:
    try:
        return analyze(clip, OPTIONS, pose=pose).verbose()
    except Problem as problem:
        return problem.type


def test_analyses_at_once_find_what_each_finds_alone(clips: list[Path]) -> None:
    pose = BlazePose("cpu", shared=True)
    batches = 0

    def count(network: torch.nn.Module, given: tuple[Tensor]) -> None:
        nonlocal batches
        batches += 1

    pose._landmark.register_forward_pre_hook(count)
    expected, needed = [], []
    for clip in clips:
        before = batches
        expected.append(result_of(clip, pose))
        needed.append(batches - before)
    batches = 0
    # The first climber's analysis twice: what comes together goes together.
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(result_of, [*clips, clips[0]], [pose] * 4))
    assert batches < sum(needed) + needed[0]
    assert expected[2] == found[2] == "no-climber"
    for one, other in ((found[0], expected[0]), (found[1], expected[1]), (found[3], expected[0])):
        assert isinstance(one, dict)
        assert isinstance(other, dict)
        assert one["quality"] == other["quality"]
        here, there = (np.array([frame["landmarks"] for frame in of["poses"]["frames"]], float) for of in (one, other))
        assert np.abs(here[..., :2] - there[..., :2]).max() < 0.005


def test_a_worker_that_has_several_videos_at_once_stores_of_each_what_it_stores_alone(
    bench: Bench,  # noqa: F811
    clips: list[Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bench.module, "analyze", analyze)
    monkeypatch.setenv("DEVICE", "cpu")
    for name, clip in zip("abc", clips, strict=True):
        bench.queue(name, options={"detect_holds": False, "generate_ghost": False})
        bench.s3.put_object(Bucket="videos", Key=f"uploads/{name}.mp4", Body=clip.read_bytes())
    bench.run(at_once=3)
    for name, clip in zip("ab", clips, strict=False):
        stored = json.loads(gzip.decompress(bench.stored(f"results/{name}/verbose.json.gz")))
        assert stored["poses"] == json.loads(json.dumps(analyze(clip, OPTIONS).verbose()["poses"]))
    assert bench.outcome("c")["problem"]["type"] == "no-climber"
    assert sorted(bench.states.answers) == [(f"token of {name}", "success") for name in "abc"]
