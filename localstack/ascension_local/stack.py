"""The CloudFormation stack in the local cloud: checked, deployed, followed and described."""

from __future__ import annotations

import hashlib
import json
import mimetypes
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from ascension_local import template as templates
from ascension_local.absent import ABSENT
from ascension_local.emulator import REGION
from ascension_local.packaging import Artefact
from ascension_local.places import endpoint_url
from ascension_local.template import Template

NAME = "ascension-local"
ARTEFACTS = "ascension-local-artefacts"
_DEPLOY_SECONDS = 600.0
_POLL_SECONDS = 0.5


class StackError(Exception):
    """The template cannot be deployed; the message names the resources and says why."""


def client(service: str) -> Any:
    """A client of the local cloud."""
    return boto3.client(
        service,
        endpoint_url=endpoint_url(),
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - the emulator has no passwords
        config=Config(
            retries={"mode": "standard", "max_attempts": 2}, read_timeout=120, s3={"addressing_style": "path"}
        ),
    )


def unsupported(template: Template, values: Mapping[str, str]) -> list[str]:
    """`LogicalId (Type)` of each resource that nobody here can create and that is not in the list of the absent."""
    known = _known_types()
    return [
        f"{logical_id} ({resource['Type']})"
        for logical_id, resource in templates.existing(template, values).items()
        # SAM's own types become others before they are created.
        if not resource["Type"].startswith("AWS::Serverless::")
        and resource["Type"] not in ABSENT
        and resource["Type"].lower() not in known
    ]


def _known_types() -> set[str]:
    """In lower case: what LocalStack and our plug-ins bring a resource provider for."""
    return {each.name.lower() for each in entry_points(group="localstack.cloudformation.resource_providers")}


def upload(artefacts: list[Artefact]) -> int:
    """Puts the objects that are not there yet; returns how many that were."""
    s3 = client("s3")
    s3.create_bucket(Bucket=ARTEFACTS)
    there = {
        each["Key"]
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=ARTEFACTS)
        for each in page.get("Contents", [])
    }
    missing = [artefact for artefact in artefacts if artefact.key not in there]
    for artefact in missing:
        s3.put_object(Bucket=ARTEFACTS, Key=artefact.key, Body=artefact.body)
    return len(missing)


def deploy(template: Template, values: Mapping[str, str], told: Callable[[str], None]) -> None:
    """Creates or updates the stack and waits for it; told is called with what is being made now and then."""
    cloudformation = client("cloudformation")
    body = json.dumps(template, default=str)
    if len(body) > 51_200:  # the limit of a template in the request; S3's is 1 MB
        key = f"template/{hashlib.sha256(body.encode()).hexdigest()[:32]}.json"
        client("s3").put_object(Bucket=ARTEFACTS, Key=key, Body=body.encode())
        source = {"TemplateURL": f"{endpoint_url()}/{ARTEFACTS}/{key}"}
    else:
        source = {"TemplateBody": body}
    request = {
        "StackName": NAME,
        "Parameters": [{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()],
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        **source,
    }
    before = _described(cloudformation)
    if before and before["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        cloudformation.delete_stack(StackName=NAME)
        _follow(cloudformation, told, until=None)
        before = None
    try:
        (cloudformation.update_stack if before else cloudformation.create_stack)(**request)
    except ClientError as error:
        if "No updates are to be performed" in str(error):
            return
        raise StackError(error.response["Error"]["Message"]) from error
    _follow(cloudformation, told, until="UPDATE_COMPLETE" if before else "CREATE_COMPLETE")
    # What SAM made of its own types was not there to be checked before.
    known = _known_types()
    for each in cloudformation.describe_stack_resources(StackName=NAME)["StackResources"]:
        if each["ResourceType"].lower() not in known:
            raise StackError(
                f"LocalStack skipped {each['LogicalResourceId']} ({each['ResourceType']}): it does not know it"
            )


def outputs() -> dict[str, str]:
    described = _described(client("cloudformation"))
    return {each["OutputKey"]: each["OutputValue"] for each in (described or {}).get("Outputs", [])}


def upload_web(directory: Path, bucket: str) -> None:
    """The web pages as they are, with their content types."""
    s3 = client("s3")
    for path in sorted(path for path in directory.rglob("*") if path.is_file()):
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        s3.put_object(
            Bucket=bucket,
            # The distribution passes the whole path on to the bucket.
            Key=f"app/{path.relative_to(directory).as_posix()}",
            Body=path.read_bytes(),
            ContentType=kind,
        )


def _described(cloudformation: Any) -> dict[str, Any] | None:
    try:
        described: dict[str, Any] = cloudformation.describe_stacks(StackName=NAME)["Stacks"][0]
    except ClientError:
        return None
    return None if described["StackStatus"] == "DELETE_COMPLETE" else described


def _follow(cloudformation: Any, told: Callable[[str], None], until: str | None) -> None:
    """Waits for the state `until`, None for gone. Raises StackError with the events that failed."""
    since = datetime.now(UTC) - timedelta(seconds=1)
    deadline = time.monotonic() + _DEPLOY_SECONDS
    told_at = time.monotonic()
    while time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        described = _described(cloudformation)
        status = described["StackStatus"] if described else None
        if status == until:
            # LocalStack can end as complete what it rolled back in between.
            if until and (failures := _failures(cloudformation, since)):
                raise StackError(f"Some resources failed.\n{failures}")
            return
        if status is None or not status.endswith("_IN_PROGRESS"):
            raise StackError(f"The stack ended as {status}.\n{_failures(cloudformation, since)}")
        if time.monotonic() - told_at >= 5:
            resources = cloudformation.describe_stack_resources(StackName=NAME)["StackResources"]
            done = sum(each["ResourceStatus"].endswith("_COMPLETE") for each in resources)
            told(f"{done} resources so far")
            told_at = time.monotonic()
    raise StackError(f"The stack is not there after {_DEPLOY_SECONDS:.0f} s.\n{_failures(cloudformation, since)}")


def _failures(cloudformation: Any, since: datetime) -> str:
    """A line for each resource that failed after that time, the first failure first."""
    events = [
        event
        for page in cloudformation.get_paginator("describe_stack_events").paginate(StackName=NAME)
        for event in page["StackEvents"]
        if event["Timestamp"] >= since
    ]
    reasons = {
        f"  {each['LogicalResourceId']} ({each.get('ResourceType')})": each["ResourceStatusReason"]
        for each in events  # the newest first, so the first failure of a resource is what stays
        if "ResourceStatusReason" in each
        and ("FAILED" in each["ResourceStatus"] or "ROLLBACK" in each["ResourceStatus"])
    }
    return "\n".join(f"{resource}: {reason}" for resource, reason in reversed(reasons.items()))
