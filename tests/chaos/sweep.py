"""The sweep of faults: every knob of the simulator at every kind of command that the two scenes send, each by itself."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rackwright_sim.faults import Fault, FaultKind
from tests.chaos.racks import LIMITS
from tests.chaos.scenes import clean, kind_of, play

_TIMEOUT = LIMITS["commandTimeoutSeconds"]
_SHOWS = (
    "show chassis",
    "show server summary all",
    "show storage slot brief",
    "show storage disk brief",
    "show storage pool brief",
    "show storage volume brief",
    "show storage assign brief",
    "show vlan",
)
_BUILDS = (
    "configure terminal",
    "end",
    "server id",
    "nic",
    "interface te",
    "switch system-vlan",
    "untagged-vlan",
    "no untagged-vlan",
    "tagged-vlan",
    "storage set mgmt-mode volume slot",
    "storage clear-metadata disk",
    "storage create pool",
    "storage create volume-prefix",
    "storage assign",
    "power-on server",
)
_HEALS = ("storage unassign", "no tagged-vlan", "power-off server")
KINDS = {kind: "heal" if kind in _HEALS else "build" for kind in (*_SHOWS, *_BUILDS, *_HEALS)}

NONSENSE = {
    "noise": "\x1b[2J\x00\ufffd\ufffd~~}\x7f{ \ufffd%\x08\x08 0x3f# >",
    "prompts": "sm15k-01# \nsm15k-01# ",
    "another-device": "core-switch> \ncore-switch> show version\nSwitch IOS 12.2\ncore-switch>",
    "banner": "*** Maintenance tonight at 23:00 UTC.\n*** Save your work (yes/no):",
    "half-a-table": "server  vdisk  volume\n------  -----  ------\n0/0     0      2/rootpool-1/ro",
}


def knobs(kind: str) -> Iterator[tuple[str, Fault]]:
    """What can go wrong with one command, by name."""
    match = f"^{re.escape(kind)}"
    reads = kind.startswith("show ")
    yield "slow", Fault(kind=FaultKind.LATENCY, match=match, seconds=_TIMEOUT - 1)
    yield "too-slow", Fault(kind=FaultKind.LATENCY, match=match, seconds=_TIMEOUT + 1)
    for name in ("drop", "error", "hang"):
        for when in ("before", "after"):
            yield f"{name}-{when}", Fault.model_validate({"kind": name, "match": match, "when": when})
    yield "refusal", Fault(kind=FaultKind.ERROR, match=match, text="% Not today")
    if reads:
        yield "lose-rows", Fault(kind=FaultKind.LOSE_ROWS, match=match)
        yield "cut-output", Fault(kind=FaultKind.CUT_OUTPUT, match=match)
    else:
        for then in ("error", "drop"):
            yield f"half-{then}", Fault.model_validate({"kind": "half", "match": match, "then": then})
    for name, text in NONSENSE.items():
        yield name, Fault(kind=FaultKind.ERROR, match=match, when="after", text=text)


@dataclass(frozen=True)
class Trial:
    """One knob at one kind of command."""

    kind: str
    knob: str
    faults: tuple[Fault, ...]

    def __str__(self) -> str:
        return f"{self.knob}@{self.kind.replace(' ', '_')}"


def trials() -> list[Trial]:
    """All of them, in an order that stays."""
    found = [Trial(kind, name, (knob,)) for kind in KINDS for name, knob in knobs(kind)]
    for kind in KINDS:  # and nobody answers for a while after it
        drop = Fault(kind=FaultKind.DROP, match=f"^{re.escape(kind)}", when="after")
        found.append(Trial(kind, "drop-and-refuse", (drop, Fault(kind=FaultKind.REFUSE, nth=2, times=3))))
    return found


def share(of: int) -> list[Trial]:
    """A fixed part of them in which every knob and every kind of command has its turn."""
    every = trials()
    kinds, names = list(KINDS), list(dict.fromkeys(trial.knob for trial in every))
    found = [trial for trial in every if (kinds.index(trial.kind) + names.index(trial.knob)) % of == 0]
    for trial in every:
        if trial.kind not in {item.kind for item in found} or trial.knob not in {item.knob for item in found}:
            found.append(trial)
    return found


def run(trial: Trial) -> None:
    """Raises AssertionError with the whole story where something that must hold does not."""
    log = play(KINDS[trial.kind], trial.faults)
    assert trial.kind in {kind_of(entry.text) for entry in log}
    late = all(fault.kind is FaultKind.LATENCY for fault in trial.faults)
    assert late or any(entry.outcome == "fault" for entry in log), "the fault never struck"


def sent_kinds() -> set[str]:
    """Of both scenes, as they were sent without a fault."""
    lines = [entry.text for name in ("build", "heal") for entry in clean(name).lines]
    return {kind_of(line) for line in lines} - {"yes"}
