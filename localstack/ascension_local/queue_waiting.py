"""Event source mappings that wait at their queue, as AWS's do: LocalStack's look now and then, and less often after a
quiet time.
"""

from __future__ import annotations

import contextlib
from typing import Any

from localstack.runtime import hooks
from localstack.services.lambda_.event_source_mapping.pollers.poller import EmptyPollResultsException
from localstack.services.lambda_.event_source_mapping.pollers.sqs_poller import SqsPoller

# A mapping that is to stop notices it after this time.
_WAIT_SECONDS = 2


@hooks.on_infra_start()  # type: ignore[untyped-decorator]
def wait_at_queues() -> None:
    """Called by LocalStack before it starts."""
    register, poll = SqsPoller._register_client_hooks, SqsPoller.poll_events

    def registered(self: SqsPoller) -> None:
        register(self)
        self.source_client.meta.events.register("provide-client-params.sqs.ReceiveMessage", _wait)

    def polled(self: SqsPoller) -> None:
        with contextlib.suppress(EmptyPollResultsException):
            poll(self)

    SqsPoller._register_client_hooks, SqsPoller.poll_events = registered, polled  # type: ignore[method-assign]


def _wait(params: dict[str, Any], **_: object) -> None:
    params["WaitTimeSeconds"] = params.get("WaitTimeSeconds") or _WAIT_SECONDS
