"""One control plane a test session and worker, for all who want one: started by the first."""

from tests.kubelab.fixtures import cluster, control_plane, namespace

__all__ = ["cluster", "control_plane", "namespace"]
