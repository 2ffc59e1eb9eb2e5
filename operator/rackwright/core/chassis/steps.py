"""From one difference to the steps that undo it, with what each needs first and the identities it touches. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from rackwright.core.chassis.doubt import NO_DOUBT
from rackwright.core.chassis.wanted import Wanted
from rackwright.core.resource import Ref
from rackwright.core.risk import Risk, risk_of
from rackwright.core.step import Difference, Part, PartKind, Step
from rackwright_drivers.contract.chassis import Action, ChassisState
from rackwright_drivers.contract.network import CreateVlan, Nic, Port, SetPort, Uplink
from rackwright_drivers.contract.power import Power, SetPower
from rackwright_drivers.contract.storage import (
    Attach,
    Attached,
    ClearMetadata,
    CreatePool,
    CreateVolumes,
    DeletePool,
    DeleteVolumes,
    Detach,
    EqualShare,
    PoolId,
    SetManagementMode,
    VDisk,
    VolumeId,
)
from rackwright_drivers.contract.unknown import Unknown


@dataclass(frozen=True)
class Maker:
    """Makes steps out of differences, for one wanted and one observed state."""

    wanted: Wanted
    observed: ChassisState

    def steps(self, difference: Difference) -> Iterator[Step]:
        """The steps for one difference: none where nothing that we do can undo it."""
        if difference.part in self.wanted.explained:
            return
        key = difference.part.key
        match difference.part.kind:
            case PartKind.SLOT if isinstance(key, int):
                yield from self._slot(difference, key)
            case PartKind.DISK if isinstance(key, str):
                yield from self._disk(difference, key)
            case PartKind.POOL if isinstance(key, PoolId):
                yield from self._pool(difference, key)
            case PartKind.ATTACHMENT if isinstance(key, VDisk):
                yield from self._attachment(difference, key)
            case PartKind.VLAN if isinstance(key, int):
                yield self._step(CreateVlan(key), f"VLAN {key}", difference)
            case PartKind.PORT if isinstance(key, Nic | Uplink):
                yield from self._port(difference, key)
            case PartKind.POWER if isinstance(key, str):
                yield from self._power(difference, key)
            case _:
                return

    def volumes(self, missing: Iterable[Difference]) -> Iterator[Step]:
        """The missing volumes of each pool, made together."""
        groups = _by_prefix(difference for difference in missing if difference.found == "no volume")
        for (pool, prefix), group in groups.items():
            yield self._create_volumes(pool, prefix, group)

    def removals(self, found: Iterable[Difference]) -> Iterator[Step]:
        """The steps that destroy what is doomed: volumes once nobody has them, then their pools."""
        doomed = [difference for difference in found if difference.part in self.wanted.doomed]
        for difference in doomed:
            name = difference.part.key
            if isinstance(name, PoolId):
                needs = (part for part in self.wanted.doomed if self._is_in(part, name))
                serials = self._serials(name)
                yield self._step(DeletePool(name), f"pool {name}", difference, needs=needs, evidence=serials)
        for (pool, prefix), group in _by_prefix(doomed).items():
            yield from self._delete_volumes(pool, prefix, group)

    @staticmethod
    def _is_in(part: Part, pool: PoolId) -> bool:
        return isinstance(part.key, VolumeId) and part.key.pool_id == pool

    def _serials(self, pool: PoolId) -> tuple[str, ...]:
        disks, pools = self.observed.disks, self.observed.pools
        if isinstance(disks, Unknown) or isinstance(pools, Unknown):
            return ()
        return tuple(disks[name].serial for name in pools[pool].disks)

    def _delete_volumes(self, pool: PoolId, prefix: str, group: Mapping[VolumeId, Difference]) -> Iterator[Step]:
        """One step for all that a pool has of a prefix, where they are numbered from 0 on; else one step each."""
        numbers = sorted(name.number for name in group)
        volumes = () if isinstance(self.observed.volumes, Unknown) else self.observed.volumes
        alike = [name for name in volumes if name.pool_id == pool and name.name.startswith(prefix)]
        together = numbers == list(range(len(alike)))
        for names in [list(group)] if together else [[name] for name in group]:
            holders = (vdisk for name in names for vdisk in self._holders.get(name, ()))
            yield self._step(
                DeleteVolumes(pool, prefix, tuple(sorted(name.number for name in names))),
                f"{pool}/{prefix}" if together else str(names[0]),
                group[names[0]],
                solves=[group[name].part for name in names],
                needs=[Part(PartKind.FREE, vdisk) for vdisk in holders],
                evidence=self._serials(pool),
            )

    def _create_volumes(self, pool: PoolId, prefix: str, group: Mapping[VolumeId, Difference]) -> Step:
        numbers = tuple(sorted(name.number for name in group))
        name, difference = next(iter(group.items()))
        first = self.wanted.volumes[name]
        share = self.wanted.shares.get(pool)
        whole = share is not None and len(numbers) == share
        action = CreateVolumes(pool, prefix, numbers, EqualShare(len(numbers)) if whole else first.size_gib)
        return Step(
            action=action,
            owners=self._owners(difference.part),
            target=f"{pool}/{prefix}",
            reason=f"{len(numbers)} volumes of {first.size_gib} GiB are missing",
            risk=risk_of(action, self.observed),
            solves=frozenset(item.part for item in group.values()),
            needs=frozenset({Part(PartKind.POOL, pool)}),
        )

    def _owners(self, part: Part) -> tuple[Ref, ...]:
        return self.wanted.owners[part]

    def _step(
        self,
        action: Action,
        target: str,
        difference: Difference,
        *,
        solves: Iterable[Part] = (),
        needs: Iterable[Part] = (),
        evidence: Iterable[str] = (),
    ) -> Step:
        risk = risk_of(action, self.observed)
        return Step(
            action=action,
            owners=self._owners(difference.part),
            target=target,
            reason=f"wanted {difference.wanted}, found {difference.found}",
            risk=risk,
            solves=frozenset(solves) or frozenset({difference.part}),
            needs=frozenset(needs) | ({NO_DOUBT} if risk is Risk.DESTRUCTIVE else set()),
            evidence=(self._serial, *evidence),
        )

    @property
    def _serial(self) -> str:
        identity = self.observed.identity
        return "unknown" if isinstance(identity, Unknown) else identity.serial

    def _slot(self, difference: Difference, number: int) -> Iterator[Step]:
        if isinstance(self.observed.disks, Unknown):
            return
        serials = sorted(disk.serial for disk in self.observed.disks.values() if disk.slot == number)
        action = SetManagementMode(number, self.wanted.slots[number].mode)
        yield self._step(action, f"slot {number}", difference, evidence=serials)

    def _disk(self, difference: Difference, name: str) -> Iterator[Step]:
        assert not isinstance(self.observed.disks, Unknown)  # else no disk would differ
        disk = self.observed.disks[name]
        needs = [Part(PartKind.SLOT, disk.slot)]
        pools = () if isinstance(self.observed.pools, Unknown) else self.observed.pools.values()
        needs += [Part(PartKind.POOL, pool.id) for pool in pools if name in pool.disks]
        action = ClearMetadata(disk.slot, (name,))
        yield self._step(action, f"disk {name}", difference, needs=needs, evidence=(disk.serial,))

    def _pool(self, difference: Difference, name: PoolId) -> Iterator[Step]:
        if difference.found != "no pool":
            return
        disks = self.wanted.pools[name].disks
        needs = (Part(PartKind.SLOT, name.slot), *(Part(PartKind.DISK, disk) for disk in disks))
        yield self._step(CreatePool(name, disks), f"pool {name}", difference, needs=needs)

    def _attachment(self, difference: Difference, vdisk: VDisk) -> Iterator[Step]:
        want, found = self.wanted.attachments[vdisk], self._attachments.get(vdisk)
        free = Part(PartKind.FREE, vdisk)
        if found is not None:
            evidence = (*self._macs(vdisk.server), str(found))
            solves = {free} if want is not None else {free, difference.part}
            action = Detach((vdisk.server,), vdisk.number)
            yield self._step(action, str(vdisk), difference, solves=solves, evidence=evidence)
        if want is not None:
            needs = {Part(PartKind.VOLUME, want), *self._elsewhere(vdisk, want)} | (
                {free} if found is not None else set()
            )
            yield self._step(Attach(vdisk, want), str(vdisk), difference, needs=needs)

    @cached_property
    def _attachments(self) -> Mapping[VDisk, Attached | None]:
        return {} if isinstance(self.observed.attachments, Unknown) else self.observed.attachments

    @cached_property
    def _holders(self) -> Mapping[Attached, tuple[VDisk, ...]]:
        holders: dict[Attached, tuple[VDisk, ...]] = {}
        for vdisk, found in self._attachments.items():
            if found is not None:
                holders[found] = (*holders.get(found, ()), vdisk)
        return holders

    def _elsewhere(self, vdisk: VDisk, volume: VolumeId) -> Iterator[Part]:
        """What must be emptied first, so that the volume never has two owners."""
        for holder in self._holders.get(volume, ()):
            if holder.server != vdisk.server:
                yield Part(PartKind.FREE, holder)

    def _macs(self, server: str) -> tuple[str, ...]:
        servers = self.observed.servers
        return () if isinstance(servers, Unknown) or server not in servers else servers[server].macs

    def _port(self, difference: Difference, port: Port) -> Iterator[Step]:
        network = self.observed.network
        found = None if isinstance(network, Unknown) else network.of(port)
        if found is None:
            return
        want = self.wanted.ports[port]
        named = want.tagged | ({want.untagged} if want.untagged is not None else set())
        needs = (Part(PartKind.VLAN, vlan) for vlan in named)
        evidence = self._macs(port.server) if isinstance(port, Nic) else ()
        yield self._step(SetPort(port, found, want), str(port), difference, needs=needs, evidence=evidence)

    def _power(self, difference: Difference, server: str) -> Iterator[Step]:
        power = self.wanted.servers[server].power
        if not isinstance(power, Power) or difference.found == "no server":
            return
        needs = self._before_power(server) if power is Power.ON else ()
        yield self._step(
            SetPower(server, power), f"server {server}", difference, needs=needs, evidence=self._macs(server)
        )

    def _before_power(self, server: str) -> Iterator[Part]:
        """A server is switched on only with its own volumes, alone on them, and with its NICs where they belong."""
        yield Part(PartKind.FACTS, server)
        for part in self._by_server.get(server, ()):
            yield part
            if isinstance(part.key, VDisk) and (volume := self.wanted.attachments.get(part.key)) is not None:
                yield from self._elsewhere(part.key, volume)

    @cached_property
    def _by_server(self) -> Mapping[str, tuple[Part, ...]]:
        parts: dict[str, tuple[Part, ...]] = {}
        for vdisk in {*self.wanted.attachments, *(part.key for part in self.wanted.unplaced)}:
            if isinstance(vdisk, VDisk):
                parts[vdisk.server] = (*parts.get(vdisk.server, ()), Part(PartKind.ATTACHMENT, vdisk))
        for port in self.wanted.ports:
            if isinstance(port, Nic):
                parts[port.server] = (*parts.get(port.server, ()), Part(PartKind.PORT, port))
        return parts


def _by_prefix(found: Iterable[Difference]) -> Mapping[tuple[PoolId, str], Mapping[VolumeId, Difference]]:
    """The volumes among these, by pool and by the prefix of their names: what one command can name."""
    groups: dict[tuple[PoolId, str], dict[VolumeId, Difference]] = {}
    for difference in found:
        name = difference.part.key
        if isinstance(name, VolumeId):
            groups.setdefault((name.pool_id, name.prefix), {})[name] = difference
    return groups
