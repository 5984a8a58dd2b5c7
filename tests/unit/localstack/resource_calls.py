# mypy: disable-error-code="import-not-found"
# (LocalStack's packages are not among those of the tests.)
"""Calls resource providers as LocalStack's CloudFormation does: found by entry point, a call a line of standard input.

A line is `{"type", "action": "create"|"update"|"delete", "desired", "previous"}` or `{"path"}`, which tells the origin
that a distribution has for it. Answers are lines too. Run in LocalStack's own virtual environment.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import entry_points
from types import SimpleNamespace
from typing import Any


def answer(call: dict[str, Any]) -> dict[str, Any]:
    if "path" in call:
        from ascension_local.websocket_hooks import DISTRIBUTIONS

        behaviour = DISTRIBUTIONS.behaviour_for(call["path"])
        return {"origin": behaviour.origin.domain_name if behaviour else None}
    (found,) = entry_points(group="localstack.cloudformation.resource_providers", name=call["type"])
    plugin = found.load()()
    plugin.load()
    provider = plugin.factory()
    request = SimpleNamespace(
        desired_state=call.get("desired"),
        previous_state=call.get("previous"),
        logical_resource_id="Thing",
        region_name="eu-central-1",
        account_id="000000000000",
    )
    event = getattr(provider, call["action"])(request)
    reference = provider.SCHEMA["primaryIdentifier"][0].removeprefix("/properties/")
    model = event.resource_model
    return {"status": event.status.name, "model": model, "message": event.message, "ref": model.get(reference)}


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
