"""Racks for those that are killed."""

from tests.crash.fixtures import allowed, approved

__all__ = ["allowed", "approved"]
