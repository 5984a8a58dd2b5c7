"""The Batch job: a worker that takes analyses from the queues until none has come for a while.

Told by the environment: VIDEOS_BUCKET, PRIORITY_QUEUE_URL, WORK_QUEUE_URL, WORKFLOW_FUNCTION, IDLE_SECONDS;
ANALYSES_AT_ONCE, by default several on a GPU, where they share the networks' batches, and one on a CPU;
DEVICE (auto, cpu, cuda) says where the networks run; Batch itself gives AWS_BATCH_JOB_ID.
A message is ``{task_token, job_id, video_key, result_prefix, options, models}``; ``models`` are the account's own
(``own_models``). A correction's has instead of ``video_key`` and ``models`` its ``correction_id``, the ``changes`` and
``kept_key``, where that lies which was kept of the analysis. What comes of either lies under ``result_prefix``, with
``outcome.json`` written last; bad input is an outcome like any other. Everything has a fixed key, so the work may be
done twice. While it is at work the worker renews the message's visibility: when it dies, the message comes back and
another worker takes it up.
"""

import json
import logging
import os
import signal
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, as_completed, wait
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import boto3
from ascension_vision import memory, networks
from ascension_vision.analysis import Analysis, Options, analyze, choose_device, revise
from ascension_vision.problems import Problem
from botocore.exceptions import ClientError
from own_models import OwnModels

log = logging.getLogger("worker")

# Progress is for people: more often than this helps nobody and costs an invocation each.
SECONDS_BETWEEN_REPORTS = 0.9
# A message is hidden for so long, and the time renewed thrice as often: what a dead worker held comes back soon.
VISIBILITY_SECONDS = 30
# A quick worker is sometimes ahead of an execution that has just handed its token out (LocalStack on a busy machine):
# that nobody waits is believed only after these pauses.
UNBELIEVED_SECONDS = (0.1, 0.4, 1.5, 6.0)
# Beside one GPU, with the four cores and 14 GB of memory that a job has: the parts that run on a core take longer than
# the networks. ``ascension.analyses.workers`` counts on as many for each worker.
AT_ONCE_ON_A_GPU = 3
# How often a worker that is at work and could do more looks for it. It does not wait at both queues: what came to one
# while it takes from the other would go back, and count as an attempt.
SECONDS_BETWEEN_LOOKS = 0.3
# One in so many times the ordinary queue is asked first, so that paying customers' work starves nobody.
ORDINARY_FIRST_EVERY = 4
# What is kept of an analysis beside its result. Where corrections start, ascension.analyses.workers says by this name.
KEPT = "working.npz"
# A video that has killed so many workers will kill the next one too.
MOST_ATTEMPTS = 3


class Withdrawn(Exception):
    """Nobody waits for this analysis any more: its execution was stopped, timed out, or answered by another worker."""


class Work:
    """One message from a queue."""

    def __init__(self, sqs: Any, states: Any, queue_url: str, message: dict[str, Any]) -> None:
        self._sqs, self._states, self._queue_url = sqs, states, queue_url
        self._receipt = message["ReceiptHandle"]
        self.attempt = int(message["Attributes"]["ApproximateReceiveCount"])
        self.body: dict[str, Any] = json.loads(message["Body"])
        self.withdrawn = threading.Event()

    @property
    def job_id(self) -> str:
        return str(self.body["job_id"])

    @property
    def names(self) -> dict[str, Any]:
        """What the workflow function knows this by."""
        return {"job_id": self.job_id, "correction_id": self.body.get("correction_id")}

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep the message hidden and the execution informed as long as the block runs.

        Raises:
            Withdrawn: nobody waits for the answer.
        """
        done = threading.Event()
        # At once, too: a message that was taken up again may belong to nobody by now.
        for pause in UNBELIEVED_SECONDS:
            if self._renew():
                break
            time.sleep(pause)
        else:
            raise Withdrawn
        thread = threading.Thread(target=self._keep, args=(done,), name="heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _keep(self, done: threading.Event) -> None:
        while not done.wait(VISIBILITY_SECONDS / 3):
            if not self._renew():
                self.withdrawn.set()

    def _renew(self) -> bool:
        """Whether, as far as we know, somebody still waits for the answer."""
        try:
            self._hide(VISIBILITY_SECONDS)
            self._states.send_task_heartbeat(taskToken=self.body["task_token"])
        except self._gone:
            return False
        except Exception:
            log.exception("a heartbeat of %s was lost", self.job_id)
        return True

    @property
    def _gone(self) -> tuple[type[Exception], ...]:
        errors = self._states.exceptions
        return (errors.TaskTimedOut, errors.TaskDoesNotExist, errors.InvalidToken)

    def _hide(self, seconds: int) -> None:
        self._sqs.change_message_visibility(
            QueueUrl=self._queue_url, ReceiptHandle=self._receipt, VisibilityTimeout=seconds
        )

    def done(self) -> None:
        """The outcome is in the bucket: the execution goes on."""
        self._answer(self._states.send_task_success, output="{}")

    def given_up(self, error: str, cause: str) -> None:
        """Nobody should try this again: the execution fails."""
        self._answer(self._states.send_task_failure, error=error, cause=cause)

    def _answer(self, send: Callable[..., Any], **answer: str) -> None:
        try:
            send(taskToken=self.body["task_token"], **answer)
        except self._gone:
            log.info("%s: nobody waits for the answer any more", self.job_id)
        self.drop()

    def drop(self) -> None:
        """Take the message off the queue."""
        self._sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=self._receipt)

    def give_back(self, seconds: int = 0) -> None:
        """Let another worker have it."""
        self._hide(seconds)


class Queues:
    """Where the work comes from: paying customers' first, but no queue starves."""

    def __init__(self, sqs: Any, states: Any, priority_url: str, ordinary_url: str) -> None:
        self._sqs, self._states = sqs, states
        self._urls = (priority_url, ordinary_url)
        self._turns = count(1)
        self._doors = ThreadPoolExecutor(2, "queue")

    def take(self, patiently: bool) -> Work | None:
        """The next piece of work, or None when both queues are empty, if ``patiently`` for about a second."""
        first, second = self._urls
        if next(self._turns) % ORDINARY_FIRST_EVERY == 0:
            first, second = second, first
        return self._receive(first, 0) or self._receive(second, 0) or (self._wait() if patiently else None)

    def _wait(self) -> Work | None:
        """Wait at both queues. What comes to the other one while the first one's work is done goes back at once."""
        waiting = [self._doors.submit(self._receive, url, 1) for url in self._urls]
        try:
            for door in as_completed(waiting):
                work = door.result()
                if work is not None:
                    waiting.remove(door)
                    return work
            return None
        finally:
            for door in waiting:
                door.add_done_callback(_give_back)

    def _receive(self, url: str, wait_seconds: int) -> Work | None:
        answer = self._sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=1,
            WaitTimeSeconds=wait_seconds,
            VisibilityTimeout=VISIBILITY_SECONDS,
            MessageSystemAttributeNames=["ApproximateReceiveCount"],
        )
        messages = answer.get("Messages", [])
        return Work(self._sqs, self._states, url, messages[0]) if messages else None


def _give_back(door: Future[Work | None]) -> None:
    if door.exception() is None and (work := door.result()) is not None:
        work.give_back()


class Progress:
    """Tells the workflow function how far an analysis is, without waiting for an answer and never failing it.

    Raises:
        Withdrawn: from the analysis that calls it, once nobody waits for that analysis.
    """

    def __init__(self, client: Any, function: str, work: Work) -> None:
        self._client, self._function, self._work = client, function, work
        self._last = (float("-inf"), "")

    def __call__(self, stage: str, fraction: float) -> None:
        if self._work.withdrawn.is_set():
            raise Withdrawn
        now = time.monotonic()
        last, last_stage = self._last
        if now - last < (SECONDS_BETWEEN_REPORTS if stage == last_stage else SECONDS_BETWEEN_REPORTS / 3):
            return
        self._last = (now, stage)
        report = {"task": "progress", **self._work.names, "stage": stage, "fraction": fraction}
        try:
            self._client.invoke(
                FunctionName=self._function, InvocationType="Event", Payload=json.dumps(report).encode()
            )
        except Exception:
            log.exception("a progress report was lost")


class Results:
    """An analysis's folder in the bucket."""

    def __init__(self, s3: Any, bucket: str, prefix: str) -> None:
        self._s3, self._bucket, self._prefix = s3, bucket, prefix

    def put(self, name: str, body: bytes, content_type: str) -> None:
        self._s3.put_object(Bucket=self._bucket, Key=self._prefix + name, Body=body, ContentType=content_type)

    def put_json(self, name: str, document: dict[str, Any]) -> None:
        self.put(name, encode(document), "application/json")

    def store(self, analysis: Analysis, seconds: float) -> None:
        """Put everything the analysis made; the outcome last, so that whoever reads it finds the rest."""
        verbose = analysis.verbose()
        self.put("compact.json.gz", packed(encode(analysis.compact())), "application/gzip")
        self.put("verbose.json.gz", packed(encode(verbose)), "application/gzip")
        self.put("thumbnail.jpg", analysis.thumbnail_jpeg(), "image/jpeg")
        self.put(KEPT, analysis.kept(), "application/octet-stream")
        outcome = {
            "status": "completed",
            "processing_time_ms": round(seconds * 1000),
            "video": verbose["video"],
            "metrics": verbose["metrics"],
            "metrics_info": verbose["metrics_info"],
        }
        self.put_json("outcome.json", outcome)

    def store_problem(self, problem: Problem) -> None:
        """There is nothing to analyse, and this is why."""
        told = {"type": problem.type, "title": problem.title, "detail": problem.detail}
        self.put_json("outcome.json", {"status": "failed", "problem": told})


def encode(document: dict[str, Any]) -> bytes:
    """JSON as it goes over the wire; NaN would be a bug of ours, not a number."""
    return json.dumps(document, separators=(",", ":"), allow_nan=False).encode()


def packed(content: bytes) -> bytes:
    """The content as gzip that ends with an empty block: the API continues such a stream without unpacking it."""
    packer = zlib.compressobj(wbits=31)
    return packer.compress(content) + packer.flush(zlib.Z_SYNC_FLUSH) + packer.flush()


class Worker:
    """Takes work, a few pieces at once, until none has come for IDLE_SECONDS, or it is told to stop."""

    def __init__(self, environment: dict[str, str]) -> None:
        sqs, states = boto3.client("sqs"), boto3.client("stepfunctions")
        self._queues = Queues(sqs, states, environment["PRIORITY_QUEUE_URL"], environment["WORK_QUEUE_URL"])
        self._s3, self._functions = boto3.client("s3"), boto3.client("lambda")
        self._bucket = environment["VIDEOS_BUCKET"]
        self._own_models = OwnModels(self._s3, self._bucket)
        self._workflow = environment["WORKFLOW_FUNCTION"]
        self._idle_seconds = float(environment["IDLE_SECONDS"])
        self._at_once = int(environment.get("ANALYSES_AT_ONCE") or 0)
        self._id = environment.get("AWS_BATCH_JOB_ID", "")
        self._stopping = threading.Event()
        self._code = code_age()

    def stop(self, *_: object) -> None:
        """Take nothing more (a Spot instance is taken back, the job is terminated)."""
        self._stopping.set()

    def prepare(self) -> None:
        """Load what all analyses share, and find out how many to do at once where the environment does not say."""
        try:
            device = choose_device()
            networks.pose_model(device)
            networks.hold_model(device)
        except Exception:
            log.exception("the networks could not be loaded, and every analysis will say so")
            return
        self._at_once = self._at_once or (AT_ONCE_ON_A_GPU if device == "cuda" else 1)
        log.info("networks on %s, %d at once", device, self._at_once)

    def run(self) -> None:
        """Work until there is none. More is taken only when there is somebody free for it, and what was begun before
        and not answered is done alone."""
        at_once, alone = self._at_once or 1, False
        running: set[Future[None]] = set()
        idle_since = time.monotonic()
        with ThreadPoolExecutor(at_once, "analysis") as threads:
            while not self._stopping.is_set():
                if running:
                    idle_since = time.monotonic()
                running = {analysis for analysis in running if not analysis.done()}
                free = len(running) < at_once and not (alone and running)
                if free and (work := self._queues.take(patiently=not running)) is not None:
                    if code_age() != self._code:
                        log.info("the code has changed since this worker started: leaving %s to a new one", work.job_id)
                        work.give_back()
                        break
                    # Has it ended a worker before? Then it shall not end the work of others again.
                    alone = work.attempt > 1
                    running.add(threads.submit(self._see_to, work, frozenset(running) if alone else ()))
                elif running:
                    wait(running, SECONDS_BETWEEN_LOOKS, FIRST_COMPLETED)
                elif time.monotonic() - idle_since >= self._idle_seconds:
                    break
        self._leave()

    def _see_to(self, work: Work, after: Collection[Future[None]]) -> None:
        try:
            self._serve(work, after)
        except Exception:
            # Not even an answer: the message comes back by itself when it has been hidden long enough.
            log.exception("%s: could not be answered for", work.job_id)

    def _serve(self, work: Work, after: Collection[Future[None]]) -> None:
        log.info("%s: attempt %d", work.job_id, work.attempt)
        if work.attempt > MOST_ATTEMPTS:
            work.given_up("WorkerDied", f"{MOST_ATTEMPTS} workers ended in the middle of it")
            return
        try:
            with work.held():
                wait(after)
                self._analyse(work)
        except Withdrawn:
            log.info("%s: withdrawn", work.job_id)
            work.drop()
        except Exception:
            # Not the video's fault, as far as we know: once more, a little later, perhaps by another worker.
            log.exception("%s: attempt %d failed", work.job_id, work.attempt)
            work.give_back(2**work.attempt)
        else:
            work.done()

    def _analyse(self, work: Work) -> None:
        began = time.monotonic()
        progress = Progress(self._functions, self._workflow, work)
        results = Results(self._s3, self._bucket, work.body["result_prefix"])
        options = Options.from_mapping(work.body["options"])
        try:
            if work.body.get("correction_id"):
                analysis = self._corrected(work, options, progress)
            else:
                analysis = self._analysed(work, options, progress)
        except Problem as problem:
            log.info("%s: nothing to analyse: %s", work.job_id, problem.type)
            results.store_problem(problem)
            return
        progress("saving", 0.98)
        results.store(analysis, time.monotonic() - began)
        log.info("%s: analysed in %.1f s", work.job_id, time.monotonic() - began)

    def _analysed(self, work: Work, options: Options, progress: Progress) -> Analysis:
        progress("downloading", 0.01)
        with tempfile.TemporaryDirectory() as folder:
            key = work.body["video_key"]
            video = Path(folder) / Path(key).name
            self._s3.download_file(self._bucket, key, str(video))
            return analyze(video, options, progress, **self._own_models.of(work.body))

    def _corrected(self, work: Work, options: Options, progress: Progress) -> Analysis:
        try:
            kept = self._s3.get_object(Bucket=self._bucket, Key=work.body["kept_key"])["Body"].read()
        except ClientError as error:
            # Who may not list a bucket is answered 403 for what is not there.
            if error.response["ResponseMetadata"]["HTTPStatusCode"] not in (403, 404):
                raise
            raise Problem(
                "correction-impossible",
                "This analysis cannot be corrected",
                "Of this analysis nothing was kept that a correction could start from. Please analyse the video again.",
            ) from error
        return revise(kept, options, work.body["changes"], progress)

    def _leave(self) -> None:
        """Say so as the last thing: what came meanwhile counted on this worker and needs another one."""
        message = json.dumps({"task": "staff", "leaving": self._id}).encode()
        self._functions.invoke(FunctionName=self._workflow, InvocationType="Event", Payload=message)


def code_age() -> float:
    """When the analysis's code was last changed. An image never changes; a checkout does."""
    return max(source.stat().st_mtime for source in Path(__file__).parent.rglob("*.py"))


def main() -> None:
    memory.keep_freed()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    logging.getLogger("botocore").setLevel(logging.WARNING)
    worker = Worker(dict(os.environ))
    signal.signal(signal.SIGTERM, worker.stop)
    worker.prepare()
    worker.run()


if __name__ == "__main__":
    main()
