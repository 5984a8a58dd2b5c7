"""``ascension-vision``: the analysis without any cloud."""

import argparse
import importlib
import sys

from ascension_vision import memory

COMMANDS = {
    "analyze": "analyse one video and write the result",
    "holds": "find the holds in photos of walls",
    "render": "draw a result over its video: overlay.mp4 and summary.png",
    "sample": "render a sample climb whose truth is known",
}


class BadInput(Exception):
    """The input cannot be analysed; the message is one line a user understands."""


def main(argv: list[str] | None = None) -> int:
    """Run one command. Returns the exit status: 0 done, 2 bad input (one line on stderr)."""
    memory.keep_freed()
    parser = argparse.ArgumentParser(prog="ascension-vision", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, summary in COMMANDS.items():
        # Each command's module has add_arguments(parser) and run(args) -> int; heavy imports belong inside run().
        module = importlib.import_module(f"ascension_vision.commands.{name}")
        command = commands.add_parser(name, help=summary, description=summary)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    args = parser.parse_args(argv)
    try:
        return int(args.run(args))
    except BadInput as error:
        print(f"ascension-vision: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
