"""Rackwright keeps racks the way their manifests say."""

__version__ = "0.1.0"
