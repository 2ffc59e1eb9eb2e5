"""Whatever is typed in whatever order, the chassis stays one that could exist, and a refused command changed nothing."""

import asyncio
from collections.abc import Callable
from contextlib import nullcontext, suppress

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from rackwright_drivers.contract.storage import Metadata, RawDisk
from rackwright_sim.cli import CliSession
from rackwright_sim.commands import Mode
from rackwright_sim.model import ChassisModel
from rackwright_sim.refusals import Interrupted, Refusal
from rackwright_sim.startfile import Start
from rackwright_sim.storage import prefix_of
from tests.unit.sim.support import Typist, rows

SLOTS = st.sampled_from([2, 5, 7, 3])
SERVERS = st.sampled_from(["0/0", "1/0", "2/0", "32/0", "0/0-2/0", "all", "1/0,32/0", "9/0"])
SERVER = st.sampled_from(["0/0", "1/0", "32/0", "9/0"])
VDISKS = st.sampled_from(["0", "1", "0-3", "2,5", "64"])
VDISK = st.sampled_from(["0", "1", "5", "64"])
POOLS = st.sampled_from(["2/a", "2/b", "5/a", "7/RAIDPOOL", "7/c"])
PREFIX = st.sampled_from(["vol", "RAIDVOL", "other"])
SIZES = st.sampled_from(["1", "254", "1400", "max", "max#3", "max#11", "0"])
DISKS = st.sampled_from(["JBOD2/6", "JBOD2/7", "JBOD5/0", "JBOD2/6,JBOD2/8", "7/0", "7/0,7/1,7/2", "JBOD2/16"])
SPANS = st.sampled_from(["JBOD2/6-81", "JBOD2/6-8", "JBOD5/0-75", "7/0-7", "JBOD2/16-17"])
VLANS = st.sampled_from([0, 100, 150, 200, 5000])
CUT = st.sampled_from([None, None, None, 0, 1, 2])


class Chassis(RuleBasedStateMachine):
    """Commands typed at a chassis of four cards; some are cut short, and now and then it restarts from what it saved."""

    @initialize()
    def start(self) -> None:
        self.model = ChassisModel.load("small")

    def type(self, line: str, *modes: str, cut: int | None = None) -> None:
        session = CliSession(self.model)
        for mode in modes:
            step = session.take(mode)
            assert step is not None
            assert step.act is not None
            try:
                step.act()
            except Refusal:
                return
        step = session.take(line)
        assert step is not None
        assert step.act is not None
        self.act(step.act, cut)

    def act(self, act: Callable[[], str], cut: int | None) -> None:
        before = self.model.saved()
        refused: Refusal | None = None
        with self.model.changes.cut_after(cut) if cut is not None else nullcontext(), suppress(Interrupted):
            try:
                act()
            except Refusal as refusal:
                refused = refusal
        if refused is not None:
            assert refused.text.startswith("% ")
            assert "Invalid input" not in refused.text
            assert refused.partial or self.model.saved() == before

    @rule(slot=SLOTS, mode=st.sampled_from(["volume", "disk"]))
    def set_mode(self, slot: int, mode: str) -> None:
        self.type(f"storage set mgmt-mode {mode} slot {slot} no-confirm")

    @rule(slot=SLOTS, span=SPANS, cut=CUT)
    def clear(self, slot: int, span: str, cut: int | None) -> None:
        session = CliSession(self.model)
        for line in (f"storage clear-metadata disk {span} slot {slot}", "yes"):
            assert session.take(line) is not None
        step = session.take("yes")
        assert step is not None
        assert step.act is not None
        pooled = {d.name for d in self.model.storage.disks.values() if d.metadata is Metadata.POOL}
        self.act(step.act, cut)
        assert pooled == {d.name for d in self.model.storage.disks.values() if d.metadata is Metadata.POOL}

    @rule(pool=POOLS, disks=DISKS)
    def create_pool(self, pool: str, disks: str) -> None:
        self.type(f"storage create pool {pool} disk {disks}")

    @rule(pool=POOLS, prefix=PREFIX, size=SIZES, count=st.integers(1, 12), cut=CUT)
    def create_volumes(self, pool: str, prefix: str, size: str, count: int, cut: int | None) -> None:
        self.type(f"storage create volume-prefix {pool}/{prefix} size {size} count {count}", cut=cut)

    @rule(pool=POOLS, prefix=PREFIX, size=SIZES)
    def create_volume(self, pool: str, prefix: str, size: str) -> None:
        self.type(f"storage create volume {pool}/{prefix} size {size}")

    @rule(server=SERVER, vdisk=VDISK, pool=POOLS, prefix=PREFIX, number=st.integers(0, 3))
    def assign(self, server: str, vdisk: str, pool: str, prefix: str, number: int) -> None:
        self.type(f"storage assign {server} {vdisk} volume {pool}/{prefix}-{number}", "conf t")

    @rule(server=SERVER, vdisk=VDISK, disk=st.sampled_from(["JBOD2/6", "JBOD5/0", "7/0", "JBOD2/16"]))
    def assign_disk(self, server: str, vdisk: str, disk: str) -> None:
        self.type(f"storage assign {server} {vdisk} disk {disk}", "conf t")

    @rule(servers=SERVERS, vdisks=VDISKS, prefix=PREFIX, cut=CUT)
    def assign_range(self, servers: str, vdisks: str, prefix: str, cut: int | None) -> None:
        attachments = self.model.storage.attachments
        before = attachments.shown()
        self.type(f"storage assign-range {servers} {vdisks} volume {prefix} uuid", "conf t", cut=cut)
        after = attachments.shown()
        new = [after[vdisk] for vdisk in after if vdisk not in before]
        assert {vdisk: after[vdisk] for vdisk in before} == before
        assert not set(new) & set(before.values()), "a ranged assign never takes an assigned volume"
        assert len(set(new)) == len(new)
        assert all(not isinstance(what, RawDisk) and prefix_of(what.name) == prefix for what in new)

    @rule(server=SERVER, vdisk=VDISK)
    def unassign(self, server: str, vdisk: str) -> None:
        self.type(f"storage unassign {server} {vdisk}", "conf t")

    @rule(servers=SERVERS, vdisks=VDISKS, cut=CUT)
    def unassign_range(self, servers: str, vdisks: str, cut: int | None) -> None:
        self.type(f"storage unassign-range {servers} {vdisks}", "conf t", cut=cut)

    @rule(servers=SERVERS, word=st.sampled_from(["on", "off"]), cut=CUT)
    def power(self, servers: str, word: str, cut: int | None) -> None:
        self.type(f"power-{word} server {servers} no-confirm", cut=cut)

    @rule(vlan=VLANS)
    def create_vlan(self, vlan: int) -> None:
        self.type(f"switch system-vlan {vlan}", "conf t")

    @rule(
        server=SERVER,
        nic=st.integers(0, 8),
        word=st.sampled_from(["untagged-vlan", "no untagged-vlan", "tagged-vlan", "no tagged-vlan"]),
        vlan=VLANS,
    )
    def port(self, server: str, nic: int, word: str, vlan: int) -> None:
        self.type(f"{word} {vlan}", "conf t", f"server id {server}", f"nic {nic}")

    @rule()
    def restart(self) -> None:
        self.model = ChassisModel(Start.model_validate_json(self.model.saved().model_dump_json(exclude_defaults=True)))

    @invariant()
    def it_could_exist(self) -> None:
        saved = self.model.saved()
        # The checks of a start file: names and serials once, volumes fit, what is attached exists, ports' VLANs exist.
        assert Start.model_validate_json(saved.model_dump_json()) == saved
        storage = self.model.storage
        assert all(storage.free_gib(pool) >= 0 for pool in storage.pools)
        assert all(volume.pool_id in storage.pools for volume in storage.volumes)
        pooled = [name for pool in storage.pools.values() for name in pool.disks]
        assert len(set(pooled)) == len(pooled)
        assert set(pooled) == {disk.name for disk in storage.disks.values() if disk.metadata is Metadata.POOL}
        assert all(len(pool.disks) == 1 for at, pool in storage.pools.items() if storage.slots[at.slot].kind == "JBOD")
        raw = {what.name for what in storage.attachments.values() if isinstance(what, RawDisk)}
        assert not raw & set(pooled)
        assert all(vlans.untagged not in vlans.tagged for vlans in self.model.switch.ports.values())

    @invariant()
    def tables_count_their_rows(self) -> None:
        typist = Typist(self.model)
        shown = asyncio.run(typist("show storage volume brief"))
        assert len(rows(shown)) == len(self.model.storage.volumes)


Chassis.TestCase.settings = settings(max_examples=20, stateful_step_count=25, deadline=None)
TestChassis = Chassis.TestCase


def test_every_command_moves_only_between_known_modes() -> None:
    session = CliSession(ChassisModel.load("small"))
    for line in ("conf t", "server id 0/0", "nic 7", "interface te 7/1", "server id 1/0", "exit", "exit", "exit"):
        step = session.take(line)
        assert step is not None
        assert step.act is not None
        step.act()
    assert session.mode is Mode.EXEC
    assert session.closed
