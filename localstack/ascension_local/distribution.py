"""A CloudFront distribution's cache behaviours on LocalStack's own port.

A distribution on AWS answers at a host of its own. Here its behaviours with an explicit path pattern are mounted on the
gateway port, whatever host name leads to it, so that one origin serves API, socket and viewer as in the cloud. What
happens to a request is what CloudFront does: the first behaviour whose pattern matches chooses the origin, methods that
it does not allow get 403, and the request goes on with the origin's name as its Host and its path unchanged. It goes on
inside this process: LocalStack's handlers take the changed request, no second HTTP request is made.
"""

from __future__ import annotations

import logging
import re
import threading
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote

from rolo import Request, Response
from rolo.gateway import HandlerChain
from rolo.websocket import WebSocketRequest
from werkzeug.datastructures import Headers
from werkzeug.wrappers import Request as WerkzeugRequest

from ascension_local.websocket import WebSocketGateway
from ascension_local.websocket_api import InvalidResource, WebSocketApi

LOG = logging.getLogger(__name__)

_API_HOST = re.compile(r"(?P<api>[A-Za-z0-9]+)\.execute-api\.")
_BUCKET_HOST = re.compile(r"(?P<bucket>.+?)\.s3[.-]")
_DEFAULT_METHODS = frozenset({"GET", "HEAD"})


@dataclass(frozen=True)
class Origin:
    origin_id: str
    domain_name: str
    path: str = ""
    headers: tuple[tuple[str, str], ...] = ()  # what the distribution adds to every request


@dataclass(frozen=True)
class Behaviour:
    """One cache behaviour: the requests whose path matches go to the origin, if their method is allowed."""

    pattern: str
    origin: Origin
    methods: frozenset[str] = _DEFAULT_METHODS

    def matches(self, path: str) -> bool:
        """CloudFront's patterns: `*` any characters, `?` one; case counts; a leading slash may be left out."""
        pattern = self.pattern if self.pattern.startswith("/") else f"/{self.pattern}"
        regex = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
        return re.fullmatch(regex, path) is not None


@dataclass(frozen=True)
class Distribution:
    distribution_id: str
    domain_name: str
    behaviours: tuple[Behaviour, ...] = field(default=())
    enabled: bool = True


def behaviours_of(config: dict[str, Any]) -> tuple[Behaviour, ...]:
    """The explicit behaviours of a DistributionConfig, in order; raises InvalidResource for an unknown origin."""
    origins = {}
    for origin in config.get("Origins") or []:
        custom = origin.get("OriginCustomHeaders") or []
        added = tuple((str(item["HeaderName"]), str(item["HeaderValue"])) for item in custom)
        path = str(origin.get("OriginPath") or "")
        origins[origin["Id"]] = Origin(origin["Id"], str(origin["DomainName"]), path, added)
    behaviours = []
    for behaviour in config.get("CacheBehaviors") or []:
        target = behaviour.get("TargetOriginId")
        if target not in origins:
            raise InvalidResource(f"Behaviour {behaviour.get('PathPattern')}: there is no origin {target!r}")
        methods = frozenset(behaviour.get("AllowedMethods") or _DEFAULT_METHODS)
        behaviours.append(Behaviour(str(behaviour["PathPattern"]), origins[target], methods))
    return tuple(behaviours)


class Context(Protocol):
    """What a distribution needs of LocalStack's request context."""

    request: Any


class Distributions:
    """The distributions that exist. Where two claim a path, the younger wins: there is only one port."""

    def __init__(self, sockets: WebSocketGateway) -> None:
        self._sockets = sockets
        self._all: dict[str, Distribution] = {}
        self._lock = threading.Lock()

    def put(self, distribution: Distribution) -> None:
        """Mounts a distribution, or a changed one in place of itself."""
        with self._lock:
            others = {key: value for key, value in self._all.items() if key != distribution.distribution_id}
            self._all = {distribution.distribution_id: distribution, **others}
        taken = {behaviour.pattern for other in others.values() for behaviour in other.behaviours}
        for behaviour in distribution.behaviours:
            if behaviour.pattern in taken:
                LOG.warning("Path %s belonged to another distribution", behaviour.pattern)

    def remove(self, distribution_id: str) -> None:
        with self._lock:
            self._all = {key: value for key, value in self._all.items() if key != distribution_id}

    def behaviour_for(self, path: str) -> Behaviour | None:
        """The behaviour that takes a path, or None."""
        for distribution in self._all.values():
            if distribution.enabled:
                for behaviour in distribution.behaviours:
                    if behaviour.matches(path):
                        return behaviour
        return None

    def serve(self, context: Context, response: Response) -> bool:
        """True if the request has been answered here (a socket, or a refusal).

        Otherwise False; a request that a behaviour takes has then been replaced in the context by the one for its
        origin.
        """
        request: Request | WebSocketRequest = context.request
        if not self._all or _is_for_aws(request):
            return False
        behaviour = self.behaviour_for(request.path)
        if behaviour is None:
            return False
        if not isinstance(request, WebSocketRequest) and request.method not in behaviour.methods:
            response.status_code = 403
            response.data = b"This distribution is not configured to allow the HTTP request method that was used."
            response.headers["Content-Type"] = "text/plain"
            return True
        origin = behaviour.origin
        if match := _API_HOST.match(origin.domain_name):
            api = self._sockets.registry.find(match["api"])
            if api is not None:
                self._sockets.serve(api, _stage_of(api, origin, request.path), "", request, response)
                return True
        if isinstance(request, WebSocketRequest):
            return False
        if match := _BUCKET_HOST.match(origin.domain_name):
            context.request = _for_bucket(request, origin, match["bucket"])
        else:
            context.request = _for_origin(request, origin, origin.domain_name)
        return False


def _is_for_aws(request: Request | WebSocketRequest) -> bool:
    """True for a request that addresses an AWS service or resource itself and only happens to have a path like ours."""
    host = request.host.rsplit(":", 1)[0]
    service_host = host.endswith((".localhost.localstack.cloud", ".amazonaws.com")) and ".cloudfront." not in host
    signed = request.headers.get("Authorization", "").startswith("AWS4-HMAC-SHA256")
    presigned = "X-Amz-Signature=" in str(request.environ.get("QUERY_STRING", ""))
    return service_host or signed or presigned


def _stage_of(api: WebSocketApi, origin: Origin, path: str) -> str:
    """The stage that a distribution's path leads to.

    On AWS a CloudFront Function has to turn the path into `/<stage>`, for a WebSocket API has no paths. Functions do
    not run here; this does their work: the origin's path, else the path's own first part where that is a stage, else
    the only stage there is.
    """
    named = origin.path.strip("/") or path.strip("/").partition("/")[0]
    return named if named in api.stages or len(api.stages) != 1 else next(iter(api.stages))


def _for_bucket(request: Request, origin: Origin, bucket: str) -> WerkzeugRequest:
    """A read of an object, without the viewer's credentials and query; LocalStack does not ask for the signature that
    an origin access control adds. A path that ends in a slash means its index.html.
    """
    path = f"{request.path}index.html" if request.path.endswith("/") else request.path
    port = request.environ.get("SERVER_PORT", "4566")
    return _for_origin(
        request,
        origin,
        f"{bucket}.s3.localhost.localstack.cloud:{port}",
        path=path,
        query_string="",
        without=frozenset({"authorization", "cookie"}),
    )


def _for_origin(
    request: Request,
    origin: Origin,
    host: str,
    *,
    path: str | None = None,
    query_string: str | None = None,
    without: frozenset[str] = frozenset(),
) -> WerkzeugRequest:
    """The viewer's request as its origin gets it: another Host, the origin's path in front, all else as it was."""
    environ = dict(request.environ)
    raw_path, _, raw_query = str(environ.get("RAW_URI") or request.path).partition("?")
    query = raw_query if query_string is None else query_string
    if path is not None:
        environ["PATH_INFO"], raw_path = path.encode().decode("latin-1"), quote(path)
    raw_path = f"{origin.path}{raw_path}"
    environ["PATH_INFO"] = f"{origin.path}{environ['PATH_INFO']}"
    environ["QUERY_STRING"] = query
    environ["RAW_URI"] = environ["REQUEST_URI"] = f"{raw_path}?{query}" if query else raw_path
    environ["HTTP_HOST"] = host
    for name in without:
        environ.pop(f"HTTP_{name.upper()}", None)
    changed = WerkzeugRequest(environ)
    headers = Headers([(key, value) for key, value in request.headers if key.lower() not in without])
    headers["Host"] = host
    for key, value in origin.headers:
        headers[key] = value
    changed.headers = headers
    return changed


class EdgeHandler:
    """First in LocalStack's chain of handlers: distributions, then WebSocket APIs; everything else passes through."""

    def __init__(self, sockets: WebSocketGateway, distributions: Distributions) -> None:
        self._sockets = sockets
        self._distributions = distributions

    def __call__(self, chain: HandlerChain[Any], context: Any, response: Response) -> None:
        if self._distributions.serve(context, response) or self._sockets.handle(context.request, response):
            # Without LocalStack's response handlers: they would add CORS headers of their own.
            chain.terminate()
