"""One open socket: a Twisted protocol that takes the connection over from the gateway once its handshake is granted.

rolo, LocalStack's HTTP layer, parses the handshake and then blocks one gateway thread per socket, passes fragments of
a message on as messages, and answers a close frame with an HTTP response in the middle of the stream. Here the protocol
lives in the reactor instead: an idle socket costs no thread, and everything that touches wsproto or the transport
happens in the reactor's thread, which is what makes sends from many threads safe and keeps them in order.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar, cast
from typing import Protocol as Interface

from twisted.internet import reactor as _reactor
from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import Protocol
from twisted.protocols.policies import ProtocolWrapper
from wsproto import WSConnection, events
from wsproto.connection import ConnectionState
from wsproto.utilities import LocalProtocolError
from zope.interface import implementer  # type: ignore[import-untyped]

LOG = logging.getLogger(__name__)

# How long a thread waits for the reactor to take a message, and a server-side close for the client's answer.
_REACTOR_PATIENCE_S = 30.0
_CLOSE_PATIENCE_S = 5.0


@dataclass(frozen=True)
class Limits:
    """The quotas of API Gateway for WebSocket APIs."""

    message_bytes: int = 128 * 1024
    frame_bytes: int = 32 * 1024
    idle_s: float = 10 * 60
    lifetime_s: float = 2 * 60 * 60
    unsent_bytes: int = 4 * 1024 * 1024  # ours: how much may wait for a client that does not read


class ConnectionGone(Exception):
    """The socket is closed, or was never open."""


class ConnectionCongested(Exception):
    """The client does not read what it is sent."""


class Timer(Interface):
    """What `callLater` returns."""

    def active(self) -> bool: ...
    def cancel(self) -> None: ...
    def reset(self, seconds: float) -> None: ...


class Reactor(Interface):
    """The part of Twisted's reactor that is used here."""

    def callFromThread(self, function: Callable[..., Any], *args: Any) -> None: ...  # noqa: N802
    def callInThread(self, function: Callable[..., Any], *args: Any) -> None: ...  # noqa: N802
    def callLater(self, delay: float, function: Callable[..., Any], *args: Any) -> Timer: ...  # noqa: N802


T = TypeVar("T")

reactor = cast(Reactor, _reactor)


def in_reactor(function: Callable[..., T], *args: Any) -> T:
    """Runs `function` in the reactor's thread and returns what it returns or raises what it raises."""
    outcome: Future[T] = Future()

    def call() -> None:
        try:
            outcome.set_result(function(*args))
        except Exception as error:
            outcome.set_exception(error)

    reactor.callFromThread(call)
    return outcome.result(timeout=_REACTOR_PATIENCE_S)


@implementer(IPushProducer)
class SocketProtocol(Protocol):
    """Speaks WebSocket on a connection whose HTTP upgrade has been parsed.

    `on_message` gets whole messages, `on_end` once the close code and reason; both in the reactor's thread.
    """

    def __init__(
        self,
        wsproto: WSConnection,
        limits: Limits,
        on_message: Callable[[str | bytes], None],
        on_activity: Callable[[], None],
        on_end: Callable[[int, str], None],
    ) -> None:
        self._ws = wsproto
        self._limits = limits
        self._on_message, self._on_activity, self._on_end = on_message, on_activity, on_end
        self._parts: list[str | bytes] = []
        self._message_bytes = self._frame_bytes = self._unsent_bytes = 0
        self._ended = self._paused = False
        self._timers: list[Timer] = []

    # In the reactor's thread

    def start(self, subprotocol: str | None) -> None:
        """Answers 101 and starts the clocks."""
        transport = self._transport()
        # The HTTP channel is the transport's producer; from here on this protocol wants to know of a full buffer.
        transport.unregisterProducer()
        transport.registerProducer(self, True)
        self._write(events.AcceptConnection(subprotocol=subprotocol))
        self._idle = reactor.callLater(self._limits.idle_s, self.close, 1001, "Going away")
        self._timers = [self._idle, reactor.callLater(self._limits.lifetime_s, self.close, 1001, "Going away")]

    def send(self, message: str | bytes) -> None:
        """Sends a message; raises ConnectionGone, or ConnectionCongested where too much is unread."""
        if self._ended:
            raise ConnectionGone
        size = len(message.encode()) if isinstance(message, str) else len(message)
        if self._paused:
            if self._unsent_bytes + size > self._limits.unsent_bytes:
                raise ConnectionCongested
            self._unsent_bytes += size
        if isinstance(message, str):
            self._write(events.TextMessage(data=message))
        else:
            self._write(events.BytesMessage(data=message))
        self._touch()

    def close(self, code: int, reason: str) -> None:
        """Says goodbye and ends the connection; the client has a few seconds to answer."""
        if self._ended:
            return
        self._write(events.CloseConnection(code=code, reason=reason))
        self._end(code, reason)
        self._timers = [reactor.callLater(_CLOSE_PATIENCE_S, self._transport().abortConnection)]

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        if self._ws.state is ConnectionState.CLOSED:
            return
        self._ws.receive_data(data)
        for event in self._ws.events():
            self._handle(event)

    def connectionLost(self, reason: Any = None) -> None:  # noqa: N802
        self._end(1006, "")
        self._stop_timers()

    def pauseProducing(self) -> None:  # noqa: N802
        self._paused = True

    def resumeProducing(self) -> None:  # noqa: N802
        self._paused, self._unsent_bytes = False, 0

    def stopProducing(self) -> None:  # noqa: N802
        """The transport is gone; connectionLost follows."""

    def _handle(self, event: events.Event) -> None:
        if isinstance(event, events.Message):
            self._receive(event)
        elif isinstance(event, events.Ping):
            self._write(event.response())
            self._touch()
        elif isinstance(event, events.Pong):
            self._touch()
        elif isinstance(event, events.CloseConnection):
            if self._ws.state is ConnectionState.OPEN:
                # Not a farewell of the client's, but wsproto's opinion of what it sent.
                self.close(int(event.code), event.reason or "")
                self._transport().loseConnection()
                return
            if self._ws.state is ConnectionState.REMOTE_CLOSING:
                self._write(event.response())
            missing = event.code == 1005
            self._end(int(event.code), "Client-side close frame status not set" if missing else event.reason or "")
            self._transport().loseConnection()

    def _receive(self, event: events.Message[Any]) -> None:
        if self._ended:
            return
        data = event.data
        size = len(data.encode()) if isinstance(data, str) else len(data)
        self._frame_bytes += size
        self._message_bytes += size
        if self._frame_bytes > self._limits.frame_bytes or self._message_bytes > self._limits.message_bytes:
            self.close(1009, "Message too long")
            return
        self._parts.append(data if isinstance(data, str) else bytes(data))
        if event.frame_finished:
            self._frame_bytes = 0
        if not event.message_finished:
            return
        parts, self._parts, self._message_bytes = self._parts, [], 0
        self._touch()
        if isinstance(event, events.TextMessage):
            self._on_message("".join(cast(list[str], parts)))
        else:
            self._on_message(b"".join(cast(list[bytes], parts)))

    def _touch(self) -> None:
        if self._idle.active():
            self._idle.reset(self._limits.idle_s)
        self._on_activity()

    def _end(self, code: int, reason: str) -> None:
        if self._ended:
            return
        self._ended = True
        self._stop_timers()
        # A transport with a paused producer would wait for it before it closes.
        self._transport().unregisterProducer()
        self._on_end(code, reason)

    def _stop_timers(self) -> None:
        for timer in self._timers:
            if timer.active():
                timer.cancel()

    def _write(self, event: events.Event) -> None:
        try:
            self._transport().write(self._ws.send(event))
        except LocalProtocolError:
            LOG.debug("The socket is closing: nothing more to say", exc_info=True)

    def _transport(self) -> Any:
        return self.transport


def open_socket(request: Any, protocol: SocketProtocol, subprotocol: str | None, opened: Callable[[], None]) -> bool:
    """Hands the connection of a parsed Twisted request to `protocol` and answers the handshake, from any thread.

    `opened` runs before anything else can arrive on the socket. False if the client has gone in the meantime.
    """

    def take_over() -> bool:
        if request.finished or request.channel is None:
            return False
        transport = request.transport
        # The HTTP request ends here. rolo would say goodbye through it as soon as our handler returns, but for this.
        request.finished = 1
        # With TLS on the same port (LocalStack's default) the transport wraps the protocol.
        setattr(transport, "wrappedProtocol" if isinstance(transport, ProtocolWrapper) else "protocol", protocol)
        protocol.makeConnection(transport)  # type: ignore[no-untyped-call]
        protocol.start(subprotocol)
        opened()
        return True

    return in_reactor(take_over)
