"""CloudFormation's AWS::Batch::ComputeEnvironment, JobQueue and JobDefinition, over the Batch API of this LocalStack.

Ref is the ARN for all three, as on AWS.
"""

from __future__ import annotations

from typing import Any, ClassVar

from localstack.services.cloudformation.resource_provider import (
    CloudFormationResourceProviderPlugin,
    OperationStatus,
    ProgressEvent,
    ResourceProvider,
    ResourceRequest,
)

Model = dict[str, Any]
Request = ResourceRequest[Model]
Event = ProgressEvent[Model]

# Maps whose keys are the user's own and stay as they are written.
_FREE_MAPS = frozenset({"Parameters", "Tags", "Options"})


def api_shape(value: Any, name: str = "") -> Any:
    """A template's properties in the API's shape: `JobDefinitionName` becomes `jobDefinitionName`, at every depth."""
    if isinstance(value, dict):
        if name in _FREE_MAPS:
            return {key: str(each) for key, each in value.items()}
        return {key[:1].lower() + key[1:]: api_shape(each, key) for key, each in value.items()}
    if isinstance(value, list):
        return [api_shape(each) for each in value]
    return value


def _done(model: Model) -> Event:
    return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model)


def _physical_name(request: Request, given: str | None) -> str:
    return given or f"{request.stack_name}-{request.logical_resource_id}"[:128]


class _BatchResource(ResourceProvider[Model]):
    """Create, update and delete of one type; subclasses say which properties name it and make it."""

    identifier: ClassVar[str]

    def read(self, request: Request) -> Event:
        return _done(request.desired_state)

    def _identify(self, request: Request) -> Model:
        """The model with what the resource that is already there is known by."""
        return {**request.desired_state, self.identifier: (request.previous_state or {})[self.identifier]}


class ComputeEnvironment(_BatchResource):
    TYPE = "AWS::Batch::ComputeEnvironment"
    identifier = "ComputeEnvironmentArn"
    SCHEMA = {"primaryIdentifier": ["/properties/ComputeEnvironmentArn"]}  # noqa: RUF012

    def create(self, request: Request) -> Event:
        model = request.desired_state
        asked = api_shape({name: value for name, value in model.items() if name not in _ENVIRONMENT_ONLY_IN_TEMPLATES})
        asked["computeEnvironmentName"] = _physical_name(request, model.get("ComputeEnvironmentName"))
        asked["type"] = str(asked["type"]).upper()
        answer = request.aws_client_factory.batch.create_compute_environment(**asked)
        return _done({**model, "ComputeEnvironmentArn": answer["computeEnvironmentArn"]})

    def update(self, request: Request) -> Event:
        model = self._identify(request)
        kept = ("State", "ServiceRole", "ComputeResources")
        changes = api_shape({name: model[name] for name in kept if name in model})
        changes.get("computeResources", {}).pop("spotIamFleetRole", None)  # cannot change
        request.aws_client_factory.batch.update_compute_environment(
            computeEnvironment=model["ComputeEnvironmentArn"], **changes
        )
        return _done(model)

    def delete(self, request: Request) -> Event:
        request.aws_client_factory.batch.delete_compute_environment(
            computeEnvironment=request.desired_state["ComputeEnvironmentArn"]
        )
        return _done({})


_ENVIRONMENT_ONLY_IN_TEMPLATES = frozenset({"ReplaceComputeEnvironment", "UpdatePolicy", "ComputeEnvironmentArn"})


class JobQueue(_BatchResource):
    TYPE = "AWS::Batch::JobQueue"
    identifier = "JobQueueArn"
    SCHEMA = {"primaryIdentifier": ["/properties/JobQueueArn"]}  # noqa: RUF012

    def create(self, request: Request) -> Event:
        model = request.desired_state
        asked = api_shape({name: value for name, value in model.items() if name != "JobQueueArn"})
        asked["jobQueueName"] = _physical_name(request, model.get("JobQueueName"))
        answer = request.aws_client_factory.batch.create_job_queue(**asked)
        return _done({**model, "JobQueueArn": answer["jobQueueArn"]})

    def update(self, request: Request) -> Event:
        model = self._identify(request)
        kept = ("State", "Priority", "ComputeEnvironmentOrder", "JobStateTimeLimitActions")
        changes = api_shape({name: model[name] for name in kept if name in model})
        request.aws_client_factory.batch.update_job_queue(jobQueue=model["JobQueueArn"], **changes)
        return _done(model)

    def delete(self, request: Request) -> Event:
        request.aws_client_factory.batch.delete_job_queue(jobQueue=request.desired_state["JobQueueArn"])
        return _done({})


class JobDefinition(_BatchResource):
    """An update registers a new revision and deregisters the one before, as CloudFormation does."""

    TYPE = "AWS::Batch::JobDefinition"
    identifier = "JobDefinitionArn"
    SCHEMA = {"primaryIdentifier": ["/properties/JobDefinitionArn"]}  # noqa: RUF012

    def create(self, request: Request) -> Event:
        return _done(self._register(request, request.desired_state.get("JobDefinitionName")))

    def update(self, request: Request) -> Event:
        before = (request.previous_state or {})["JobDefinitionArn"]
        name = before.rpartition("/")[2].rpartition(":")[0]
        model = self._register(request, request.desired_state.get("JobDefinitionName") or name)
        request.aws_client_factory.batch.deregister_job_definition(jobDefinition=before)
        return _done(model)

    def delete(self, request: Request) -> Event:
        request.aws_client_factory.batch.deregister_job_definition(
            jobDefinition=request.desired_state["JobDefinitionArn"]
        )
        return _done({})

    def _register(self, request: Request, given: str | None) -> Model:
        model = request.desired_state
        left_out = ("JobDefinitionArn", "ResourceRetentionPolicy")
        asked = api_shape({name: value for name, value in model.items() if name not in left_out})
        asked["jobDefinitionName"] = _physical_name(request, given)
        answer = request.aws_client_factory.batch.register_job_definition(**asked)
        return {**model, "JobDefinitionArn": answer["jobDefinitionArn"]}


class ComputeEnvironmentPlugin(CloudFormationResourceProviderPlugin):
    name = ComputeEnvironment.TYPE

    def load(self) -> None:
        self.factory = ComputeEnvironment


class JobQueuePlugin(CloudFormationResourceProviderPlugin):
    name = JobQueue.TYPE

    def load(self) -> None:
        self.factory = JobQueue


class JobDefinitionPlugin(CloudFormationResourceProviderPlugin):
    name = JobDefinition.TYPE

    def load(self) -> None:
        self.factory = JobDefinition
