"""``ascension-vision sample``: render a climb whose truth is known."""

import argparse
import sys
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for sample.mp4 and truth.json")
    parser.add_argument("--seed", type=int, default=7, help="another seed, another wall, route and outfit")
    parser.add_argument("--duration", type=float, default=12.0, metavar="S", help="seconds")
    parser.add_argument("--fps", type=int, default=30)
    parser.add_argument("--size", type=_size, default=(720, 1280), metavar="WxH", help="pixels, both even")
    parser.add_argument("--wall-angle", type=float, default=8.0, metavar="DEG", help="overhang positive, slab negative")
    parser.add_argument("--height", type=float, default=1.74, metavar="M", help="the climber's height in metres")
    parser.add_argument("--build", type=float, default=1.0, help="girth, 1 is average")
    parser.add_argument("--sex", choices=("female", "male"), default="female", help="de Leva proportions")
    parser.add_argument(
        "--clumsiness",
        type=float,
        default=0.0,
        metavar="C",
        help="0 is an expert; up to 1 with ever more detours, swinging hips, re-grips, fidgets and waiting",
    )
    parser.add_argument("--dyno", action="store_true", help="both hands leave at once in the last move")
    parser.add_argument(
        "--distance", type=float, metavar="M", help="of the camera; far enough for the shape of the frame"
    )
    parser.add_argument("--pan", type=float, default=0.0, help="how far the camera follows the climber, 0 to 1")
    parser.add_argument(
        "--shake", type=float, default=0.0, metavar="DEG", help="hand-held rotation, standard deviation"
    )


def run(args: argparse.Namespace) -> int:
    from ascension_vision.cli import BadInput
    from ascension_vision.scene import BodyOptions, CameraOptions, SceneOptions, StyleOptions
    from ascension_vision.scene.film import write_sample

    width, height = args.size
    # a landscape frame sees less of the wall's height from the same place
    usual = CameraOptions.distance_m * max(1.0, min(width / height, 1.6))
    try:
        options = SceneOptions(
            seed=args.seed,
            duration_s=args.duration,
            fps=args.fps,
            width=width,
            height=height,
            wall_angle_deg=args.wall_angle,
            body=BodyOptions(height_m=args.height, build=args.build, sex=args.sex),
            camera=CameraOptions(distance_m=args.distance or usual, pan=args.pan, shake_deg=args.shake),
            style=StyleOptions.graded(args.clumsiness),
            dyno=args.dyno,
        )
    except ValueError as error:
        raise BadInput(str(error)) from error

    def show(fraction: float) -> None:
        if sys.stderr.isatty():
            print(f"\rrendering {fraction:4.0%}", end="" if fraction < 1 else "\n", file=sys.stderr, flush=True)

    video, truth = write_sample(args.out, options, show)
    print(f"{video}\n{truth}")
    return 0


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    try:
        return int(width), int(height)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not WIDTHxHEIGHT") from None
