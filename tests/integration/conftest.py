"""One control plane a test session, with the operator's kinds and rights applied."""

from tests.kubelab.fixtures import cluster, control_plane, namespace

__all__ = ["cluster", "control_plane", "namespace"]
