"""A cold start of the API function: CPU seconds from a fresh process to its first answer, and what its layer weighs.

On Lambda's Python with nothing on the path but the function's code and the layer. The
times are those under ``-X importtime``, which costs some itself.
"""

import hashlib
import json
import shutil
import statistics
import subprocess
import sys
from collections import Counter
from pathlib import Path

from bench import surroundings
from bench.filling import OWNER, fill, id_of
from bench.report import Goal, NotNow, Report, Table

GOAL_S = 0.8
RUNS = 7
# As template.yaml has it.
RUNTIME = surroundings.ROOT / ".local" / "venvs" / "runtime-python3.13"
_CORE = surroundings.ROOT / "layers" / "core"

# By these X-Ray's SDK knows that it runs on Lambda, and traces this request.
_LAMBDA = {
    "LAMBDA_TASK_ROOT": "/var/task",
    "AWS_LAMBDA_FUNCTION_NAME": "ascension-bench-api",
    "_X_AMZN_TRACE_ID": "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
    "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
    "POWERTOOLS_TRACE_DISABLED": "false",
}

# What the process does; it prints CPU seconds after the interpreter's start, the import and the first answer.
_PROCESS = """
import json, os, sys, time
from types import SimpleNamespace
times = [time.process_time()]
printed, sys.stdout = sys.stdout, open(os.devnull, "w")
from handler import handler
times.append(time.process_time())
context = SimpleNamespace(function_name="api", memory_limit_in_mb=1769, invoked_function_arn="arn", aws_request_id="x")
answer = handler(json.loads(os.environ["FIRST_EVENT"]), context)
assert answer["statusCode"] < 300, answer
times.append(time.process_time())
print(json.dumps(times), file=printed, flush=True)
os._exit(0)
"""


def measure() -> Report:
    """Start the function again and again."""
    if not RUNTIME.exists():
        raise NotNow("Lambda's runtime is not installed here: `make up` does that")
    layer = _layer()
    upload = json.dumps({"filename": "climb.mp4", "content_type": "video/mp4", "file_size_bytes": 1000}).encode()
    starts = Table(f"CPU seconds, median of {RUNS}", ("first request", "interpreter", "import", "request", "together"))
    slowest: list[float] = []
    imports: Counter[str] = Counter()
    with surroundings.database() as conninfo, surroundings.silent_aws() as aws:
        fill(conninfo, 50)
        environment = surroundings.environment(conninfo, aws)
        token = _token(environment)
        for name, event in {
            "GET /health": surroundings.event("GET", "/health"),
            "GET /me": surroundings.event("GET", "/me", token=token),
            "POST /analysis/request-upload": surroundings.event(
                "POST", "/analysis/request-upload", token=token, body=upload
            ),
        }.items():
            started_with = {**environment, **_LAMBDA, "FIRST_EVENT": json.dumps(event)}
            runs = []
            for _ in range(RUNS):
                times, imports = _start(started_with, layer)
                runs.append(times)
            started, imported, answered = (statistics.median(run[k] for run in runs) for k in range(3))
            slowest.append(answered)
            starts.rows.append(
                [name, *(round(v, 3) for v in (started, imported - started, answered - imported, answered))]
            )
    costs = Table("the slowest packages to import", ("package", "milliseconds"))
    costs.rows = [[package, round(micros / 1000, 1)] for package, micros in imports.most_common(15)]
    weights, total = _weights(layer)
    return Report(
        [starts, costs, weights],
        goals=[
            Goal(
                f"import and first request under {GOAL_S} s of CPU (slowest: {max(slowest):.2f} s)",
                max(slowest) < GOAL_S,
            )
        ],
        notes=[
            f"Lambda takes 250 MB of code and layers, unzipped; ours have {total / 1e6:.0f} MB without compiled copies."
        ],
        versions={"lambda python": _interpreter().parent.parent.name},
    )


def _start(environment: dict[str, str], layer: Path) -> tuple[list[float], Counter[str]]:
    """One start: the CPU seconds after each stage, and the imports' own microseconds by package."""
    function = surroundings.ROOT / "functions" / "api"
    path = ":".join(map(str, (function, layer, _CORE)))
    command = [str(_interpreter()), "-S", "-X", "importtime", "-c", _PROCESS]
    done = subprocess.run(command, env={**environment, "PYTHONPATH": path}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    costs: Counter[str] = Counter()
    for line in done.stderr.splitlines():
        if line.startswith("import time:") and "self [us]" not in line:
            own, _, module = line.removeprefix("import time:").split("|")
            costs[module.strip().partition(".")[0]] += int(own)
    times: list[float] = json.loads(done.stdout)
    return times, costs


def _layer() -> Path:
    """The layer's packages for Lambda's Python, installed and compiled once."""
    requirements = _CORE / "requirements.txt"
    recipe = hashlib.sha256(requirements.read_bytes() + str(_interpreter()).encode()).hexdigest()[:16]
    layer = surroundings.ROOT / ".local" / "bench" / f"layer-{recipe}"
    if not layer.exists():
        partial = layer.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        pip = [sys.executable, "-m", "pip", "--python", str(_interpreter()), "install", "--quiet", "--no-compile"]
        subprocess.run(
            [*pip, "--disable-pip-version-check", "--no-deps", "--target", partial, "-r", requirements], check=True
        )
        subprocess.run([_interpreter(), "-m", "compileall", "-q", partial], check=False, stdout=subprocess.DEVNULL)
        partial.rename(layer)
    return layer


def _interpreter() -> Path:
    return Path((RUNTIME / "interpreter").read_text().strip())


def _weights(layer: Path) -> tuple[Table, int]:
    sizes: Counter[str] = Counter()
    for file in layer.rglob("*"):
        if file.is_file() and file.suffix != ".pyc":
            sizes[file.relative_to(layer).parts[0]] += file.stat().st_size
    total = sum(sizes.values())
    table = Table("the layer's packages", ("package", "MB"))
    table.rows = [[package, round(size / 1e6, 2)] for package, size in sizes.most_common(12)]
    table.rows.append(["all of them", round(total / 1e6, 2)])
    return table, total


def _token(environment: dict[str, str]) -> str:
    """An access token that the function will take, made in a process that has its environment."""
    program = "import sys; from uuid import UUID; from ascension.accounts.tokens import issue_access_token as issue"
    command = [sys.executable, "-c", f"{program}; print(issue(UUID(sys.argv[1])))", str(id_of(OWNER))]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()
