"""The worker: takes work from the queues, answers Step Functions, and leaves nothing undone whatever happens."""

import gzip
import importlib.util
import json
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import boto3
import pytest
from ascension_vision.problems import Problem
from moto import mock_aws

ROOT = Path(__file__).resolve().parents[2]
VIDEO = {"width": 640, "height": 480, "fps": 30.0, "frame_count": 3, "duration_s": 0.1}


class Gone(Exception):
    """Step Functions knows the token no more."""


class States:
    """Step Functions' side of a task token (moto knows none)."""

    exceptions = SimpleNamespace(TaskTimedOut=Gone, TaskDoesNotExist=Gone, InvalidToken=Gone)

    def __init__(self) -> None:
        self.answers: list[tuple[str, str]] = []
        self.unknown: set[str] = set()

    def send_task_heartbeat(self, *, taskToken: str) -> None:  # noqa: N803
        if taskToken in self.unknown:
            raise Gone

    def send_task_success(self, *, taskToken: str, output: str) -> None:  # noqa: N803
        self.answers.append((taskToken, "success"))

    def send_task_failure(self, *, taskToken: str, error: str, cause: str) -> None:  # noqa: N803
        self.answers.append((taskToken, error))


class Functions:
    """What the workflow function is told."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: bytes) -> None:  # noqa: N803
        assert (FunctionName, InvocationType) == ("workflow", "Event")
        self.told.append(json.loads(Payload))


class Analysis:
    """A finished analysis."""

    def compact(self) -> dict[str, Any]:
        return {"schema": "compact"}

    def verbose(self) -> dict[str, Any]:
        return {"video": VIDEO, "metrics": {"reach": None}, "metrics_info": {"reach": {"reason": "no scale"}}}

    def thumbnail_jpeg(self) -> bytes:
        return b"\xff\xd8 picture"

    def kept(self) -> bytes:
        return b"what was seen"


class Bench:
    """A worker with real queues and a real bucket (moto's) to try it on."""

    def __init__(self, module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
        self.module, self._monkeypatch = module, monkeypatch
        self.sqs, self.s3 = boto3.client("sqs"), boto3.client("s3")
        self.states, self.functions = States(), Functions()
        self.priority, self.ordinary = (
            self.sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "30"})["QueueUrl"]
            for name in ("priority", "ordinary")
        )
        self.s3.create_bucket(Bucket="videos")
        self.models_used: list[dict[str, Any]] = []
        # Whose video the calling thread is at.
        self.at = threading.local()
        self.analyse(lambda progress: Analysis())

    def analyse(self, how: Callable[[Callable[[str, float], None]], Any]) -> None:
        """What the library does with every video from now on."""

        def analyze(path: Path, options: Any, progress: Callable[[str, float], None], **models: Any) -> Any:
            assert path.read_bytes() == b"film"
            self.models_used.append(models)
            self.at.name = path.stem
            return how(progress)

        self._monkeypatch.setattr(self.module, "analyze", analyze)

    def revise(self, how: Callable[[list[dict[str, Any]]], Any]) -> None:
        """What the library does with every correction from now on."""

        def revise(kept: bytes, options: Any, changes: list[dict[str, Any]], progress: Any) -> Any:
            assert kept == b"what was seen"
            progress("measuring", 0.5)
            return how(changes)

        self._monkeypatch.setattr(self.module, "revise", revise)

    def queue_correction(self, name: str, *changes: dict[str, Any]) -> None:
        correction: dict[str, Any] = {
            "correction_id": f"correction of {name}",
            "changes": list(changes),
            "video_key": None,
        }
        kept = f"results/{name}/working.npz"
        self.queue(name, self.ordinary, result_prefix=f"results/{name}/r1/", kept_key=kept, **correction)

    def queue(self, name: str, url: str | None = None, **members: Any) -> None:
        video = f"uploads/{name}.mp4"
        self.s3.put_object(Bucket="videos", Key=video, Body=b"film")
        work = {"job_id": name, "video_key": video, "result_prefix": f"results/{name}/", "options": {}}
        body = json.dumps({"task_token": f"token of {name}", **work, **members})
        self.sqs.send_message(QueueUrl=url or self.ordinary, MessageBody=body)

    def worker(self, idle_seconds: float | None = None, at_once: int | None = None) -> Any:
        """One that is about to begin; ``at_once``: what the environment says."""
        clients = {"sqs": self.sqs, "s3": self.s3, "stepfunctions": self.states, "lambda": self.functions}
        self._monkeypatch.setattr(self.module.boto3, "client", clients.__getitem__)
        environment = {
            "VIDEOS_BUCKET": "videos",
            "PRIORITY_QUEUE_URL": self.priority,
            "WORK_QUEUE_URL": self.ordinary,
            "WORKFLOW_FUNCTION": "workflow",
            "IDLE_SECONDS": str(idle_seconds or 3600),
            "AWS_BATCH_JOB_ID": "this worker",
            "ANALYSES_AT_ONCE": str(at_once or ""),
        }
        return self.module.Worker(environment)

    def run(self, idle_seconds: float | None = None, at_once: int | None = None) -> None:
        """A worker's whole life: until it has been idle for so long, or by default until no work is left."""
        worker = self.worker(idle_seconds, at_once)
        take = self.module.Queues.take

        def take_or_stop(queues: Any, patiently: bool) -> Any:
            if idle_seconds is None and self.left() == 0:
                worker.stop()
                return None
            return take(queues, patiently)

        with self._monkeypatch.context() as patch:
            patch.setattr(self.module.Queues, "take", take_or_stop)
            worker.run()

    def outcome(self, name: str) -> dict[str, Any]:
        body = self.stored(f"results/{name}/outcome.json")
        outcome: dict[str, Any] = json.loads(body)
        return outcome

    def stored(self, key: str) -> bytes:
        body: bytes = self.s3.get_object(Bucket="videos", Key=key)["Body"].read()
        return body

    def left(self) -> int:
        """Messages on the queues, hidden ones too."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = [
            self.sqs.get_queue_attributes(QueueUrl=u, AttributeNames=names) for u in (self.priority, self.ordinary)
        ]
        return sum(int(answer["Attributes"][name]) for answer in found for name in names)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    spec = importlib.util.spec_from_file_location("worker", ROOT / "gpu_batch" / "worker.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "worker", module)
    monkeypatch.syspath_prepend(ROOT / "gpu_batch")
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "UNBELIEVED_SECONDS", (0.05, 0.1))
    # Long polling is moto's to sleep through, not ours.
    with mock_aws():
        yield Bench(module, monkeypatch)


def test_an_analysis_is_stored_answered_and_off_the_queue(bench: Bench) -> None:
    bench.queue("a")
    bench.run()
    assert bench.outcome("a")["status"] == "completed"
    assert bench.outcome("a")["video"] == VIDEO
    assert json.loads(gzip.decompress(bench.stored("results/a/compact.json.gz"))) == {"schema": "compact"}
    assert bench.stored("results/a/working.npz") == b"what was seen"
    assert bench.states.answers == [("token of a", "success")]
    assert bench.left() == 0


def test_one_worker_serves_many(bench: Bench) -> None:
    for name in "abc":
        bench.queue(name)
    bench.run()
    assert sorted(bench.states.answers) == [(f"token of {name}", "success") for name in "abc"]


def test_bad_input_is_an_outcome(bench: Bench) -> None:
    def nobody(progress: object) -> None:
        raise Problem("no-climber", "Nobody is climbing", "Nobody was seen.")

    bench.analyse(nobody)
    bench.queue("a")
    bench.run()
    assert bench.outcome("a")["problem"]["type"] == "no-climber"
    assert bench.states.answers == [("token of a", "success")]
    assert bench.left() == 0


def test_an_analysis_that_breaks_goes_back_and_after_three_attempts_is_given_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts: list[int] = []

    def broken(progress: object) -> None:
        attempts.append(1)
        raise RuntimeError("out of memory")

    # No pause before the next attempt, so that one worker's life is enough.
    give_back = bench.module.Work.give_back
    monkeypatch.setattr(bench.module.Work, "give_back", lambda self, seconds=0: give_back(self, 0))
    bench.analyse(broken)
    bench.queue("a")
    bench.run()
    assert len(attempts) == 3
    assert bench.states.answers == [("token of a", "WorkerDied")]
    assert bench.left() == 0


def test_work_nobody_waits_for_is_dropped_before_it_is_begun(bench: Bench) -> None:
    bench.states.unknown.add("token of a")
    bench.analyse(lambda progress: pytest.fail("analysed all the same"))
    bench.queue("a")
    bench.run()
    assert bench.states.answers == []
    assert bench.left() == 0


def test_work_that_is_withdrawn_on_the_way_is_stopped(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.module, "VISIBILITY_SECONDS", 1)

    def slow(progress: Callable[[str, float], None]) -> None:
        bench.states.unknown.add("token of a")
        for _ in range(1000):
            progress("working", 0.5)
            bench.module.time.sleep(0.01)
        pytest.fail("went on to the end")

    bench.analyse(slow)
    bench.queue("a")
    bench.run()
    assert bench.states.answers == []
    assert bench.left() == 0


def test_paying_customers_go_first_and_nobody_starves(bench: Bench) -> None:
    for number in range(6):
        bench.queue(f"paying {number}", bench.priority)
        bench.queue(f"free {number}", bench.ordinary)
    bench.run()
    served = [token.split()[2] for token, _ in bench.states.answers]
    assert served[:8] == ["paying", "paying", "paying", "free", "paying", "paying", "paying", "free"]
    assert served.count("free") == 6


def test_a_waiting_worker_hears_of_work_in_either_queue_and_loses_none(bench: Bench) -> None:
    queues = bench.module.Queues(bench.sqs, bench.states, bench.priority, bench.ordinary)

    def send_both() -> None:
        bench.queue("paid", bench.priority)
        bench.queue("free", bench.ordinary)

    threading.Timer(0.2, send_both).start()
    taken: list[Any] = []
    while len(taken) < 2:
        if (work := queues.take(patiently=True)) is not None:
            work.drop()
            taken.append(work.job_id)
    assert sorted(taken) == ["free", "paid"]
    assert bench.left() == 0


def test_a_worker_that_leaves_says_so_last(bench: Bench) -> None:
    bench.queue("a")
    bench.run()
    assert bench.functions.told[-1] == {"task": "staff", "leaving": "this worker"}


def test_a_worker_without_work_leaves_after_a_while(bench: Bench) -> None:
    bench.run(idle_seconds=0.5)
    assert bench.functions.told[-1] == {"task": "staff", "leaving": "this worker"}


def test_a_worker_whose_code_was_replaced_leaves_the_work_to_a_new_one(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    ages = iter([1.0, 2.0])
    monkeypatch.setattr(bench.module, "code_age", lambda: next(ages))
    bench.queue("a")
    bench.run()
    assert bench.states.answers == []
    assert bench.left() == 1


def test_as_many_analyses_as_the_environment_says_run_at_once_and_never_more(bench: Bench) -> None:
    both = threading.Barrier(2, timeout=20)
    now: list[str] = []
    most: list[int] = []

    def meet(progress: object) -> Analysis:
        now.append(bench.at.name)
        most.append(len(now))
        both.wait()
        now.remove(bench.at.name)
        return Analysis()

    bench.analyse(meet)
    for name in "abcd":
        bench.queue(name)
    bench.run(at_once=2)
    assert max(most) == 2
    assert sorted(bench.states.answers) == [(f"token of {name}", "success") for name in "abcd"]


def test_what_becomes_of_one_analysis_is_nothing_to_those_beside_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench.module, "VISIBILITY_SECONDS", 1)
    monkeypatch.setattr(bench.module, "MOST_ATTEMPTS", 1)
    give_back = bench.module.Work.give_back
    monkeypatch.setattr(bench.module.Work, "give_back", lambda self, seconds=0: give_back(self, 0))
    all_there = threading.Barrier(4, timeout=20)
    begun: set[str] = set()

    def analysed(progress: Callable[[str, float], None]) -> Analysis:
        if bench.at.name not in begun:
            begun.add(bench.at.name)
            all_there.wait()
        if bench.at.name == "broken":
            raise RuntimeError("out of memory")
        if bench.at.name == "empty":
            raise Problem("no-climber", "Nobody is climbing", "Nobody was seen.")
        if bench.at.name == "withdrawn":
            bench.states.unknown.add("token of withdrawn")
        for _ in range(1000 if bench.at.name == "withdrawn" else 1):
            progress("working", 0.5)
            bench.module.time.sleep(0.01)
        return Analysis()

    bench.analyse(analysed)
    for name in ("broken", "empty", "withdrawn", "good"):
        bench.queue(name)
    bench.run(at_once=4)
    assert bench.outcome("good")["status"] == "completed"
    assert bench.outcome("empty")["problem"]["type"] == "no-climber"
    answered = {"token of good": "success", "token of empty": "success", "token of broken": "WorkerDied"}
    assert dict(bench.states.answers) == answered
    assert bench.left() == 0


def test_what_comes_for_a_second_time_is_done_alone(bench: Bench) -> None:
    bench.queue("killer", bench.priority)
    taken = bench.sqs.receive_message(QueueUrl=bench.priority, VisibilityTimeout=0)["Messages"]
    assert len(taken) == 1, "a worker died of it"
    for name in "ab":
        bench.queue(name, bench.priority)
    now: set[str] = set()
    beside: dict[str, set[str]] = {}

    def analysed(progress: object) -> Analysis:
        now.add(bench.at.name)
        bench.module.time.sleep(0.1)
        beside[bench.at.name] = set(now)
        now.remove(bench.at.name)
        return Analysis()

    bench.analyse(analysed)
    bench.run(at_once=3)
    assert beside["killer"] == {"killer"}
    assert sorted(beside) == ["a", "b", "killer"]
    assert bench.left() == 0


def test_a_worker_told_to_stop_finishes_what_it_has_begun_takes_nothing_more_and_leaves_last(bench: Bench) -> None:
    worker = bench.worker(at_once=2)
    both = threading.Barrier(2, timeout=20)

    def stopped_on_the_way(progress: object) -> Analysis:
        both.wait()
        worker.stop()
        bench.module.time.sleep(0.2)
        assert {"task": "staff", "leaving": "this worker"} not in bench.functions.told
        return Analysis()

    bench.analyse(stopped_on_the_way)
    for name in "abc":
        bench.queue(name)
    worker.run()
    assert len(bench.states.answers) == 2
    assert {answer for _, answer in bench.states.answers} == {"success"}
    assert bench.left() == 1
    assert bench.functions.told[-1] == {"task": "staff", "leaving": "this worker"}


def test_a_worker_is_not_idle_as_long_as_anything_runs(bench: Bench) -> None:
    def slow(progress: object) -> Analysis:
        if bench.at.name == "a":
            bench.module.time.sleep(0.5)
            bench.queue("b")
        return Analysis()

    bench.analyse(slow)
    bench.queue("a")
    bench.run(idle_seconds=0.3, at_once=2)
    assert [token for token, _ in bench.states.answers] == ["token of a", "token of b"]


def test_an_answer_that_is_lost_costs_the_worker_nothing_else(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    told = bench.states.send_task_success

    def unreachable(**answer: str) -> None:
        if answer["taskToken"] == "token of a":
            raise ConnectionError("Step Functions cannot be reached")
        told(**answer)

    monkeypatch.setattr(bench.states, "send_task_success", unreachable)
    bench.queue("a")
    bench.queue("b")
    bench.run(idle_seconds=0.3)
    assert bench.states.answers == [("token of b", "success")]
    assert bench.left() == 1, "it comes back when it has been hidden long enough"


@pytest.mark.parametrize(("device", "told", "at_once"), [("cpu", None, 1), ("cuda", None, 3), ("cuda", 2, 2)])
def test_a_gpu_has_several_analyses_at_once_where_the_environment_says_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, device: str, told: int | None, at_once: int
) -> None:
    loaded: list[str] = []
    monkeypatch.setattr(bench.module, "choose_device", lambda: device)
    for name in ("pose_model", "hold_model"):
        monkeypatch.setattr(bench.module.networks, name, loaded.append)
    all_there = threading.Barrier(at_once, timeout=20)

    def meet(progress: object) -> Analysis:
        all_there.wait()
        return Analysis()

    bench.analyse(meet)
    for name in "abc"[:at_once]:
        bench.queue(name)
    worker = bench.worker(0.2, told)
    worker.prepare()
    assert loaded == [device] * 2
    worker.run()
    assert len(bench.states.answers) == at_once


def test_progress_names_the_job_and_comes_at_most_about_once_a_second(bench: Bench) -> None:
    def reporting(progress: Callable[[str, float], None]) -> Analysis:
        for step in range(200):
            progress("working", step / 200)
        return Analysis()

    bench.analyse(reporting)
    bench.queue("a")
    bench.run()
    reports = [told for told in bench.functions.told if told["task"] == "progress"]
    assert 1 <= len(reports) <= 4
    assert all(report["job_id"] == "a" for report in reports)


def test_a_correction_is_made_from_what_was_kept_and_lies_in_its_own_folder(bench: Bench) -> None:
    bench.queue("a")
    bench.run()
    bench.analyse(lambda progress: pytest.fail("looked at the video again"))
    told: list[list[dict[str, Any]]] = []

    def carry_out(changes: list[dict[str, Any]]) -> Analysis:
        told.append(changes)
        return Analysis()

    bench.revise(carry_out)
    bench.queue_correction("a", {"action": "delete", "hold_id": 3})
    bench.run()
    assert told == [[{"action": "delete", "hold_id": 3}]]
    assert bench.outcome("a/r1")["status"] == "completed"
    assert bench.stored("results/a/r1/working.npz") == b"what was seen", "the next correction starts from it"
    assert bench.states.answers == [("token of a", "success")] * 2
    reports = [report for report in bench.functions.told if report["task"] == "progress"]
    assert (reports[0]["job_id"], reports[0]["correction_id"]) == ("a", None)
    assert (reports[-1]["job_id"], reports[-1]["correction_id"]) == ("a", "correction of a")


def test_a_correction_that_cannot_be_carried_out_is_an_outcome(bench: Bench) -> None:
    def unknown(changes: object) -> None:
        raise Problem("invalid-correction", "No", "Change 1: there is no hold 7. Nothing was changed.")

    bench.revise(unknown)
    bench.queue("a")
    bench.queue_correction("a", {"action": "delete", "hold_id": 7})
    bench.run()
    assert bench.outcome("a/r1")["problem"]["type"] == "invalid-correction"
    assert bench.outcome("a")["status"] == "completed"


def test_a_correction_of_an_analysis_of_which_nothing_was_kept_says_so(bench: Bench) -> None:
    bench.revise(lambda changes: pytest.fail("there is nothing to start from"))
    bench.queue_correction("a", {"action": "delete", "hold_id": 7})
    bench.run()
    assert bench.outcome("a/r1")["problem"]["type"] == "correction-impossible"
    assert bench.left() == 0


def test_an_account_s_own_model_is_used_and_one_that_cannot_be_is_an_outcome(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["own_models"], "hold_model", lambda file: file.read_bytes())
    etag = bench.s3.put_object(Bucket="videos", Key="models/m", Body=b"weights")["ETag"]
    own = {"holds": {"id": "m", "key": "models/m", "etag": etag}}
    bench.queue("a", models=own)
    bench.queue("b", models={"holds": own["holds"] | {"etag": '"another"'}})
    bench.run()
    assert bench.models_used == [{"holds": b"weights"}]
    assert bench.outcome("a")["status"] == "completed"
    assert bench.outcome("b")["problem"]["type"] == "own-model-unusable"
