"""Real footage where it is at hand, and MediaPipe's own answers about it."""

import os
import subprocess
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from ascension_vision.pose import weights
from ascension_vision.pose.blazepose import BlazePose
from ascension_vision.video.clip import Clip

REPOSITORY = Path(__file__).resolve().parents[3]
SHARED_DATA = Path(os.environ.get("ASCENSION_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))

Image = npt.NDArray[np.uint8]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Footage that is not ours to publish, beside the repository."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no shared footage in {SHARED_DATA}")
    return SHARED_DATA


@pytest.fixture(scope="session")
def pose() -> BlazePose:
    try:
        return BlazePose("cpu")
    except weights.WeightsUnavailable as error:
        pytest.fail(str(error))


@pytest.fixture(scope="session")
def mediapipe_python() -> Path:
    """The interpreter of MediaPipe's own environment, made on first use."""
    made = subprocess.run(["scripts/mediapipe-venv"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"MediaPipe's environment cannot be made here: {made.stderr.strip().splitlines()[-1:]}")
    return REPOSITORY / ".local/venvs/mediapipe/bin/python"


@pytest.fixture(scope="session")
def real_images(shared_data: Path) -> list[Image]:
    """RGB frames of a climb and photos of people."""
    clip = Clip(shared_data / "clips/warp-fixed-input.mp4")
    frames = [frame.image for frame in clip.frames(every=30)]
    photos = sorted((shared_data / "people").rglob("*.jpg"))[:12]
    loaded = [cv2.imread(str(photo), cv2.IMREAD_COLOR_RGB) for photo in photos]
    return frames + [image.astype(np.uint8, copy=False) for image in loaded if image is not None]
