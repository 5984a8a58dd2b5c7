"""Where things lie: the checkout, its virtual environments and the state of this stack."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENVS = ROOT / ".local" / "venvs"
# What is expensive to make and depends on nothing but its inputs; shared by all stacks of the checkout.
CACHE = ROOT / ".local" / "cache"


def local_dir() -> Path:
    """State of one stack (LOCAL_DIR, by default .local in the checkout); two stacks side by side have two."""
    return (ROOT / os.environ.get("LOCAL_DIR", ".local")).resolve()


def logs_dir() -> Path:
    return local_dir() / "logs"


def gateway_port() -> int:
    """The one port of LocalStack (GATEWAY_PORT, by default 4566)."""
    return int(os.environ.get("GATEWAY_PORT", "4566"))


def endpoint_url() -> str:
    return f"http://127.0.0.1:{gateway_port()}"
