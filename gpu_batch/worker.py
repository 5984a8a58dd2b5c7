"""The Batch job: one video in S3, its analysis beside it, and an outcome that says how it went.

Told by the environment: JOB_ID, VIDEOS_BUCKET, VIDEO_KEY, RESULT_PREFIX, OPTIONS (JSON), PROGRESS_FUNCTION;
DEVICE (auto, cpu, cuda) says where the networks run.
Bad input is an outcome like any other (exit 0). Any other exit is a crash, after which the same job may run again:
everything it writes has a fixed key, and ``outcome.json`` is written last.
"""

import json
import logging
import os
import sys
import tempfile
import time
import zlib
from pathlib import Path
from typing import Any

import boto3
from ascension_vision.analysis import Analysis, Options, analyze
from ascension_vision.problems import Problem

log = logging.getLogger("worker")

# Progress is for people: more often than this helps nobody and costs an invocation each.
SECONDS_BETWEEN_REPORTS = 0.9


class Progress:
    """Tells the workflow function how far the job is, without waiting for an answer and never failing the job."""

    def __init__(self, job_id: str, function: str) -> None:
        self._job_id = job_id
        self._function = function
        self._client = boto3.client("lambda")
        self._last = (float("-inf"), "")

    def __call__(self, stage: str, fraction: float) -> None:
        now = time.monotonic()
        last, last_stage = self._last
        if now - last < SECONDS_BETWEEN_REPORTS and (stage == last_stage or now - last < SECONDS_BETWEEN_REPORTS / 3):
            return
        self._last = (now, stage)
        report = {"task": "progress", "job_id": self._job_id, "stage": stage, "fraction": fraction}
        try:
            self._client.invoke(
                FunctionName=self._function, InvocationType="Event", Payload=json.dumps(report).encode()
            )
        except Exception:
            log.exception("a progress report was lost")


class Results:
    """The job's folder in the bucket."""

    def __init__(self, s3: Any, bucket: str, prefix: str) -> None:
        self._s3, self._bucket, self._prefix = s3, bucket, prefix

    def put(self, name: str, body: bytes, content_type: str) -> None:
        self._s3.put_object(Bucket=self._bucket, Key=self._prefix + name, Body=body, ContentType=content_type)

    def put_json(self, name: str, document: dict[str, Any]) -> None:
        self.put(name, encode(document), "application/json")


def encode(document: dict[str, Any]) -> bytes:
    """JSON as it goes over the wire; NaN would be a bug of ours, not a number."""
    return json.dumps(document, separators=(",", ":"), allow_nan=False).encode()


def work() -> None:
    """Run the job described by the environment."""
    began = time.monotonic()
    env = os.environ
    s3 = boto3.client("s3")
    results = Results(s3, env["VIDEOS_BUCKET"], env["RESULT_PREFIX"])
    progress = Progress(env["JOB_ID"], env["PROGRESS_FUNCTION"])
    progress("downloading", 0.01)
    with tempfile.TemporaryDirectory() as folder:
        video = Path(folder) / Path(env["VIDEO_KEY"]).name
        s3.download_file(env["VIDEOS_BUCKET"], env["VIDEO_KEY"], str(video))
        try:
            analysis = analyze(video, Options.from_mapping(json.loads(env["OPTIONS"])), progress)
        except Problem as problem:
            log.info("nothing to analyse: %s: %s", problem.type, problem.detail)
            told = {"type": problem.type, "title": problem.title, "detail": problem.detail}
            results.put_json("outcome.json", {"status": "failed", "problem": told})
            return
    progress("saving", 0.98)
    store(analysis, results, time.monotonic() - began)


def store(analysis: Analysis, results: Results, seconds: float) -> None:
    """Put everything the analysis made; the outcome last, so that whoever reads it finds the rest."""
    verbose = analysis.verbose()
    results.put("compact.json.gz", packed(encode(analysis.compact())), "application/gzip")
    results.put("verbose.json.gz", packed(encode(verbose)), "application/gzip")
    results.put("thumbnail.jpg", analysis.thumbnail_jpeg(), "image/jpeg")
    results.put_json(
        "outcome.json",
        {
            "status": "completed",
            "processing_time_ms": round(seconds * 1000),
            "video": verbose["video"],
            "metrics": verbose["metrics"],
            "metrics_info": verbose["metrics_info"],
        },
    )


def packed(content: bytes) -> bytes:
    """The content as gzip that ends with an empty block: the API continues such a stream without unpacking it."""
    packer = zlib.compressobj(wbits=31)
    return packer.compress(content) + packer.flush(zlib.Z_SYNC_FLUSH) + packer.flush()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    work()
