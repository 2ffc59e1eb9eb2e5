"""What the demo breaks, as data: what is typed at the chassis, on whose behalf, and what is promised about it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

HEALED, HELD = "healed", "held"
Roots = Mapping[str, str]  # the root volume of each server, as the chassis names it


@dataclass(frozen=True)
class Fault:
    """One thing to break. `typed` are the lines, given the root volumes; `node` is the ComputeNode on which it shows.

    `stopped` is a server that a person declares Stopped before, and Running again after. `undo` are the lines with which
    a person puts right what is held; `names` are the servers that the reason must name.
    """

    name: str
    sentence: str
    node: str
    outcome: str
    typed: Callable[[Roots], tuple[str, ...]]
    stopped: str | None = None
    undo: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


def _moved(server: str, vlan: int, to: int) -> tuple[str, ...]:
    return "configure terminal", f"server id {server}", "nic 0", f"no untagged-vlan {vlan}", f"untagged-vlan {to}"


FAULTS = (
    Fault(
        name="volume-unassigned",
        sentence="somebody takes its root volume from 20/0, which runs",
        node="compute-20",
        outcome=HEALED,
        typed=lambda roots: ("configure terminal", "storage unassign 20/0 0"),
    ),
    Fault(
        name="nic-moved",
        sentence="somebody moves NIC 0 of 21/0 from VLAN 100 to VLAN 200",
        node="compute-21",
        outcome=HEALED,
        typed=lambda roots: _moved("21/0", 100, 200),
    ),
    Fault(
        name="server-off",
        sentence="somebody switches 22/0 off",
        node="compute-22",
        outcome=HEALED,
        typed=lambda roots: ("power-off server 22/0 force no-confirm",),
    ),
    Fault(
        # All 63 servers should run, and the 64th is protected: one is declared Stopped for this, and Running after it.
        name="volume-shared-off",
        sentence="somebody gives 63/0, which is off, the root volume of 40/0 as a second disk",
        node="compute-63",
        outcome=HEALED,
        typed=lambda roots: ("configure terminal", f"storage assign 63/0 5 volume {roots['40/0']}"),
        stopped="63/0",
    ),
    Fault(
        name="volume-shared-running",
        sentence="somebody gives 41/0, which runs, the root volume of 42/0 as a second disk",
        node="compute-41",
        outcome=HELD,
        typed=lambda roots: ("configure terminal", f"storage assign 41/0 5 volume {roots['42/0']}"),
        undo=("configure terminal", "storage unassign 41/0 5"),
        names=("41/0", "42/0"),
    ),
)
PROMISED = {fault.name: fault.outcome for fault in FAULTS}
