"""``ascension-vision holds IMAGE… --json FILE``: the holds in photos of walls."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ascension_vision.holds.finding import FoundHold

# Doubtful boxes, too: with their confidence, everybody can draw the line elsewhere.
LEAST = 0.02


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("images", type=Path, nargs="+", metavar="IMAGE", help="a photo of a wall: JPEG, PNG, …")
    parser.add_argument("--json", type=Path, required=True, metavar="FILE", help="where the holds of all photos go")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="another model's weights (safetensors)")
    parser.add_argument(
        "--least", type=float, default=LEAST, metavar="P", help=f"least confidence, 0 to 1 (default {LEAST})"
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
        photos.append(described(str(path), image.shape[1], image.shape[0], found))
        likely = [hold.kind for hold in found if hold.confidence >= 0.5]
        doubtful = len(found) - len(likely)
        print(f"{path.name}: {likely.count('hold')} holds, {likely.count('volume')} volumes, {doubtful} doubtful boxes")
    args.json.parent.mkdir(parents=True, exist_ok=True)
    args.json.write_text(json.dumps(photos, indent=1, allow_nan=False) + "\n")
    return 0


def described(image: str, width: int, height: int, found: "Sequence[FoundHold]") -> dict[str, Any]:
    """One photo as JSON values; boxes and outlines in its pixels."""
    return {
        "image": image,
        "width": width,
        "height": height,
        "holds": [
            {
                "kind": hold.kind,
                "confidence": round(hold.confidence, 4),
                "box_px": [round(side, 1) for side in hold.box],
                "type": hold.type,
                "type_confidence": None if hold.type_confidence is None else round(hold.type_confidence, 4),
                "outline_px": [[round(x, 1), round(y, 1)] for x, y in hold.outline.tolist()],
                "color": hold.color,
                "route": hold.route,
            }
            for hold in found
        ],
    }
