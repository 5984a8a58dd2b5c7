"""AWS Batch's API over `batch_job`: compute environments, queues, job definitions and jobs, kept in memory.

Each public method is one API operation, from its request to its answer in the API's own shape. What Batch offers and
this does not (array, multi-node and dependent jobs, fair-share scheduling) is refused by name, never ignored.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ascension_local.batch_job import ENDED, RUNNING, Host, Job, Machine

Request = Mapping[str, Any]
Answer = dict[str, Any]

OPERATIONS = {
    "CreateComputeEnvironment": "create_compute_environment",
    "UpdateComputeEnvironment": "update_compute_environment",
    "DeleteComputeEnvironment": "delete_compute_environment",
    "DescribeComputeEnvironments": "describe_compute_environments",
    "CreateJobQueue": "create_job_queue",
    "UpdateJobQueue": "update_job_queue",
    "DeleteJobQueue": "delete_job_queue",
    "DescribeJobQueues": "describe_job_queues",
    "RegisterJobDefinition": "register_job_definition",
    "DeregisterJobDefinition": "deregister_job_definition",
    "DescribeJobDefinitions": "describe_job_definitions",
    "SubmitJob": "submit_job",
    "DescribeJobs": "describe_jobs",
    "ListJobs": "list_jobs",
    "CancelJob": "cancel_job",
    "TerminateJob": "terminate_job",
}

_UNSUPPORTED_SUBMISSIONS = (
    "arrayProperties",
    "dependsOn",
    "nodeOverrides",
    "ecsPropertiesOverride",
    "eksPropertiesOverride",
    "shareIdentifier",
)


class ClientError(Exception):
    """The request is wrong: Batch's ClientException, status 400."""


class Batch:
    """The Batch of one account and region."""

    def __init__(self, region: str, account: str, machine: Machine, host: Host) -> None:
        self._arn = f"arn:aws:batch:{region}:{account}"
        self._machine = machine
        self._host = host
        self._lock = threading.RLock()
        self._environments: dict[str, Answer] = {}
        self._queues: dict[str, Answer] = {}
        self._definitions: dict[str, list[Answer]] = {}
        self._jobs: dict[str, Job] = {}

    def operations(self) -> dict[str, Callable[[Request], Answer]]:
        """The API operation's name and what answers it."""
        return {name: getattr(self, method) for name, method in OPERATIONS.items()}

    # Compute environments

    def create_compute_environment(self, request: Request) -> Answer:
        name = request["computeEnvironmentName"]
        with self._lock:
            if name in self._environments:
                raise ClientError(f"Object already exists: {self._environments[name]['computeEnvironmentArn']}")
            self._environments[name] = {
                **request,
                "computeEnvironmentArn": f"{self._arn}:compute-environment/{name}",
                "ecsClusterArn": f"{self._arn.replace(':batch:', ':ecs:')}:cluster/{name}_Batch",
                "state": request.get("state") or "ENABLED",
                "status": "VALID",
                "statusReason": "ComputeEnvironment Healthy",
            }
            return _only(self._environments[name], "computeEnvironmentName", "computeEnvironmentArn")

    def update_compute_environment(self, request: Request) -> Answer:
        with self._lock:
            environment = _found(self._environments, request["computeEnvironment"], "compute environment")
            changes = {name: value for name, value in request.items() if name != "computeEnvironment"}
            resources = {**environment.get("computeResources", {}), **changes.pop("computeResources", {})}
            environment.update(changes, computeResources=resources)
            return _only(environment, "computeEnvironmentName", "computeEnvironmentArn")

    def delete_compute_environment(self, request: Request) -> Answer:
        with self._lock:
            environment = self._environments.get(_name(request["computeEnvironment"]))
            if environment is None:
                return {}
            for queue in self._queues.values():
                for place in queue["computeEnvironmentOrder"]:
                    if _name(place["computeEnvironment"]) == environment["computeEnvironmentName"]:
                        raise ClientError("Cannot delete, found existing JobQueue relationship")
            del self._environments[environment["computeEnvironmentName"]]
            return {}

    def describe_compute_environments(self, request: Request) -> Answer:
        with self._lock:
            chosen = _chosen(self._environments, request.get("computeEnvironments"))
            return {"computeEnvironments": [dict(environment) for environment in chosen]}

    # Queues

    def create_job_queue(self, request: Request) -> Answer:
        if request.get("schedulingPolicyArn"):
            raise ClientError("schedulingPolicyArn is not supported by the local cloud")
        name = request["jobQueueName"]
        with self._lock:
            if name in self._queues:
                raise ClientError(f"Object already exists: {self._queues[name]['jobQueueArn']}")
            for place in request.get("computeEnvironmentOrder") or []:
                _found(self._environments, place["computeEnvironment"], "compute environment")
            self._queues[name] = {
                "computeEnvironmentOrder": [],
                **request,
                "jobQueueArn": f"{self._arn}:job-queue/{name}",
                "state": request.get("state") or "ENABLED",
                "status": "VALID",
                "statusReason": "JobQueue Healthy",
            }
            return _only(self._queues[name], "jobQueueName", "jobQueueArn")

    def update_job_queue(self, request: Request) -> Answer:
        with self._lock:
            queue = _found(self._queues, request["jobQueue"], "job queue")
            queue.update({name: value for name, value in request.items() if name != "jobQueue"})
            return _only(queue, "jobQueueName", "jobQueueArn")

    def delete_job_queue(self, request: Request) -> Answer:
        with self._lock:
            queue = self._queues.pop(_name(request["jobQueue"]), None)
            jobs = [job for job in self._jobs.values() if queue and job.queue_arn == queue["jobQueueArn"]]
        for job in jobs:
            job.terminate("JobQueue deleted")
        return {}

    def describe_job_queues(self, request: Request) -> Answer:
        with self._lock:
            return {"jobQueues": [dict(queue) for queue in _chosen(self._queues, request.get("jobQueues"))]}

    # Job definitions

    def register_job_definition(self, request: Request) -> Answer:
        if request["type"] != "container" or not request.get("containerProperties"):
            raise ClientError("The local cloud runs job definitions of type container with containerProperties only")
        name = request["jobDefinitionName"]
        with self._lock:
            revisions = self._definitions.setdefault(name, [])
            revision = len(revisions) + 1
            definition = {
                **request,
                "jobDefinitionArn": f"{self._arn}:job-definition/{name}:{revision}",
                "revision": revision,
                "status": "ACTIVE",
                "containerOrchestrationType": "ECS",
            }
            revisions.append(definition)
            return _only(definition, "jobDefinitionName", "jobDefinitionArn", "revision")

    def deregister_job_definition(self, request: Request) -> Answer:
        with self._lock:
            for definition in self._definitions.get(_name(request["jobDefinition"]).partition(":")[0], []):
                if request["jobDefinition"] in (definition["jobDefinitionArn"], _revision(definition)):
                    definition["status"] = "INACTIVE"
            return {}

    def describe_job_definitions(self, request: Request) -> Answer:
        with self._lock:
            found: Iterable[Answer] = [each for revisions in self._definitions.values() for each in revisions]
            if request.get("jobDefinitions"):
                asked = request["jobDefinitions"]
                found = [each for each in found if each["jobDefinitionArn"] in asked or _revision(each) in asked]
            if request.get("jobDefinitionName"):
                asked_name = _name(request["jobDefinitionName"]).partition(":")[0]
                found = [each for each in found if each["jobDefinitionName"] == asked_name]
            if request.get("status"):
                found = [each for each in found if each["status"] == request["status"]]
            return {"jobDefinitions": [dict(each) for each in found]}

    def _active_definition(self, asked: str) -> Answer:
        name, _, revision = _name(asked).partition(":")
        active = [each for each in self._definitions.get(name, []) if each["status"] == "ACTIVE"]
        if revision:
            active = [each for each in active if str(each["revision"]) == revision]
        if not active:
            raise ClientError(f"JobDefinition: {asked} not found")
        return active[-1]

    # Jobs

    def submit_job(self, request: Request) -> Answer:
        for name in _UNSUPPORTED_SUBMISSIONS:
            if request.get(name):
                raise ClientError(f"{name} is not supported by the local cloud")
        with self._lock:
            queue = _found(self._queues, request["jobQueue"], "job queue")
            if queue["state"] != "ENABLED":
                raise ClientError(f"JobQueue {queue['jobQueueName']} is disabled")
            definition = self._active_definition(request["jobDefinition"])
            job = Job(
                submitted=request,
                definition=definition,
                arn_prefix=self._arn,
                queue_arn=queue["jobQueueArn"],
                queue_name=queue["jobQueueName"],
                host=self._host,
            )
            self._jobs[job.id] = job
        self._machine.submit(job, int(queue.get("priority") or 0))
        return {"jobArn": job.arn, "jobName": request["jobName"], "jobId": job.id}

    def describe_jobs(self, request: Request) -> Answer:
        with self._lock:
            jobs = [self._jobs.get(_name(asked)) for asked in request["jobs"]]
        return {"jobs": [job.described() for job in jobs if job]}

    def list_jobs(self, request: Request) -> Answer:
        with self._lock:
            if not request.get("jobQueue"):
                raise ClientError("The local cloud lists jobs by jobQueue only")
            queue = _found(self._queues, request["jobQueue"], "job queue")
            jobs = [job for job in self._jobs.values() if job.queue_arn == queue["jobQueueArn"]]
        summaries = [job.summarized() for job in reversed(jobs)]
        for condition in request.get("filters") or []:
            if condition["name"] != "JOB_NAME":
                raise ClientError(f"The local cloud does not filter jobs by {condition['name']}")
            summaries = [
                summary
                for summary in summaries
                if any(_like(summary["jobName"], pattern) for pattern in condition["values"])
            ]
        if not request.get("filters"):
            status = request.get("jobStatus") or RUNNING
            summaries = [summary for summary in summaries if summary["status"] == status]
        return {"jobSummaryList": summaries}

    def cancel_job(self, request: Request) -> Answer:
        self._job(request).cancel(request["reason"])
        return {}

    def terminate_job(self, request: Request) -> Answer:
        self._job(request).terminate(request["reason"])
        return {}

    def _job(self, request: Request) -> Job:
        with self._lock:
            job = self._jobs.get(_name(request["jobId"]))
        if job is None:
            raise ClientError(f"Job {request['jobId']} does not exist")
        return job

    def stop(self, reason: str) -> None:
        """Ends every job and waits until their processes are gone."""
        with self._lock:
            jobs = [job for job in self._jobs.values() if job.status not in ENDED]
        for job in jobs:
            job.terminate(reason)
        for job in jobs:
            job.wait(self._host.stop_seconds + 1)


def _name(name_or_arn: str) -> str:
    """`queue` of both `queue` and `arn:aws:batch:…:job-queue/queue`."""
    return name_or_arn.rpartition("/")[2] if name_or_arn.startswith("arn:") else name_or_arn


def _revision(definition: Answer) -> str:
    return f"{definition['jobDefinitionName']}:{definition['revision']}"


def _found(things: dict[str, Answer], name_or_arn: str, what: str) -> Answer:
    try:
        return things[_name(name_or_arn)]
    except KeyError:
        raise ClientError(f"The {what} {name_or_arn} does not exist") from None


def _chosen(things: dict[str, Answer], names: Iterable[str] | None) -> list[Answer]:
    if not names:
        return list(things.values())
    return [things[_name(name)] for name in names if _name(name) in things]


def _only(thing: Answer, *names: str) -> Answer:
    return {name: thing[name] for name in names}


def _like(text: str, pattern: str) -> bool:
    if pattern.endswith("*"):
        return text.lower().startswith(pattern[:-1].lower())
    return text.lower() == pattern.lower()
