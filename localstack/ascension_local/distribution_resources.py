"""CloudFormation's AWS::CloudFront::* as far as a template needs them.

A distribution mounts its behaviours on the gateway port (see :mod:`distribution`). The policies, functions and access
controls that it names exist, with an id to refer to, and do nothing: LocalStack caches nothing, forwards everything and
asks for no signature on objects.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from ascension_local.distribution import Distribution, behaviours_of
from ascension_local.registry_resources import Model, RegistryProvider, Request, plugin, schema
from ascension_local.websocket_api import new_id
from ascension_local.websocket_hooks import DISTRIBUTIONS


class DistributionProvider(RegistryProvider):
    TYPE, ID = "AWS::CloudFront::Distribution", "Id"
    SCHEMA = schema(TYPE, ID, read_only=("DomainName",))

    def new_id(self, model: Model) -> str:
        return f"E{new_id(13).upper()}"

    def put(self, model: Model, request: Request) -> None:
        distribution_id, settings = model[self.ID], model.get("DistributionConfig") or {}
        model["DomainName"] = f"{distribution_id.lower()}.cloudfront.net"
        enabled = str(settings.get("Enabled", True)).lower() == "true"
        DISTRIBUTIONS.put(Distribution(distribution_id, model["DomainName"], behaviours_of(settings), enabled))

    def drop(self, model: Model) -> None:
        DISTRIBUTIONS.remove(model[self.ID])


class _Named(RegistryProvider):
    """Something that a distribution refers to and that has no effect here."""

    def new_id(self, model: Model) -> str:
        return str(uuid.uuid4())

    def put(self, model: Model, request: Request) -> None:
        """Nothing to do: the id is all there is."""

    def drop(self, model: Model) -> None:
        """Nothing to undo."""


class OriginAccessControlProvider(_Named):
    TYPE, ID = "AWS::CloudFront::OriginAccessControl", "Id"
    SCHEMA = schema(TYPE, ID)


class _Policy(_Named):
    def put(self, model: Model, request: Request) -> None:
        model["LastModifiedTime"] = datetime.now(UTC).isoformat()


class CachePolicyProvider(_Policy):
    TYPE, ID = "AWS::CloudFront::CachePolicy", "Id"
    SCHEMA = schema(TYPE, ID, read_only=("LastModifiedTime",))


class OriginRequestPolicyProvider(_Policy):
    TYPE, ID = "AWS::CloudFront::OriginRequestPolicy", "Id"
    SCHEMA = schema(TYPE, ID, read_only=("LastModifiedTime",))


class ResponseHeadersPolicyProvider(_Policy):
    TYPE, ID = "AWS::CloudFront::ResponseHeadersPolicy", "Id"
    SCHEMA = schema(TYPE, ID, read_only=("LastModifiedTime",))


class FunctionProvider(_Named):
    """A CloudFront Function. Its JavaScript does not run here; what ours does, the distribution does itself."""

    TYPE, ID = "AWS::CloudFront::Function", "FunctionARN"
    SCHEMA = schema(TYPE, ID, read_only=("FunctionMetadata.FunctionARN", "Stage"))

    def new_id(self, model: Model) -> str:
        return str(model["Name"])

    def put(self, model: Model, request: Request) -> None:
        model[self.ID] = f"arn:aws:cloudfront::{request.account_id}:function/{model['Name']}"
        model["FunctionMetadata"], model["Stage"] = {"FunctionARN": model[self.ID]}, "LIVE"


DistributionPlugin = plugin(DistributionProvider, DistributionProvider.TYPE)
OriginAccessControlPlugin = plugin(OriginAccessControlProvider, OriginAccessControlProvider.TYPE)
FunctionPlugin = plugin(FunctionProvider, FunctionProvider.TYPE)
CachePolicyPlugin = plugin(CachePolicyProvider, CachePolicyProvider.TYPE)
OriginRequestPolicyPlugin = plugin(OriginRequestPolicyProvider, OriginRequestPolicyProvider.TYPE)
ResponseHeadersPolicyPlugin = plugin(ResponseHeadersPolicyProvider, ResponseHeadersPolicyProvider.TYPE)
