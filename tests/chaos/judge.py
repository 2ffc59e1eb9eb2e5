"""Watches a simulated chassis at every line, by its own state and log, and notes whatever must never happen.

It hears of a person's consent when that is given, and of what people do at the console; of the operator it hears nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rackwright_drivers.contract.network import Nic
from rackwright_drivers.contract.power import Power
from rackwright_drivers.contract.storage import Attached, PoolId, VDisk, VolumeId
from rackwright_sim.commands import Kind
from rackwright_sim.faults import Moment
from rackwright_sim.recorder import LogEntry
from rackwright_sim.server import SimServer
from tests.chaos.destructive import Atom, Place, atoms, disturbed, needs_consent, of_lines, state

_LAST_OF_A_LOOK = "show vlan"


class Judge:
    """Its verdict is `offences`: empty where nothing went wrong."""

    def __init__(self, sim: SimServer, protected: Iterable[str], most_disturbed: int, *, asks: bool = True) -> None:
        """`asks`: nothing destructive is done without consent (policy.destructive is RequireApproval)."""
        self.offences: list[str] = []
        self.homes: dict[VDisk, VolumeId] = {}
        self.most_disturbed = most_disturbed
        self.asks = asks
        self._sim = sim
        self._model = sim.model
        self._protected = frozenset(protected)
        self._ports = [
            port for port in sim.model.switch.ports if isinstance(port, Nic) and port.server in self._protected
        ]
        self._granted: Counter[Atom] = Counter()
        self._used: Counter[Atom] = Counter()
        self._places: dict[str, Place] = defaultdict(Place)
        self._before: dict[Atom, object] = {}
        self._disturbed: set[str] = set()
        self._running: set[str] = set()
        self._by_hand: dict[VDisk, Attached | None] = {}
        self._person = False
        self._attached: dict[VDisk, Attached] = {}
        self._remember()
        self._model.changes.listeners.append(self._look)

    def approved(self, commands: Iterable[str]) -> None:
        """A person consented to these commands, as a plan showed them."""
        self._granted.update(of_lines(commands, self._model))

    def allow(self, most_disturbed: int) -> None:
        """A person allows so many from now on; a stage that was decided before may still come."""
        self.most_disturbed = max(most_disturbed, self.most_disturbed)

    @contextmanager
    def person_at_console(self) -> Iterator[None]:
        """What happens meanwhile is a person's own doing."""
        self._person = True
        try:
            yield
        finally:
            self._person = False

    def released(self, servers: Iterable[str]) -> None:
        """A person changed what these servers are to have: their volumes are theirs no longer."""
        gone = set(servers)
        self.homes = {vdisk: volume for vdisk, volume in self.homes.items() if vdisk.server not in gone}

    def __call__(self, line: str, moment: Moment) -> None:
        """As the simulator hears a line, and when it has acted on it."""
        if moment == "before":
            if not line.startswith("show "):
                power = self._model.servers.power.items()
                self._running = {server for server, found in power if found is Power.ON}
                self._before = {atom: state(atom, self._model) for atom in self._granted}
            return
        entry = self._sim.log[-1]
        self._weigh(entry)
        self._follow(entry)

    # What is sent

    def _weigh(self, entry: LogEntry) -> None:
        place = self._places[entry.session]
        if entry.kind is Kind.SHOW:
            if entry.text.startswith(_LAST_OF_A_LOOK):
                self._disturbed.clear()
            return
        for server in self._protected:
            if server in entry.text.split() or place.server == server:
                self._say(f"`{entry.text}` is about the protected server {server}")
        if entry.outcome != "refused":
            self._disturbed |= disturbed(entry.text, place, self._model, self._running)
        if len(self._disturbed) > self.most_disturbed:
            self._say(f"`{entry.text}`: {sorted(self._disturbed)} disturbed at one time, at most {self.most_disturbed}")
        if entry.outcome != "asked":  # a question is not an act; the last answer to it is
            self._consented(entry, place)

    def _consented(self, entry: LogEntry, place: Place) -> None:
        line = entry.text if entry.kind is not Kind.ANSWER else self._asked(entry.session)
        for atom in atoms(line, place, self._model):
            if not needs_consent(atom, self._model):
                continue
            if self.asks and self._granted[atom] <= self._used[atom]:
                self._say(f"`{line}`: nobody consented to {atom}, or that consent was used up")
            if state(atom, self._model) != self._before.get(atom):
                self._used[atom] += 1

    def _follow(self, entry: LogEntry) -> None:
        if entry.kind is Kind.NAVIGATION and entry.outcome == "done":
            self._places[entry.session].follow(entry.text)

    def _asked(self, session: str) -> str:
        """The command whose question the last answer of this session was to."""
        lines = (item.text for item in reversed(self._sim.log) if item.session == session)
        return next(text for text in lines if text != "yes")

    # What became of it

    def _look(self) -> None:
        for offence in self._wrong():
            if not self._person:
                self._say(offence)
        self._remember()

    def _wrong(self) -> Iterator[str]:
        attached = dict(self._model.storage.attachments.items())
        for volume, servers in _owners(attached).items():
            if len(servers) > 1 and servers != self._owners.get(volume):
                yield f"{volume} is attached to {sorted(servers)}"
        if lost := self._things - self._stored():
            yield f"{sorted(map(str, lost))} vanished"
        if self._of_protected() != self._guarded:
            yield f"the protected server changed: {self._guarded} is now {self._of_protected()}"
        homes = {volume: vdisk.server for vdisk, volume in self.homes.items()}
        for vdisk, found in attached.items():
            home = homes.get(found) if isinstance(found, VolumeId) else None
            if home not in (None, vdisk.server) and self._attached.get(vdisk) != found:
                yield f"{found} holds the data of {home} and was attached to {vdisk}"

    def _remember(self) -> None:
        attached = dict(self._model.storage.attachments.items())
        if self._person:
            before = self._attached
            changed = {vdisk for vdisk in {*before, *attached} if before.get(vdisk) != attached.get(vdisk)}
            self._by_hand |= {vdisk: attached.get(vdisk) for vdisk in changed}
        self._attached = attached
        self._owners = _owners(attached)
        self._things = self._stored()
        self._guarded = self._of_protected()
        for vdisk, volume in attached.items():
            runs = self._model.servers.power[vdisk.server] is Power.ON
            if runs and isinstance(volume, VolumeId) and self._by_hand.get(vdisk) != volume:
                self.homes.setdefault(vdisk, volume)

    def _stored(self) -> set[PoolId | VolumeId]:
        return {*self._model.storage.pools, *self._model.storage.volumes}

    def _of_protected(self) -> object:
        model = self._model
        ports = {port: model.switch.ports[port] for port in self._ports}
        power = {server: model.servers.power[server] for server in self._protected}
        attached = {v: what for v, what in model.storage.attachments.items() if v.server in self._protected}
        return ports, power, attached, {server: model.servers.descriptions.get(server) for server in self._protected}

    def away(self) -> dict[VDisk, VolumeId]:
        """The volumes with data that are not where they belong."""
        attached = dict(self._model.storage.attachments.items())
        return {vdisk: volume for vdisk, volume in self.homes.items() if attached.get(vdisk) != volume}

    def misplaced(self) -> list[str]:
        """At the end: servers that do not have the volumes that their data is on."""
        return [f"{vdisk} lacks {volume}" for vdisk, volume in self.away().items()]

    def _say(self, offence: str) -> None:
        self.offences.append(f"{len(self._sim.log)}: {offence}")


def _owners(attached: dict[VDisk, Attached]) -> dict[Attached, set[str]]:
    owners: dict[Attached, set[str]] = {}
    for vdisk, what in attached.items():
        owners.setdefault(what, set()).add(vdisk.server)
    return owners
