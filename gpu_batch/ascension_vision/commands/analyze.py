"""``ascension-vision analyze VIDEO --out FILE``."""

import argparse
import json
import os
import sys
import time
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("video", type=Path, metavar="VIDEO")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="where the result goes, as JSON")
    parser.add_argument("--format", choices=("compact", "verbose"), default="compact")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="auto reads DEVICE first")
    parser.add_argument("--no-ghost", action="store_true", help="do not compute the Ghost Climber")
    parser.add_argument("--no-holds", action="store_true", help="do not detect holds")
    parser.add_argument("--climber-height-cm", type=float, metavar="H")
    parser.add_argument(
        "--pose-model", type=Path, metavar="DIR", help="a ViTPose model (safetensors) that refines what BlazePose sees"
    )
    parser.add_argument("--thumbnail", type=Path, metavar="FILE", help="also write the thumbnail, a JPEG")


def run(args: argparse.Namespace) -> int:
    # Imported here: PyTorch takes seconds, and `--help` should not.
    from ascension_vision.analysis import Options, analyze, vitpose
    from ascension_vision.cli import BadInput
    from ascension_vision.pose.model import ModelUnavailable
    from ascension_vision.pose.weights import WeightsUnavailable
    from ascension_vision.problems import Problem

    options = Options(
        detect_holds=not args.no_holds,
        generate_ghost=not args.no_ghost,
        climber_height_cm=args.climber_height_cm,
        device=args.device,
    )
    bar = ProgressLine()
    try:
        pose = vitpose(args.pose_model, args.device) if args.pose_model else None
        analysis = analyze(args.video, options, bar.show, pose)
    except Problem as problem:
        raise BadInput(f"{args.video.name}: {problem.detail}") from problem
    except (WeightsUnavailable, ModelUnavailable) as error:
        print(f"ascension-vision: {error}", file=sys.stderr)
        return 1
    finally:
        bar.clear()
    result = analysis.compact() if args.format == "compact" else analysis.verbose()
    _write(args.out, json.dumps(result, separators=(",", ":"), allow_nan=False).encode())
    if args.thumbnail:
        _write(args.thumbnail, analysis.thumbnail_jpeg())
    return 0


class ProgressLine:
    """One line on stderr that is drawn over itself, on a terminal; silence elsewhere."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._drawn = 0.0

    def show(self, stage: str, fraction: float) -> None:
        now = time.monotonic()
        if self._live and (now - self._drawn > 0.1 or fraction >= 1):
            self._drawn = now
            filled = round(30 * fraction)
            print(
                f"\r\033[K{'█' * filled}{'░' * (30 - filled)} {fraction:4.0%} {stage}",
                end="",
                file=sys.stderr,
                flush=True,
            )

    def clear(self) -> None:
        if self._live:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial.write_bytes(content)
    partial.replace(path)
