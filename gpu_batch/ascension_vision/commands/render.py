"""``ascension-vision render``: draw a result over its video."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("video", type=Path, metavar="VIDEO")
    parser.add_argument(
        "analysis", type=Path, metavar="ANALYSIS.json", help="a compact or verbose result, or a whole answer of the API"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for overlay.mp4 and summary.png")


def run(args: argparse.Namespace) -> int:
    from ascension_vision.cli import BadInput
    from ascension_vision.drawing.overlay import write_overlay
    from ascension_vision.drawing.summary import write_summary

    if not args.video.exists():
        raise BadInput(f"there is no file {args.video}")
    result = _verbose(args.analysis)
    args.out.mkdir(parents=True, exist_ok=True)
    overlay, summary = args.out / "overlay.mp4", args.out / "summary.png"

    def show(fraction: float) -> None:
        if sys.stderr.isatty():
            print(f"\rdrawing {fraction:4.0%}", end="" if fraction < 1 else "\n", file=sys.stderr, flush=True)

    try:
        write_overlay(args.video, result, overlay, show)
        write_summary(args.video, result, summary)
    except (OSError, ValueError) as error:
        raise BadInput(f"{args.video.name} cannot be drawn on: {error}") from error
    print(f"{overlay}\n{summary}")
    return 0


def _verbose(path: Path) -> dict[str, Any]:
    """The verbose result in a file, whichever of the three forms it has."""
    from ascension_vision.cli import BadInput
    from ascension_vision.result import decode

    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        raise BadInput(f"there is no file {path}") from None
    except ValueError:
        raise BadInput(f"{path.name} is not JSON") from None
    if isinstance(content, dict) and "schema" not in content and "result" in content:
        content = content["result"]
    if not isinstance(content, dict):
        raise BadInput(f"{path.name} holds no result" + (": it is not completed" if content is None else ""))
    if content.get("schema") == decode.VERBOSE_SCHEMA:
        return content
    try:
        return decode.verbose(content)
    except (KeyError, ValueError) as error:
        raise BadInput(f"{path.name} holds no result that can be read: {error}") from None
