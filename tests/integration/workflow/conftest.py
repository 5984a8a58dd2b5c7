"""A user with a video, PostgreSQL for real, and S3, Step Functions and the WebSocket's management API by moto."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import boto3
import pytest
from ascension.analyses import workers
from ascension.analyses.lifecycle import result_prefix
from ascension.database import one, transaction
from ascension.settings import aws_client, settings
from moto import mock_aws
from psycopg.types.json import Jsonb

BUCKET = "videos"
MACHINE = {"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}


class Batch:
    """AWS Batch as far as workers need it (moto's runs jobs in Docker or ends them at once): jobs and their states."""

    def __init__(self) -> None:
        self.jobs: dict[str, str] = {}

    def submit_job(self, **job: str) -> dict[str, str]:
        job_id = str(uuid4())
        self.jobs[job_id] = "SUBMITTED"
        return {"jobId": job_id}

    def get_paginator(self, operation: str) -> "Batch":
        assert operation == "list_jobs"
        return self

    def paginate(self, *, jobQueue: str, jobStatus: str) -> list[dict[str, list[dict[str, str]]]]:  # noqa: N803
        return [{"jobSummaryList": [{"jobId": job} for job, status in self.jobs.items() if status == jobStatus]}]


@pytest.fixture
def cloud(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Batch]:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "VIDEOS_BUCKET": BUCKET,
        "PUBLIC_URL": "https://ascension.example",
        "WEBSOCKET_ENDPOINT": "wss://socket.example/api",
        "ANALYSIS_TIMEOUT_SECONDS": "600",
        "POWERTOOLS_TRACE_DISABLED": "1",
        "POWERTOOLS_METRICS_NAMESPACE": "Ascension",
        "POWERTOOLS_SERVICE_NAME": "test",
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        boto3.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        machine = boto3.client("stepfunctions").create_state_machine(
            name="analysis", definition=json.dumps(MACHINE), roleArn="arn:aws:iam::123456789012:role/states"
        )
        monkeypatch.setenv("STATE_MACHINE_ARN", machine["stateMachineArn"])
        for variable, name in (("PRIORITY_QUEUE_URL", "priority"), ("WORK_QUEUE_URL", "ordinary")):
            monkeypatch.setenv(variable, boto3.client("sqs").create_queue(QueueName=name)["QueueUrl"])
        monkeypatch.setenv("MAX_WORKERS", "5")
        batch = Batch()
        monkeypatch.setattr(workers, "aws_client", lambda service: batch if service == "batch" else aws_client(service))
        settings.cache_clear()
        aws_client.cache_clear()
        yield batch
    settings.cache_clear()
    aws_client.cache_clear()


@dataclass
class Climb:
    """One user's video and its analysis, as the API leaves them."""

    user_id: UUID
    video_id: UUID
    job_id: UUID
    key: str

    @property
    def row(self) -> dict[str, Any]:
        with transaction() as tx:
            row = one(tx, "SELECT * FROM analyses WHERE id = %s", self.job_id)
        assert row is not None
        return row

    @property
    def video(self) -> dict[str, Any]:
        with transaction() as tx:
            row = one(tx, "SELECT * FROM videos WHERE id = %s", self.video_id)
        assert row is not None
        return row

    @property
    def executions(self) -> list[str]:
        """The executions that were started for the job, by their state."""
        listed = aws_client("stepfunctions").list_executions(stateMachineArn=settings().state_machine_arn)
        return [e["status"] for e in listed["executions"] if e["name"] == str(self.job_id)]

    def age(self, **columns: str) -> None:
        """Set timestamps of the analysis to so long ago, e.g. ``started_at="2 hours"``."""
        self._age("analyses", self.job_id, columns)

    def age_video(self, **columns: str) -> None:
        self._age("videos", self.video_id, columns)

    def _age(self, table: str, row_id: UUID, columns: dict[str, str]) -> None:
        with transaction() as tx:
            for column, interval in columns.items():
                query = f"UPDATE {table} SET {column} = now() - interval '{interval}' WHERE id = %s"
                tx.execute(query, (row_id,))

    def put_outcome(self, outcome: dict[str, Any], compact: dict[str, Any] | None = None, folder: str = "") -> None:
        """What the worker leaves."""
        prefix = result_prefix(self.user_id, self.job_id, folder)
        s3 = aws_client("s3")
        if compact is not None:
            s3.put_object(
                Bucket=BUCKET, Key=prefix + "compact.json.gz", Body=gzip.compress(json.dumps(compact).encode())
            )
        s3.put_object(Bucket=BUCKET, Key=prefix + "outcome.json", Body=json.dumps(outcome).encode())


@pytest.fixture
def climb(cloud: Batch) -> Climb:
    """An announced video of 1000 bytes with a pending analysis."""
    user, video, job = uuid4(), uuid4(), uuid4()
    key = f"uploads/{user}/{video}/{video}.mp4"
    with transaction() as tx:
        tx.execute("INSERT INTO users (id, email, password_hash) VALUES (%s, %s, 'x')", (user, f"{user}@example.com"))
        tx.execute(
            "INSERT INTO videos (id, user_id, filename, content_type, object_key, announced_size_bytes, expires_at) "
            "VALUES (%s, %s, 'climb.mp4', 'video/mp4', %s, 1000, now() + interval '1 day')",
            (video, user, key),
        )
        tx.execute(
            "INSERT INTO analyses (id, video_id, user_id, options, options_hash) VALUES (%s, %s, %s, %s, 'hash')",
            (job, video, user, Jsonb({})),
        )
    return Climb(user, video, job, key)
