"""Moments as everybody outside sees them."""

from datetime import UTC, datetime


def iso8601(moment: datetime) -> str:
    """UTC with milliseconds and a Z: ``2026-11-21T10:05:32.123Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
