"""``python -m bench [NAME…]``: run these benchmarks, or all. Exit 1 where a goal was missed or a benchmark failed."""

import argparse
import importlib
import sys
import time
import traceback
from pathlib import Path

from bench import BENCHMARKS
from bench.report import NotNow, Report

RESULTS = Path(__file__).parent / "results"


def main() -> int:
    """Run what the command line names."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Run benchmarks.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(BENCHMARKS)}; none: all")
    names = parser.parse_args().names or BENCHMARKS
    if unknown := set(names) - set(BENCHMARKS):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    good = True
    for name in names:
        print(f"== {name}", flush=True)
        started = time.monotonic()
        try:
            report: Report = importlib.import_module(f"bench.{name}").measure()
        except NotNow as reason:
            print(f"not now: {reason}\n")
            continue
        except Exception:
            traceback.print_exc()
            good = False
            continue
        result = RESULTS / f"{name}.json"
        report.write(result, time.monotonic() - started)
        print(f"{report.text()}\n\nwritten to {result}\n", flush=True)
        good = good and all(goal.met for goal in report.goals)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
