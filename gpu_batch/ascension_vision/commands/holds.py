"""``ascension-vision holds IMAGE… --json FILE``: the holds in photos of walls."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ascension_vision.holds.finding import FoundHold

SCHEMA = "ascension.photo-holds/1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("images", type=Path, nargs="+", metavar="IMAGE", help="a photo of a wall: JPEG, PNG, …")
    parser.add_argument("--json", type=Path, required=True, metavar="FILE", help="where the holds of all photos go")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="another model's weights (safetensors)")
    parser.add_argument(
        "--least", type=float, metavar="P", help="everything at least so likely (0…1), not what is worth reporting"
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")


def run(args: argparse.Namespace) -> int:
    import cv2
    import numpy as np

    from ascension_vision.cli import BadInput
    from ascension_vision.holds.finding import HoldModel
    from ascension_vision.pose.model import ModelUnavailable

    try:
        model = HoldModel(args.weights, args.device)
    except ModelUnavailable as error:
        print(f"ascension-vision: {error}", file=sys.stderr)
        return 1
    photos = []
    for path in args.images:
        if not path.is_file():
            raise BadInput(f"there is no file {path}")
        image = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)  # upright: what the camera noted about turning is heeded
        if image is None:
            raise BadInput(f"{path.name} is not an image that can be read")
        found = model.find(np.asarray(image, np.uint8), args.least)
        photos.append(described(path.name, image.shape[1], image.shape[0], found))
        volumes = sum(hold.kind == "volume" for hold in found)
        print(f"{path.name}: {len(found) - volumes} holds, {volumes} volumes")
    content = {"schema": SCHEMA, "model": model.name, "photos": photos}
    args.json.parent.mkdir(parents=True, exist_ok=True)
    args.json.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n")
    return 0


def described(file: str, width: int, height: int, found: "Sequence[FoundHold]") -> dict[str, Any]:
    """One photo as JSON values. Boxes and outlines are 0 … 1 of its width and height; pixels are its size."""
    return {
        "file": file,
        "width": width,
        "height": height,
        "holds": [
            {
                "id": number,
                "kind": hold.kind,
                "type": hold.type,
                "type_confidence": _rounded(hold.type_confidence),
                "confidence": _rounded(hold.confidence),
                "box": [_rounded(v / (width, height)[i % 2]) for i, v in enumerate(hold.box)],
                "outline": [[_rounded(x / width), _rounded(y / height)] for x, y in hold.outline.tolist()],
                "color": hold.color,
                "route": hold.route,
            }
            for number, hold in enumerate(found)
        ],
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
