"""CloudFormation's AWS::ApiGatewayV2::* for WebSocket APIs: what the template says goes into the registry of APIs.

`Ref` and `GetAtt` return what CloudFormation documents, with one exception: `ApiEndpoint` is an address on LocalStack's
own port (`ws://127.0.0.1:4566/_aws/socket/<id>`), for the names of AWS do not resolve without the internet.
"""

from __future__ import annotations

from ascension_local.registry_resources import Model, RegistryProvider, Request, plugin, schema
from ascension_local.websocket import PATH_PREFIX
from ascension_local.websocket_api import (
    CONNECT,
    Authorizer,
    Integration,
    InvalidResource,
    Route,
    Stage,
    WebSocketApi,
    check_selection_expression,
    function_arn_of,
    new_id,
)
from ascension_local.websocket_hooks import APIS, GATEWAY
from localstack import config


def endpoint_of(api_id: str) -> str:
    """`ApiEndpoint`: where a stage's socket is, less the stage."""
    listen = config.GATEWAY_LISTEN[0]
    host = "127.0.0.1" if listen.host in ("0.0.0.0", "", "::") else listen.host  # noqa: S104
    return f"ws://{host}:{listen.port}{PATH_PREFIX}/{api_id}"


class _ApiPart(RegistryProvider):
    def new_id(self, model: Model) -> str:
        return new_id(7)


class ApiProvider(RegistryProvider):
    TYPE, ID = "AWS::ApiGatewayV2::Api", "ApiId"
    SCHEMA = schema(TYPE, ID, read_only=("ApiEndpoint",))

    def new_id(self, model: Model) -> str:
        return new_id()

    def put(self, model: Model, request: Request) -> None:
        if model.get("ProtocolType") != "WEBSOCKET":
            raise InvalidResource("Only ProtocolType WEBSOCKET works locally")
        expression = str(model.get("RouteSelectionExpression") or "")
        check_selection_expression(expression)
        api_id, name = model[self.ID], str(model.get("Name") or model[self.ID])
        known = APIS.find(api_id)
        if known is None:
            APIS.add(WebSocketApi(api_id, name, expression, request.region_name, request.account_id))
        else:
            known.name, known.selection_expression = name, expression
        model["ApiEndpoint"] = endpoint_of(api_id)

    def drop(self, model: Model) -> None:
        APIS.remove(model[self.ID])
        GATEWAY.close_all(model[self.ID])


class IntegrationProvider(_ApiPart):
    TYPE, ID = "AWS::ApiGatewayV2::Integration", "IntegrationId"
    SCHEMA = schema(TYPE, ID)
    PLACE = ("ApiId",)

    def put(self, model: Model, request: Request) -> None:
        if model.get("IntegrationType") != "AWS_PROXY":
            raise InvalidResource("Only IntegrationType AWS_PROXY works locally")
        integration = Integration(model[self.ID], function_arn_of(str(model.get("IntegrationUri"))))
        APIS.get(model["ApiId"]).integrations[model[self.ID]] = integration

    def drop(self, model: Model) -> None:
        if api := APIS.find(model["ApiId"]):
            api.integrations.pop(model[self.ID], None)


class AuthorizerProvider(_ApiPart):
    TYPE, ID = "AWS::ApiGatewayV2::Authorizer", "AuthorizerId"
    SCHEMA = schema(TYPE, ID)
    PLACE = ("ApiId",)

    def put(self, model: Model, request: Request) -> None:
        if model.get("AuthorizerType") != "REQUEST":
            raise InvalidResource("A WebSocket API has only REQUEST authorizers")
        sources = model.get("IdentitySource") or []
        APIS.get(model["ApiId"]).authorizers[model[self.ID]] = Authorizer(
            model[self.ID],
            str(model.get("Name")),
            function_arn_of(str(model.get("AuthorizerUri"))),
            tuple(str(source) for source in (sources if isinstance(sources, list) else [sources])),
        )

    def drop(self, model: Model) -> None:
        if api := APIS.find(model["ApiId"]):
            api.authorizers.pop(model[self.ID], None)


class RouteProvider(_ApiPart):
    TYPE, ID = "AWS::ApiGatewayV2::Route", "RouteId"
    SCHEMA = schema(TYPE, ID)
    PLACE = ("ApiId",)

    def put(self, model: Model, request: Request) -> None:
        key, kind = str(model.get("RouteKey")), model.get("AuthorizationType") or "NONE"
        if kind not in ("NONE", "CUSTOM"):
            raise InvalidResource(f"AuthorizationType {kind} does not work locally")
        if kind == "CUSTOM" and key != CONNECT:
            raise InvalidResource("Only $connect can have an authorizer")
        target = str(model.get("Target") or "")
        api = APIS.get(model["ApiId"])
        same = api.route(key)
        if same is not None and same.route_id != model[self.ID]:
            raise InvalidResource(f"There is a route {key} already")
        known = api.routes.get(model[self.ID])
        api.routes[model[self.ID]] = Route(
            model[self.ID],
            key,
            target.removeprefix("integrations/") or None,
            model.get("AuthorizerId") if kind == "CUSTOM" else None,
            known.responds if known else False,
        )

    def drop(self, model: Model) -> None:
        if api := APIS.find(model["ApiId"]):
            api.routes.pop(model[self.ID], None)


class RouteResponseProvider(_ApiPart):
    TYPE, ID = "AWS::ApiGatewayV2::RouteResponse", "RouteResponseId"
    SCHEMA = schema(TYPE, ID)
    PLACE = ("ApiId", "RouteId")

    def put(self, model: Model, request: Request) -> None:
        self._set(model, True)

    def drop(self, model: Model) -> None:
        if APIS.find(model["ApiId"]):
            self._set(model, False)

    def _set(self, model: Model, responds: bool) -> None:
        route = APIS.get(model["ApiId"]).routes.get(model["RouteId"])
        if route is not None:
            route.responds = responds
        elif responds:
            raise InvalidResource(f"There is no route {model['RouteId']}")


class StageProvider(_ApiPart):
    TYPE, ID = "AWS::ApiGatewayV2::Stage", "StageName"
    SCHEMA = schema(TYPE, ID)
    PLACE = ("ApiId", "StageName")

    def new_id(self, model: Model) -> str:
        return str(model["StageName"])

    def put(self, model: Model, request: Request) -> None:
        variables = {str(key): str(value) for key, value in (model.get("StageVariables") or {}).items()}
        APIS.get(model["ApiId"]).stages[model[self.ID]] = Stage(model[self.ID], variables)

    def drop(self, model: Model) -> None:
        if api := APIS.find(model["ApiId"]):
            api.stages.pop(model[self.ID], None)


class DeploymentProvider(_ApiPart):
    """A snapshot of an API on AWS. Here a stage always shows the API as it is now, so this is only a name."""

    TYPE, ID = "AWS::ApiGatewayV2::Deployment", "DeploymentId"
    SCHEMA = schema(TYPE, ID)
    PLACE = ("ApiId",)

    def put(self, model: Model, request: Request) -> None:
        APIS.get(model["ApiId"])

    def drop(self, model: Model) -> None:
        """Nothing to undo."""


ApiPlugin = plugin(ApiProvider, ApiProvider.TYPE)
IntegrationPlugin = plugin(IntegrationProvider, IntegrationProvider.TYPE)
AuthorizerPlugin = plugin(AuthorizerProvider, AuthorizerProvider.TYPE)
RoutePlugin = plugin(RouteProvider, RouteProvider.TYPE)
RouteResponsePlugin = plugin(RouteResponseProvider, RouteResponseProvider.TYPE)
StagePlugin = plugin(StageProvider, StageProvider.TYPE)
DeploymentPlugin = plugin(DeploymentProvider, DeploymentProvider.TYPE)
