"""The Lambda functions as Lambda loads them: each folder the root of its own code, with a module ``handler``."""

import importlib.util
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

FUNCTIONS = Path(__file__).resolve().parents[1] / "functions"


@dataclass
class Context:
    """What Lambda tells a handler about its invocation."""

    function_name: str
    aws_request_id: str = "11111111-2222-4333-8444-555555555555"
    memory_limit_in_mb: int = 512

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:eu-central-1:000000000000:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        return 10_000


@cache
def _module(function: str) -> ModuleType:
    path = FUNCTIONS / function / "handler.py"
    spec = importlib.util.spec_from_file_location(f"{function}_handler", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.parent))
    return module


def invoke(function: str, event: dict[str, Any]) -> Any:
    """Run the function's handler with an event."""
    return _module(function).handler(event, Context(f"ascension-local-{function}"))
