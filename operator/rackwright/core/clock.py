"""The time as the API writes it."""

from datetime import UTC, datetime


def now() -> str:
    """UTC, to the second, RFC 3339."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
