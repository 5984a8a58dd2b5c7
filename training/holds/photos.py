"""Labelled photos: what lies in the data's folder, read once, and on which side of the split each one is."""

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Boxes = npt.NDArray[np.float32]

SPLIT = Path(__file__).with_name("split.json")


@dataclass(frozen=True)
class Photo:
    """A wall photo. ``boxes`` (n, 4) x0, y0, x1, y1 in pixels, ``kinds`` (n,) 0 hold, 1 volume; image RGB."""

    name: str
    image: Pixels
    boxes: Boxes
    kinds: npt.NDArray[np.int64]


class Changed(ValueError):
    """The data are not the ones that the split was made for."""


def data_directory() -> Path:
    """``ASCENSION_SHARED_DATA``, or ``shared/data`` beside the repository."""
    configured = os.environ.get("ASCENSION_SHARED_DATA")
    return Path(configured) if configured else Path(__file__).resolve().parents[3] / "shared" / "data"


def source(name: str) -> str:
    """What a photo's augmented copies have in common: its file's name without the export's suffix."""
    return name.split(".rf.")[0]


def digest(names: Iterable[str], directory: Path) -> str:
    """SHA-256 over the photos' and labels' bytes, in the names' order."""
    whole = hashlib.sha256()
    for name in sorted(names):
        image = directory / name
        whole.update(name.encode())
        whole.update(image.read_bytes())
        whole.update(_labels(image).read_bytes())
    return whole.hexdigest()


def split(part: str, directory: Path | None = None) -> list[str]:
    """The names, like ``valid/images/x.jpg``, of a part: ``train``, ``tune``, or ``test``. Raises ``Changed``."""
    return [name for group in parts(part, directory).values() for name in group]


def parts(part: str, directory: Path | None = None) -> dict[str, list[str]]:
    """The names of a part by group. Raises ``Changed`` where the photos in ``directory`` are not the split's."""
    stored = json.loads(SPLIT.read_text())
    directory = directory or data_directory() / "holds"
    everything = [name for names in stored["parts"].values() for group in names.values() for name in group]
    if digest(everything, directory) != stored["sha256"]:
        raise Changed(f"the photos in {directory} are not those the split was made for")
    groups: dict[str, list[str]] = stored["parts"][part]
    return groups


def load(name: str, directory: Path) -> Photo:
    """One photo with its labels."""
    path = directory / name
    image = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    if image is None:
        raise OSError(f"{path} cannot be read")
    rows, columns = image.shape[:2]
    lines = [line.split() for line in _labels(path).read_text().splitlines() if line.strip()]
    table = np.array([[float(value) for value in line] for line in lines], np.float32).reshape(-1, 5)
    middle, size = table[:, 1:3], table[:, 3:5]
    boxes = np.concatenate([middle - size / 2, middle + size / 2], axis=1) * [columns, rows, columns, rows]
    return Photo(name, np.asarray(image, np.uint8), boxes.astype(np.float32), table[:, 0].astype(np.int64))


def _labels(image: Path) -> Path:
    return image.parents[1] / "labels" / f"{image.stem}.txt"
