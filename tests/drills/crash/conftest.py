"""Racks for those that are killed."""

from tests.crash.fixtures import allowed, approved, template

__all__ = ["allowed", "approved", "template"]
