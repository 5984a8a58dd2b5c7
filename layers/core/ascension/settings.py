"""The environment, parsed once, and the AWS clients made from it."""

import os
from dataclasses import dataclass
from functools import cache
from typing import Any


@dataclass(frozen=True)
class Settings:
    """What a function is told by template.yaml. Empty where that function is not given it."""

    environment: str
    database_url: str
    database_secret_arn: str
    database_host: str
    database_name: str
    auth_secret_arn: str
    videos_bucket: str
    state_machine_arn: str
    public_url: str
    api_endpoint: str
    websocket_endpoint: str
    analysis_timeout_seconds: int
    priority_queue_url: str
    work_queue_url: str
    job_queue: str
    job_definition: str
    max_workers: int

    @property
    def api_url(self) -> str:
        """Where clients find the API: ``…/api/v1``."""
        return f"{self.public_url}/api/v1" if self.public_url else f"{self.api_endpoint}/v1"

    @property
    def ws_url(self) -> str:
        """Where clients open the WebSocket, without the ticket."""
        return f"ws{self.public_url[4:]}/api/v1/ws" if self.public_url else self.websocket_endpoint

    @property
    def connections_url(self) -> str:
        """The @connections API: the WebSocket API's own endpoint, over http(s) instead of ws(s)."""
        return f"http{self.websocket_endpoint[2:]}"


@cache
def settings() -> Settings:
    """The settings of this process. Tests that change the environment call ``settings.cache_clear()``."""
    env = os.environ
    return Settings(
        environment=env.get("ENVIRONMENT", "local"),
        database_url=env.get("DATABASE_URL", ""),
        database_secret_arn=env.get("DATABASE_SECRET_ARN", ""),
        database_host=env.get("DATABASE_HOST", ""),
        database_name=env.get("DATABASE_NAME", ""),
        auth_secret_arn=env.get("AUTH_SECRET_ARN", ""),
        videos_bucket=env.get("VIDEOS_BUCKET", ""),
        state_machine_arn=env.get("STATE_MACHINE_ARN", ""),
        public_url=env.get("PUBLIC_URL", "").rstrip("/"),
        api_endpoint=env.get("API_ENDPOINT", "").rstrip("/"),
        websocket_endpoint=env.get("WEBSOCKET_ENDPOINT", "").rstrip("/"),
        analysis_timeout_seconds=int(env.get("ANALYSIS_TIMEOUT_SECONDS", "600")),
        priority_queue_url=env.get("PRIORITY_QUEUE_URL", ""),
        work_queue_url=env.get("WORK_QUEUE_URL", ""),
        job_queue=env.get("JOB_QUEUE", ""),
        job_definition=env.get("JOB_DEFINITION", ""),
        max_workers=int(env.get("MAX_WORKERS", "1")),
    )


@cache
def aws_client(service: str, endpoint_url: str | None = None) -> Any:
    """The process's boto3 client for a service; imported here because boto3 is the slowest import of a cold start."""
    import boto3
    from botocore.config import Config

    return boto3.client(
        service,
        endpoint_url=endpoint_url,
        config=Config(
            signature_version="s3v4" if service == "s3" else None,
            # The bucket's regional name from the first hour on: presigned URLs survive no redirect. An endpoint of its
            # own (the local cloud) has no such names.
            s3=None if os.environ.get("AWS_ENDPOINT_URL") else {"addressing_style": "virtual"},
            retries={"mode": "standard"},
        ),
    )
