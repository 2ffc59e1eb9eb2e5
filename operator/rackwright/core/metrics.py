"""What Prometheus sees. One place, so that names and labels stay few and stable; no series per node."""

from prometheus_client import Counter, Gauge, Histogram

_RECONCILE = Counter("rackwright_reconcile", "Passes over an object, by how they ended.", ["kind", "outcome"])
_SECONDS = Histogram(
    "rackwright_reconcile_seconds",
    "Seconds that a pass took, waiting for the device included.",
    ["kind"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900),
)
DRIFT = Gauge("rackwright_drift", "Declared parts that are not as declared.", ["kind", "namespace", "name"])
HELD = Gauge("rackwright_held_actions", "Planned actions that wait for a person.", ["kind", "namespace", "name"])
FAILURES = Gauge("rackwright_reconcile_failures", "Passes in a row that failed.", ["kind", "namespace", "name"])
_COMMANDS = Counter("rackwright_device_commands", "Commands sent to devices.", ["endpoint", "purpose", "result"])
REACHABLE = Gauge("rackwright_device_reachable", "Whether a device answered the last time.", ["endpoint"])
QUEUE = Gauge("rackwright_queue_length", "Objects that are due and wait for a worker.")
LOOP_LAG = Gauge("rackwright_loop_lag_seconds", "How late the event loop ran its last timer.")
LEADER = Gauge("rackwright_leader", "Whether this process may act.")
HEARTBEAT = Gauge("rackwright_heartbeat_age_seconds", "Seconds since our own write last came back by the watch.")


def reconciled(kind: str, outcome: str, seconds: float) -> None:
    """One pass ended."""
    _RECONCILE.labels(kind, outcome).inc()
    _SECONDS.labels(kind).observe(seconds)


def device_command(endpoint: str, purpose: str, ok: bool) -> None:
    """One command was answered, or was not."""
    _COMMANDS.labels(endpoint, purpose, "ok" if ok else "error").inc()


def forget(kind: str, namespace: str, name: str) -> None:
    """An object is gone: so are its series."""
    for gauge in (DRIFT, HELD, FAILURES):
        if (kind, namespace, name) in gauge._metrics:  # the public `remove` raises where there is none
            gauge.remove(kind, namespace, name)


def forget_device(endpoint: str) -> None:
    """Nothing leads to a device any more: its series would else pile up with every address that was tried."""
    if (endpoint,) in REACHABLE._metrics:
        REACHABLE.remove(endpoint)
    for labels in list(_COMMANDS._metrics):
        if labels[0] == endpoint:
            _COMMANDS.remove(*labels)
