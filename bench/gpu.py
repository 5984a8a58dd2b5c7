"""What a GPU makes of an analysis: seconds for half a minute of video, crops a second, what bounds them, and what half
precision changes. Where PyTorch finds no CUDA, figures of it are null; half precision is then the CPU's own float16."""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
import numpy.typing as npt
import torch
from ascension_vision import networks
from ascension_vision.analysis import Options, analyze
from ascension_vision.pose.blazepose import LANDMARK_SIZE, BlazePose
from ascension_vision.pose.crops import Cutter
from ascension_vision.pose.model import Detection, Landmarks
from ascension_vision.pose.roi import Roi, View
from ascension_vision.pose.scouting import scout
from ascension_vision.video.clip import Clip
from ascension_vision.video.picture import Picture

from bench.climbs import CLIMBS, long_clip, rendered
from bench.pose import REAL_CLIPS, SHARED_DATA, analysed
from bench.report import Goal, Report, Table

Image = npt.NDArray[np.uint8]
Array = npt.NDArray[np.float64]
T = TypeVar("T")

_TOGETHER = (1, 8, 32, 64, 128, 256)
_AT_ONCE = (1, 3, 6)
# Of each clip, and at once.
_CROPS, _FEW = 120, 8
_POSE_ALONE = Options(detect_holds=False, device="cuda")
_ALL = Options(generate_ghost=True, climber_height_cm=170, device="cuda")
_BESIDE_THE_POSE = ("following the camera", "finding holds", "reading the wall", "finding contacts")
_BODY_AND_GHOST = ("fitting the body", "training the Ghost")


def measure() -> Report:
    """About two minutes, and the rendering of the long clip where it is not there yet."""
    gpu = torch.cuda.is_available()
    half, goals = _half(gpu)
    rates = _networks(gpu)
    whole = _whole(gpu)
    tables = [half, rates, whole, _bounds(gpu), _at_once(gpu)]
    if gpu:
        goals += _goals(rates, whole)
    return Report(
        tables,
        goals,
        notes=[
            "Half precision: the landmark network's points on regions that an analysis looked at, in pixels of a frame "
            "of 1080 × 1920. Layers that it would spoil are computed in float32 on either device (pose/blazepose.py). "
            "On the CPU it is PyTorch's float16 there: the same roundings between layers, other sums within them.",
            "Crops a second: sent as bytes, landmarks fetched, one thread.",
            "A process pays for importing PyTorch and starting CUDA, a warm one has analysed the clip before.",
            "What bounds: the pass with the answers at hand is what is left where networks take no time; decoding has "
            "threads of its own, the rest of it is the thread that asks.",
            f"Beside the pose: {', '.join(_BESIDE_THE_POSE)}. Body and Ghost: {', '.join(_BODY_AND_GHOST)}.",
            f"On {torch.cuda.get_device_name()}, CUDA {torch.version.cuda}."
            if gpu
            else "PyTorch finds no CUDA here: what a GPU would do was not measured and is null.",
        ],
        packages=("torch", "numpy", "opencv-python-headless", "av"),
    )


def _half(gpu: bool) -> tuple[Table, list[Goal]]:
    columns = ["on", "clip", "landmarks", "median px", "p99 px", "largest px"]
    table, goals = Table("Half precision against float32", columns), []
    clips = {"rendered": rendered(CLIMBS[0]).video}
    if SHARED_DATA.is_dir():
        clips |= {name: SHARED_DATA / "clips" / name for name in REAL_CLIPS}
    seen = {name: _regions(video, "cuda" if gpu else "cpu") for name, video in clips.items()}
    for device, there in (("cpu", True), ("cuda", gpu)):
        if not there:
            table.rows += [[device, name, None, None, None, None] for name in seen]
            continue
        exact, rounded = BlazePose(device, half=False), BlazePose(device, half=True)
        everywhere = []
        for name, (crops, sides) in seen.items():
            moved = np.linalg.norm(_places(rounded, crops) - _places(exact, crops), axis=2) * sides[:, None]
            everywhere.append(moved.ravel())
            table.rows.append([device, name, moved.size, *_spread(moved)])
        median, p99, _ = _spread(np.concatenate(everywhere))
        goals.append(
            Goal(
                f"half precision on {device}: within 0.5 px median ({median}), 2 px p99 ({p99})",
                median <= 0.5 and p99 <= 2,
            )
        )
    return table, goals


def _spread(moved: Array) -> tuple[float, float, float]:
    return round(float(np.median(moved)), 3), round(float(np.percentile(moved, 99)), 2), round(float(moved.max()), 1)


def _regions(video: Path, device: str) -> tuple[Image, Array]:
    """Crops of where an analysis looked at somebody and saw them, and their sides in pixels of 1080 × 1920."""
    looks = scout(Clip(video), BlazePose(device), lambda done: None).looks
    chosen = [index for index, look in looks.items() if look.seen is not None]
    chosen = chosen[:: max(1, len(chosen) // _CROPS)]
    crops, sides = [], []
    for frame in Clip(video).frames():
        if frame.index in chosen:
            roi = looks[frame.index].asked
            crops.append(roi.crop(frame.picture, LANDMARK_SIZE, cv2.BORDER_REPLICATE))
            sides.append(roi.side * 1920 / max(frame.picture.shape))
    return np.stack(crops), np.array(sides)


def _places(pose: BlazePose, crops: Image) -> Array:
    """``(n, 33, 2)`` in sides of the crop."""
    parts = [pose.landmarks_in_crops(crops[i : i + _FEW]).points[:, :33, :2] for i in range(0, len(crops), _FEW)]
    return np.concatenate(parts)


def _networks(gpu: bool) -> Table:
    table = Table("Landmark network on CUDA, crops a second", ["crops at once", "half", "float32"])
    poses = [BlazePose("cuda", half) for half in (True, False)] if gpu else []
    for together in _TOGETHER:
        crops = np.random.default_rng(0).integers(0, 255, (together, LANDMARK_SIZE, LANDMARK_SIZE, 3), np.uint8)
        table.rows.append([together, *([_rate(pose, crops) for pose in poses] or (None, None))])
    return table


def _rate(pose: BlazePose, crops: Image) -> int:
    for _ in range(3):
        pose.landmarks_in_crops(crops)
    began, done = time.perf_counter(), 0
    while time.perf_counter() - began < 1.5:
        pose.landmarks_in_crops(crops)
        done += len(crops)
    return round(done / (time.perf_counter() - began))


def _whole(gpu: bool) -> Table:
    table = Table("30 s of 1080 × 1920 at 30 frames a second on CUDA", ["what", "s", "peak MiB", "of the GPU's"])
    if not gpu:
        names = ("pose alone, a process", "pose alone, warm", "all, a process", "all, warm", "beside the pose, warm",
                 "body and Ghost, warm")  # fmt: skip
        table.rows += [[name, None, None, None] for name in names]
        return table
    video = long_clip(30)
    for name, options, without in (
        ("pose alone", _POSE_ALONE, ("--no-holds", "--no-ghost")),
        ("all", _ALL, ("--climber-height-cm", "170")),
    ):
        with tempfile.TemporaryDirectory() as folder:
            run = analysed(video, Path(folder) / "a.json", without, "cuda")
        table.rows.append([f"{name}, a process", round(run.wall_s, 2), round(run.memory_mib), None])
        _stages(video, options)
        torch.cuda.reset_peak_memory_stats()
        stages = _stages(video, options)
        memory = round(torch.cuda.max_memory_allocated() / 2**20)
        table.rows.append([f"{name}, warm", round(sum(stages.values()), 2), None, memory])
    for name, parts in (("beside the pose", _BESIDE_THE_POSE), ("body and Ghost", _BODY_AND_GHOST)):
        table.rows.append([f"{name}, warm", round(sum(stages.get(part, 0.0) for part in parts), 2), None, None])
    return table


def _stages(video: Path, options: Options) -> dict[str, float]:
    """Seconds by the clock of each stage of an analysis."""
    took: dict[str, float] = {}
    last = ["opening", time.perf_counter()]

    def note(stage: str, fraction: float) -> None:
        now = time.perf_counter()
        took[str(last[0])] = took.get(str(last[0]), 0.0) + now - float(last[1])
        last[:] = [stage, now]

    analyze(video, options, note)
    return took


def _bounds(gpu: bool) -> Table:
    title = "What bounds the pose: its parts alone, 30 s of 1080 × 1920 at 30 frames a second"
    table = Table(title, ["part", "s", "how many"])
    device = "cuda" if gpu else "cpu"
    clip, pose = Clip(long_clip(30)), _Remembered(device)
    if gpu:
        clip.decode_on_gpu()
    scout(clip, pose, lambda done: None)
    frames, decoding = _timed(lambda: sum(1 for _ in clip.frames()))
    table.rows.append([f"decoding, {'by NVDEC' if clip.on_gpu else 'by the CPU'}", decoding, frames])
    pose.replay()
    thread = time.thread_time()
    _, passed = _timed(lambda: scout(clip, pose, lambda done: None))
    thread = time.thread_time() - thread
    table.rows.append(["the pass with the networks' answers at hand", passed, frames])
    table.rows.append(["of it, the thread that asks the networks", round(thread, 2), pose.asked])
    if not gpu:
        parts = ("sending and cutting", "landmark network", "the pass over the clip")
        table.rows += [[f"{part}, on CUDA", None, None] for part in parts]
        return table
    table.rows.append(["sending and cutting, on CUDA", _cutting(clip), frames])
    with _batches(pose.pose) as sizes:
        _, passed = _timed(lambda: scout(clip, pose.pose, lambda done: None))
    given, crops = list(sizes), np.zeros((max(sizes), LANDMARK_SIZE, LANDMARK_SIZE, 3), np.uint8)
    _, looking = _timed(lambda: [pose.pose.landmarks_in_crops(crops[:size]) for size in given])
    table.rows.append([f"landmark network, on CUDA, {len(given)} batches", looking, sum(given)])
    table.rows.append(["the pass over the clip, on CUDA", passed, frames])
    return table


class _Remembered:
    """BlazePose that remembers its answers, and gives them again in the same order without looking."""

    name = BlazePose.name

    def __init__(self, device: str) -> None:
        self.pose = BlazePose(device)
        self._answers: list[Any] = []
        self._again: Iterator[Any] | None = None

    def replay(self) -> None:
        self._again = iter(self._answers)

    @property
    def asked(self) -> int:
        """How often the networks had anything to do."""
        return sum(1 for answer in self._answers if answer)

    def detect(self, images: Sequence[View], rois: Sequence[Roi]) -> list[list[Detection]]:
        return self._answer(self.pose.detect, images, rois)

    def landmarks(self, images: Sequence[View], rois: Sequence[Roi]) -> list[Landmarks]:
        return self._answer(self.pose.landmarks, images, rois)

    def _answer(
        self, ask: Callable[[Sequence[View], Sequence[Roi]], list[T]], images: Sequence[View], rois: Sequence[Roi]
    ) -> list[T]:
        if self._again is not None:
            return list(next(self._again))
        self._answers.append(ask(images, rois))
        return list(self._answers[-1])


def _cutting(clip: Clip) -> float:
    """Seconds for a region of every frame, a few frames at once, as an analysis cuts them."""
    cutter, seconds = Cutter(torch.device("cuda")), 0.0
    roi = Roi(clip.width / 2, clip.height / 2, 0.6 * clip.width)
    pictures: list[Picture] = []

    def cut() -> None:
        cutter.cut(pictures, [roi] * len(pictures), LANDMARK_SIZE, repeat=True)
        torch.cuda.synchronize()

    for frame in clip.frames():
        pictures.append(frame.picture)
        if len(pictures) == _FEW:
            seconds += _timed(cut)[1]
            pictures.clear()
    return round(seconds, 2)


def _at_once(gpu: bool) -> Table:
    columns = ["at once", "s", "s each", "crops a batch"]
    table = Table("Analyses of 30 s at once in one process on CUDA, pose alone", columns)
    if not gpu:
        table.rows += [[count, None, None, None] for count in _AT_ONCE]
        return table
    video, pose = long_clip(30), networks.pose_model("cuda")
    assert isinstance(pose, BlazePose)
    for count in _AT_ONCE:
        with _batches(pose) as sizes, ThreadPoolExecutor(count) as threads:
            _, seconds = _timed(lambda: list(threads.map(lambda _: analyze(video, _POSE_ALONE), range(count))))  # noqa: B023
        table.rows.append([count, seconds, round(seconds / count, 2), round(float(np.mean(sizes)), 1)])
    return table


@contextmanager
def _batches(pose: BlazePose) -> Iterator[list[int]]:
    """How many crops the landmark network is given each time."""
    sizes: list[int] = []

    def note(network: torch.nn.Module, given: tuple[torch.Tensor]) -> None:
        sizes.append(len(given[0]))

    hook = pose._landmark.register_forward_pre_hook(note)
    try:
        yield sizes
    finally:
        hook.remove()


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    """What it answers, and the seconds by the clock that it takes."""
    began = time.perf_counter()
    answer = work()
    return answer, round(time.perf_counter() - began, 3)


def _goals(rates: Table, whole: Table) -> list[Goal]:
    seconds = {str(row[0]): float(row[1] or np.inf) for row in whole.rows}
    best = max(int(row[1] or 0) for row in rates.rows)
    limits = {
        "pose alone, a process": 2.0,
        "all, a process": 4.0,
        "beside the pose, warm": 0.3,
        "body and Ghost, warm": 0.5,
    }
    return [
        Goal(f"networks at 3,000 frames a second ({best})", best >= 3000),
        *(Goal(f"{name}: under {limit} s ({seconds[name]})", seconds[name] < limit) for name, limit in limits.items()),
    ]


if __name__ == "__main__":
    print(measure().text())
