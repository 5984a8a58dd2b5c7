"""What resource types that live in a registry of this process have in common: create, update, delete, an id."""

from __future__ import annotations

from typing import Any, ClassVar

from localstack.services.cloudformation.resource_provider import (
    CloudFormationResourceProviderPlugin,
    OperationStatus,
    ProgressEvent,
    ResourceProvider,
    ResourceRequest,
)

from ascension_local.websocket_api import InvalidResource

Model = dict[str, Any]
Request = ResourceRequest[Model]


class RegistryProvider(ResourceProvider[Model]):
    """Create, update and delete of a resource that lives in a registry of this process under an id of its own.

    A subclass says how a model becomes the thing (`put`, raising InvalidResource), how it goes (`drop`) and which
    property holds the id. `put` is called again with the same id when the template has changed, and may add read-only
    properties to the model.
    """

    TYPE: ClassVar[str]
    ID: ClassVar[str]
    # Properties that say where the thing is: another value means another thing in another place. They are not
    # create-only in the schema, for LocalStack then replaces a resource as soon as anything changes in what such a
    # property refers to, and deletes the old one only after the new one has met it.
    PLACE: ClassVar[tuple[str, ...]] = ()

    def put(self, model: Model, request: Request) -> None:
        raise NotImplementedError

    def drop(self, model: Model) -> None:
        raise NotImplementedError

    def new_id(self, model: Model) -> str:
        raise NotImplementedError

    def create(self, request: Request) -> ProgressEvent[Model]:
        model = dict(request.desired_state)
        model[self.ID] = self.new_id(model)
        return self._put(model, request)

    def update(self, request: Request) -> ProgressEvent[Model]:
        previous, model = dict(request.previous_state or {}), dict(request.desired_state)
        moves = any(previous.get(name) != model.get(name) for name in self.PLACE)
        model[self.ID] = self.new_id(model) if moves else previous[self.ID]
        event = self._put(model, request)
        if moves and event.status is OperationStatus.SUCCESS:
            self.drop(previous)
        return event

    def read(self, request: Request) -> ProgressEvent[Model]:
        return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=request.desired_state)

    def delete(self, request: Request) -> ProgressEvent[Model]:
        model = dict(request.previous_state or request.desired_state)
        if self.ID in model:
            self.drop(model)
        return ProgressEvent(status=OperationStatus.SUCCESS, resource_model={})

    def _put(self, model: Model, request: Request) -> ProgressEvent[Model]:
        try:
            self.put(model, request)
        except InvalidResource as problem:
            return ProgressEvent(
                status=OperationStatus.FAILED,
                resource_model=model,
                message=f"{request.logical_resource_id}: {problem}",
                error_code="InvalidRequest",
            )
        return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model)


def schema(type_name: str, identifier: str, *, read_only: tuple[str, ...] = ()) -> Model:
    """The part of a resource type's schema that LocalStack's engine reads."""
    pointers = [f"/properties/{name}" for name in (identifier, *read_only)]
    return {
        "typeName": type_name,
        "primaryIdentifier": [f"/properties/{identifier}"],
        "readOnlyProperties": list(dict.fromkeys(pointers)),
    }


def plugin(provider: type[ResourceProvider[Model]], type_name: str) -> type[CloudFormationResourceProviderPlugin]:
    """The plug-in class that an entry point names for a resource type."""

    class ProviderPlugin(CloudFormationResourceProviderPlugin):
        name = type_name

        def load(self) -> None:
            self.factory = provider

    return ProviderPlugin
