"""What the demo breaks, as data: what is typed at the chassis, where it shows, and what is promised about it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from rackwright.cli.demo.asked import ROOT_VDISK, Asked
from rackwright_sim.fabric import card_of

HEALED, HELD = "healed", "held"
PROMISED = {
    "volume-unassigned": HEALED,
    "journal-path-lost": HEALED,
    "nic-moved": HEALED,
    "server-off": HEALED,
    "volume-shared-off": HEALED,
    "volume-shared-running": HELD,
}
SPARE_VDISK = 5  # nothing is declared for it


@dataclass(frozen=True)
class Fault:
    """One thing to break. `typed` are the lines at the chassis; `server` is the card on which it shows.

    `stopped` says that the server is declared Stopped before, and Running again after. `undo` are the lines with which a
    person puts right what is held; `names` are the servers that the reason has to name.
    """

    name: str
    sentence: str
    server: str
    typed: tuple[str, ...]
    stopped: bool = False
    undo: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def promised(self) -> str:
        """How it should end."""
        return PROMISED[self.name]


def faults(asked: Asked, roots: Mapping[str, str]) -> tuple[Fault, ...]:
    """All faults, on three servers without a role and one with a journal. `roots` are the root volumes of all servers.

    All servers should run and the protected one is nobody's: for the volume that a server gets while it is off, one is
    declared Stopped first.
    """
    first, second, last = _victims(asked)
    vlan, other = _vlans(asked, second)
    journals = next(item for item in asked.assigned if item.all_paths)
    storage, path = min(journals.servers, key=card_of), journals.vdisks[1]
    return (
        Fault(
            "volume-unassigned",
            f"somebody takes the root volume from {first}, which runs",
            first,
            ("configure terminal", f"storage unassign {first} {ROOT_VDISK}"),
        ),
        Fault(
            "journal-path-lost",
            f"somebody takes one of its {len(journals.vdisks)} paths to its journal from {storage}, which runs",
            storage,
            ("configure terminal", f"storage unassign {storage} {path}"),
        ),
        Fault(
            "nic-moved",
            f"somebody moves NIC 0 of {second} from VLAN {vlan} to VLAN {other}",
            second,
            (
                "configure terminal",
                f"server id {second}",
                "nic 0",
                f"no untagged-vlan {vlan}",
                f"untagged-vlan {other}",
            ),
        ),
        Fault("server-off", f"somebody switches {last} off", last, (f"power-off server {last} force no-confirm",)),
        Fault(
            "volume-shared-off",
            f"somebody gives {last}, which is off, the root volume of {first} as a second disk",
            last,
            ("configure terminal", f"storage assign {last} {SPARE_VDISK} volume {roots[first]}"),
            stopped=True,
        ),
        Fault(
            "volume-shared-running",
            f"somebody gives {first}, which runs, the root volume of {second} as a second disk",
            first,
            ("configure terminal", f"storage assign {first} {SPARE_VDISK} volume {roots[second]}"),
            undo=("configure terminal", f"storage unassign {first} {SPARE_VDISK}"),
            names=(first, second),
        ),
    )


def _victims(asked: Asked) -> tuple[str, str, str]:
    plain = sorted(asked.servers - asked.roles, key=card_of)
    return plain[(len(plain) - 1) // 3], plain[len(plain) // 2], plain[-1]  # three servers are enough


def _vlans(asked: Asked, server: str) -> tuple[int, int]:
    """The VLAN of its NIC 0, and another that some server uses."""
    vlan = asked.ports[server, 0]
    used = {number for number in asked.ports.values() if number}
    return vlan or 0, min(used - {vlan})
