"""Rendered climbs whose truth is known, for benchmarks: bodies, cameras and mishaps. Kept in .local/bench."""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
from ascension_vision.scene import BodyOptions, CameraOptions, SceneOptions, plan_scene
from ascension_vision.scene.render import Renderer

FOLDER = Path(__file__).resolve().parents[1] / ".local/bench"

Image = npt.NDArray[np.uint8]
Array = npt.NDArray[np.float64]

# Raise when what is rendered changes.
_EDITION = "2"


@dataclass(frozen=True)
class Climb:
    """A scene and what happens to its picture: ``upright``, ``inverted``, ``sideways``, ``occluded`` or ``dark``."""

    name: str
    scene: SceneOptions
    mishap: str = "upright"


@dataclass(frozen=True)
class Rendered:
    """A climb as a video and its truth: ``joints`` ``(frames, 33, 2)`` 0 … 1 of the frame, ``visible`` of them."""

    name: str
    video: Path
    joints: Array
    visible: npt.NDArray[np.bool_]
    width: int
    height: int


def _scene(seed: int, angle: float, body: BodyOptions, camera: CameraOptions) -> SceneOptions:
    return SceneOptions(
        seed=seed, duration_s=5.0, fps=15, width=540, height=960, wall_angle_deg=angle, body=body, camera=camera
    )


_FRONT = CameraOptions()
_ASIDE = CameraOptions(distance_m=4.6, aside_m=2.4, height_m=1.2)
_FAR = CameraOptions(distance_m=9.0, aside_m=-1.0, height_m=2.2, pan=0.5, shake_deg=0.5)
_AVERAGE = BodyOptions()
_TALL = BodyOptions(height_m=1.92, build=1.2, sex="male")
_SHORT = BodyOptions(height_m=1.52, build=0.88)
_STOUT = BodyOptions(height_m=1.74, build=1.45, sex="male")
_CHILD = BodyOptions(height_m=1.28, build=0.95)

CLIMBS = (
    Climb("average, front, 8°", _scene(7, 8.0, _AVERAGE, _FRONT)),
    Climb("tall, aside, vertical", _scene(1, 0.0, _TALL, _ASIDE)),
    Climb("short, front, 30° overhang", _scene(2, 30.0, _SHORT, _FRONT)),
    Climb("stout, far and hand-held, slab", _scene(5, -10.0, _STOUT, _FAR)),
    Climb("child, aside, 15°", _scene(11, 15.0, _CHILD, _ASIDE)),
    Climb("tall, front, 40° overhang", _scene(8, 40.0, _TALL, _FRONT)),
    Climb("average, upside down", _scene(21, 8.0, _AVERAGE, _FRONT), "inverted"),
    Climb("stout, lying", _scene(22, 5.0, _STOUT, _ASIDE), "sideways"),
    Climb("short, behind a post", _scene(23, 5.0, _SHORT, _FRONT), "occluded"),
    Climb("average, far, in the dark", _scene(24, 10.0, _AVERAGE, _FAR), "dark"),
)


def rendered(climb: Climb) -> Rendered:
    """The climb's video and truth, rendered on first use."""
    folder = FOLDER / "climbs" / f"{climb.scene.seed}-{climb.mishap}"
    video, truth = folder / "climb.mp4", folder / "truth.npz"
    recipe = json.dumps([_EDITION, asdict(climb)], sort_keys=True)
    if not (folder / "recipe.json").exists() or (folder / "recipe.json").read_text() != recipe:
        folder.mkdir(parents=True, exist_ok=True)
        _render(climb, video, truth)
        (folder / "recipe.json").write_text(recipe)
    known = np.load(truth)
    return Rendered(climb.name, video, known["joints"], known["visible"], int(known["width"]), int(known["height"]))


def _render(climb: Climb, video: Path, truth: Path) -> None:
    scene = plan_scene(climb.scene)
    size = np.array([climb.scene.width, climb.scene.height])
    pictures, joints, visible = [], [], []
    for frame in Renderer(scene).frames():
        place = scene.cameras[frame.index].project(scene.motion.landmarks[frame.index]) / size
        picture, place, seen = _befall(climb.mishap, frame.image, place, frame.visible.copy())
        pictures.append(picture)
        joints.append(place)
        visible.append(seen & ((place >= 0) & (place <= 1)).all(axis=1))
    height, width = pictures[0].shape[:2]
    write(video, pictures, climb.scene.fps)
    np.savez(truth, joints=np.array(joints), visible=np.array(visible), width=width, height=height)


def _befall(
    mishap: str, image: Image, joints: Array, visible: npt.NDArray[np.bool_]
) -> tuple[Image, Array, npt.NDArray[np.bool_]]:
    if mishap == "inverted":
        return np.ascontiguousarray(image[::-1, ::-1]), 1 - joints, visible
    if mishap == "sideways":
        return np.ascontiguousarray(np.rot90(image)), np.column_stack([joints[:, 1], 1 - joints[:, 0]]), visible
    if mishap == "occluded":
        x0, x1 = 0.47, 0.51
        hidden = image.copy()
        columns = slice(int(x0 * image.shape[1]), int(x1 * image.shape[1]))
        hidden[:, columns] = np.array([92, 88, 80], np.uint8)
        return hidden, joints, visible & ~((joints[:, 0] >= x0) & (joints[:, 0] <= x1))
    if mishap == "dark":
        noise = np.random.default_rng(int(image.sum()) % 2**32).normal(0, 9, image.shape)
        return np.clip(0.28 * image + noise, 0, 255).astype(np.uint8), joints, visible
    return image, joints, visible


def long_clip(seconds: int, progress: Callable[[str], None] = print) -> Path:
    """H.264, 1080 × 1920, 30 frames a second: a rendered climb up and down again, with a sensor's noise."""
    path = FOLDER / f"climb-{seconds}s-1080p30.mp4"
    if path.exists():
        return path
    progress(f"rendering {path.name}")
    path.parent.mkdir(parents=True, exist_ok=True)
    options = SceneOptions(seed=7, duration_s=10.0, fps=30, width=540, height=960)
    small = [frame.image for frame in Renderer(plan_scene(options)).frames()]
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 2.5, (1920 + 64, 1080 + 64, 1)).astype(np.float32)

    def picture(index: int) -> Image:
        turn = index % (2 * len(small) - 2)
        large = cv2.resize(small[min(turn, 2 * len(small) - 2 - turn)], (1080, 1920), interpolation=cv2.INTER_CUBIC)
        y, x = (index * 29) % 64, (index * 47) % 64
        return np.asarray(np.clip(large + noise[y : y + 1920, x : x + 1080], 0, 255), np.uint8)

    partial = path.with_suffix(".partial.mp4")
    write(partial, (picture(index) for index in range(30 * seconds)), 30)
    partial.replace(path)
    return path


def large_clip(progress: Callable[[str], None] = print) -> Path:
    """Five seconds of H.264 in 2160 × 3840, 30 frames a second: the long clip's beginning, enlarged."""
    path = FOLDER / "climb-5s-2160p30.mp4"
    if path.exists():
        return path
    source = long_clip(30, progress)
    progress(f"enlarging {path.name}")

    def pictures() -> Iterable[Image]:
        with av.open(str(source)) as container:
            for _, frame in zip(range(150), container.decode(container.streams.video[0]), strict=False):
                small = frame.to_ndarray(format="rgb24")
                yield np.asarray(cv2.resize(small, (2160, 3840), interpolation=cv2.INTER_LINEAR), np.uint8)

    partial = path.with_suffix(".partial.mp4")
    write(partial, pictures(), 30)
    partial.replace(path)
    return path


def write(path: Path, pictures: Iterable[Image], fps: int) -> None:
    """H.264 as a phone would make it: a key frame every two seconds."""
    with av.open(str(path), "w") as container:
        stream = None
        for picture in pictures:
            if stream is None:
                options = {"preset": "veryfast", "crf": "21", "g": str(2 * fps)}
                stream = container.add_stream("libx264", rate=fps, options=options)
                stream.height, stream.width = picture.shape[:2]
                stream.pix_fmt = "yuv420p"
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        assert stream is not None
        container.mux(stream.encode())
