"""The command line as a person sees it: whole dialogs to the letter, modes, questions, filters, refusals."""

from textwrap import dedent

import pytest

from rackwright_drivers.contract.storage import VDisk, VolumeId
from rackwright_sim.commands import Kind
from rackwright_sim.console import Console
from rackwright_sim.faults import Faults
from rackwright_sim.model import ChassisModel
from rackwright_sim.recorder import Recorder
from tests.unit.sim.support import Typist, rows


@pytest.fixture
def typist() -> Typist:
    return Typist(ChassisModel.load("small"))


def page(text: str) -> str:
    return dedent(text).removeprefix("\n")


async def test_building_a_pool(typist: Typist) -> None:
    seen = await typist.transcript(
        "storage set mgmt-mode volume slot 2 no-confirm",
        "storage clear-metadata disk JBOD2/6-81 slot 2",
        "yes",
        "yes",
        "storage create pool 2/rootpool-1 disk JBOD2/6",
        "storage create volume-prefix 2/rootpool-1/rootvol size max#11 count 3",
        "show storage pool brief | nomore",
        "show storage volume brief",
    )
    assert seen == page("""
        sm15k-01# storage set mgmt-mode volume slot 2 no-confirm
        sm15k-01# storage clear-metadata disk JBOD2/6-81 slot 2
        All data on the specified disk(s) will be lost with this operation
        Are you sure you want to proceed (yes/no): yes
        Please enter 'yes' again if you really want to proceed (yes/no): yes
        sm15k-01# storage create pool 2/rootpool-1 disk JBOD2/6
        Pool 2/rootpool-1 created successfully.
        sm15k-01# storage create volume-prefix 2/rootpool-1/rootvol size max#11 count 3
        sm15k-01# show storage pool brief | nomore
        slot  pool name   disks                            size    free size  state    attr
        2     rootpool-1  JBOD2/6                          2794GB  2032.00GB  Mounted  L
        7     RAIDPOOL    7/0,7/1,7/2,7/3,7/4,7/5,7/6,7/7  3128GB  3080.00GB  Mounted  S
        * 2 entries
        sm15k-01# show storage volume brief
        A = Assigned, U = Unassigned, L = Linear, S = Stripe
        slot  pool name   volume name  prov. size  actual size  attr
        2     rootpool-1  rootvol-0    254GB       254.00GB     UL
        2     rootpool-1  rootvol-1    254GB       254.00GB     UL
        2     rootpool-1  rootvol-2    254GB       254.00GB     UL
        7     RAIDPOOL    RAIDVOL-0    48GB        48.00GB      AS
        * 4 entries
        """)


async def test_deleting_pools(typist: Typist) -> None:
    await typist.transcript(
        "storage set mgmt-mode volume slot 2 no-confirm",
        "storage clear-metadata disk JBOD2/6-7 slot 2",
        "yes",
        "yes",
        "storage create pool 2/rootpool-1 disk JBOD2/6",
        "storage create pool 2/rootpool-2 disk JBOD2/7",
        "storage create volume-prefix 2/rootpool-1/rootvol size 10 count 3",
    )
    assert "% Pool 2/rootpool-1 has volumes" in await typist("storage delete pool 2/all")
    seen = await typist.transcript(
        "storage delete volume 2/rootpool-1/rootvol-2",
        "storage delete volume-prefix 2/rootpool-1/rootvol count 2",
        "storage delete pool 2/rootpool-1",
        "storage delete pool 2/all",
        "show storage pool brief | include rootpool",
        "storage delete pool 2/rootpool-1",
    )
    assert seen == page("""
        sm15k-01# storage delete volume 2/rootpool-1/rootvol-2
        sm15k-01# storage delete volume-prefix 2/rootpool-1/rootvol count 2
        sm15k-01# storage delete pool 2/rootpool-1
        sm15k-01# storage delete pool 2/all
        sm15k-01# show storage pool brief | include rootpool
        sm15k-01# storage delete pool 2/rootpool-1
        % Pool 2/rootpool-1 does not exist
        """)


async def test_assigning(typist: Typist) -> None:
    seen = await typist.transcript(
        "storage create volume-prefix 7/RAIDPOOL/Journal size 500 count 2",
        "conf t",
        "storage assign 0/0 1 volume 7/RAIDPOOL/Journal-0",
        "storage assign 0/0 1 volume 7/RAIDPOOL/Journal-1",
        "storage assign 1/0 22 disk JBOD2/9",
        "storage unassign 32/0 0",
        "storage unassign 32/0 0",
        "storage assign-range 0/0-2/0,32/0 0 volume Journal uuid",
        "end",
        "show storage assign brief",
    )
    assert seen == page("""
        sm15k-01# storage create volume-prefix 7/RAIDPOOL/Journal size 500 count 2
        sm15k-01# conf t
        Enter configuration commands, one per line.  End with CNTL/Z.
        sm15k-01(config)# storage assign 0/0 1 volume 7/RAIDPOOL/Journal-0
        sm15k-01(config)# storage assign 0/0 1 volume 7/RAIDPOOL/Journal-1
        % Vdisk 1 of server 0/0 is already assigned
        sm15k-01(config)# storage assign 1/0 22 disk JBOD2/9
        sm15k-01(config)# storage unassign 32/0 0
        sm15k-01(config)# storage unassign 32/0 0
        % Vdisk 0 of server 32/0 is not assigned
        sm15k-01(config)# storage assign-range 0/0-2/0,32/0 0 volume Journal uuid
        % Not enough free volumes 'Journal': 1 of 4 assigned
        sm15k-01(config)# end
        sm15k-01# show storage assign brief
        server vdisk type   id      assignment            property
        0/0    0     volume Journal(7/RAIDPOOL/Journal-1) active RW
        0/0    1     volume Journal(7/RAIDPOOL/Journal-0) active RW
        1/0    22    disk   JBOD2/9                       active RW
        * 3 entries
        """)


async def test_vlans(typist: Typist) -> None:
    seen = await typist.transcript(
        "configure",
        "switch system-vlan 150",
        "server id 2/0",
        "nic 1",
        "untagged-vlan 100",
        "nic 2",
        "no untagged-vlan 0",
        "server id 0/0",
        "nic 0",
        "untagged-vlan 100",
        "untagged-vlan 150",
        "tagged-vlan 150",
        "interface te 0/1",
        "untagged-vlan 100",
        "exit",
        "exit",
        "show vlan | nomore",
    )
    assert seen == page("""
        sm15k-01# configure
        Enter configuration commands, one per line.  End with CNTL/Z.
        sm15k-01(config)# switch system-vlan 150
        sm15k-01(config)# server id 2/0
        sm15k-01(config-id-2/0)# nic 1
        sm15k-01(config-nic-1)# untagged-vlan 100
        sm15k-01(config-nic-1)# nic 2
        sm15k-01(config-nic-2)# no untagged-vlan 0
        sm15k-01(config-nic-2)# server id 0/0
        sm15k-01(config-id-0/0)# nic 0
        sm15k-01(config-nic-0)# untagged-vlan 100
        sm15k-01(config-nic-0)# untagged-vlan 150
        % Port srv 0/0/0 is untagged in VLAN 100
        sm15k-01(config-nic-0)# tagged-vlan 150
        sm15k-01(config-nic-0)# interface te 0/1
        sm15k-01(config-if-te-0/1)# untagged-vlan 100
        sm15k-01(config-if-te-0/1)# exit
        sm15k-01(config)# exit
        sm15k-01# show vlan | nomore
        Default Vlan                    : 0
        Number of User Configured Vlans : 2
        Number of Default Vlans         : 1
        Flags : T = Tagged              U = Untagged
              : I = Incomplete bond state because of difference in the bond member configuration.
              : D = interface configured for untagged traffic drop
              : P = Vlan pass through enabled
        Vlan  Port Members
        0     srv 2/0/2 (D )
        100   te 0/1 (U ), srv 0/0/0 (U ), srv 32/0/0 (U ), srv 2/0/1 (U )
        150   srv 0/0/0 (T )
        """)


async def test_vlan_members_come_in_the_order_of_the_fabric_and_wrap() -> None:
    typist = Typist(ChassisModel.load("as-found"))
    for card in range(64):
        await typist("conf t", f"server id {card}/0", "nic 0", "untagged-vlan 100", "end")
    table = await typist("show vlan")
    row = table.split("Vlan  Port Members\n")[1]
    assert max(len(line) for line in row.splitlines()) <= 79
    assert all(line.startswith("      ") for line in row.splitlines()[1:])
    cards = [int(word.split("/")[0]) for word in row.replace(",", "").split() if word.endswith("/0/0")]
    assert cards[:8] == [0, 1, 17, 16, 32, 33, 49, 48]
    assert cards[-2:] == [53, 52]
    assert len(cards) == 64


async def test_a_vlan_without_members_is_a_row_without_ports(typist: Typist) -> None:
    await typist("conf t", "switch system-vlan 200", "end")
    assert (await typist("show vlan")).endswith("\n200\n")


async def test_power_asks_unless_told_not_to(typist: Typist) -> None:
    seen = await typist.transcript(
        "power-on server 0/0 no-confirm",
        "power-off server 32/0 force",
        "no",
        "power-off server 32/0 force",
        "yes",
        "show server summary 0/0,32/0 | include \\s0\\s+00",
    )
    assert seen == page("""
        sm15k-01# power-on server 0/0 no-confirm
        sm15k-01# power-off server 32/0 force
        Are you sure you want to proceed (yes/no): no
        Operation cancelled.
        sm15k-01# power-off server 32/0 force
        Are you sure you want to proceed (yes/no): yes
        sm15k-01# show server summary 0/0,32/0 | include \\s0\\s+00
        0/0     0    00:22:99:ec:00:00  0        up      Intel Xeon E3-1265L v3  w/32GB DDR3
        32/0    0    00:22:99:ec:00:40  1        down    Intel Xeon E3-1265L v3  w/32GB DDR3
        """)


async def test_clear_metadata_declined_at_the_second_question_changes_nothing(typist: Typist) -> None:
    before = typist.model.saved()
    assert "cancelled" in await typist("storage clear-metadata disk JBOD2/6 slot 2", "yes", "n")
    assert typist.model.saved() == before


async def test_user_mode_leads_to_exec_by_enable() -> None:
    model = ChassisModel.load("small")
    console = Console(model, Recorder(), Faults(), name="test", user_mode=True)
    assert console.cli.prompt == "sm15k-01> "
    assert (await console.run("conf t")).text == "% Invalid input detected\n"
    assert (await console.run("show clock")).text.count(":") == 2
    await console.run("enable")
    assert console.cli.prompt == "sm15k-01# "
    await console.run("exit")
    assert console.cli.closed


@pytest.mark.parametrize("word", ["conf", "conf t", "config t", "configure", "configure terminal"])
async def test_ways_into_configuration(typist: Typist, word: str) -> None:
    assert "(config)# exit" in await typist.transcript(word, "exit")


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("frobnicate", "% Invalid input detected"),
        ("show storage assign", "% Invalid input detected"),
        ("storage assign 0/0 1 volume 7/RAIDPOOL/RAIDVOL-0", "% Invalid input detected"),  # not in exec
        ("power-on server 0/0 no-confirm no-confirm", "% Invalid input detected"),
        ("power-on server 0/0 now", "% Invalid input detected"),
        ("show clock | sort x", "% Invalid input detected"),
        ("show clock | include (", "% Invalid input detected"),
        ("power-on server 9/0 no-confirm", "% No server '9/0'"),
        ("storage create pool 2-pool disk JBOD2/6", "% Invalid pool '2-pool'"),
        ("storage create volume 7/RAIDPOOL size 1", "% Invalid volume '7/RAIDPOOL'"),
        ("storage create volume 7/POOL/v size 1", "% Pool 7/POOL does not exist"),
        ("storage create volume 7/RAIDPOOL/v size big", "% Invalid size 'big'"),
        ("storage set mgmt-mode tape slot 2 no-confirm", "% Invalid mgmt-mode 'tape'"),
        ("storage set mgmt-mode disk slot 4 no-confirm", "% No storage in slot 4"),
        ("show lacp info server 9/0", "% No server '9/0'"),
        ("reload", "% 'reload' is a command of the chassis that this simulator does not do"),
        ("write memory", "% Invalid input detected"),
    ],
)
async def test_refusals(typist: Typist, line: str, text: str) -> None:
    before = typist.model.saved()
    expected = text if line != "write memory" else "% 'write' is a command of the chassis"
    assert (await typist(line)).startswith(expected)
    assert typist.model.saved() == before


async def test_filters_chain_and_escaped_bars_are_alternatives(typist: Typist) -> None:
    shown = await typist("show storage disk brief | include (JBOD2/6\\|7/0)\\s | exclude HDD | nomore")
    assert shown.split()[:3] == ["7", "7/0", "SSD"]
    assert shown.count("\n") == 1


async def test_tables_count_their_rows(typist: Typist) -> None:
    for what, count in [("disk", 68), ("slot", 3), ("pool", 1), ("volume", 1)]:
        assert len(rows(await typist(f"show storage {what} brief"))) == count
    summary = rows(await typist("show server summary all"))
    assert len(summary) == 32
    assert [row[3] for row in summary if row[1] == "0"] == ["0", "0", "0", "1"]
    disks = rows(await typist("show storage disk brief"))
    assert disks[0] == ["2", "JBOD2/6", "HDD", "2794GB", "Z1X3A006", "foreign", "online"]


async def test_a_failed_disk_shows(typist: Typist) -> None:
    typist.model.storage.fail_disk("JBOD5/9")
    assert "failed" in await typist("show storage disk brief | include JBOD5/9 ")
    with pytest.raises(ValueError, match="no disk JBOD5/10"):
        typist.model.storage.fail_disk("JBOD5/10")


async def test_descriptions(typist: Typist) -> None:
    await typist("conf t", "server id 2/0", 'description "owner; rack 7"', "server id 0/0", 'description "x"')
    await typist("no description", "end")
    assert rows(await typist("show server description")) == [["2/0", "owner; rack 7"]]


async def test_pages(typist: Typist) -> None:
    assert await typist("show chassis") == (
        "Chassis Type  : SM15000\nSerial Number : SM15K00042\nHostname      : sm15k-01\n"
    )
    assert "Simulated" in await typist("show version")
    assert (await typist("show clock")).count("\n") == 1


async def test_lacp_shows_what_the_host_bundles_while_it_runs() -> None:
    typist = Typist(ChassisModel.load("as-found"))
    model = typist.model
    model.servers.bundle("12/0", [[4, 5, 6, 7], [1, 2, 3]])
    head = "Server ID 12/0\nBond ID  Slave ID  Slave-State  Actor-state  Partner-state  VLAN-id  Bond-MAC\n"
    assert await typist("show lacp info server 12/0") == head
    await typist("power-on server 12/0 no-confirm", "conf t", "server id 12/0", "nic 1", "untagged-vlan 100", "end")
    shown = (await typist("show lacp info server 12/0")).removeprefix(head).splitlines()
    assert shown[0].split() == ["320", "4", "bundled", "3d", "3d", "0", "00:22:99:ec:05:07"]
    assert [line.split()[2] for line in shown[4:]] == ["individual"] * 3
    assert "srv 12/0/1 (UI)" in await typist("show vlan")


async def test_what_came_in_is_counted_and_logged(typist: Typist) -> None:
    await typist("", "show clock", "conf t", "bad", "switch system-vlan 7", "end")
    await typist("storage clear-metadata disk JBOD2/6 slot 2", "yes", "no", "reload")
    counted = typist.recorder.counters.commands
    assert {kind: counted[kind] for kind in Kind} == {
        Kind.SHOW: 1,
        Kind.NAVIGATION: 2,
        Kind.CONFIGURATION: 2,
        Kind.ANSWER: 2,
        Kind.INVALID: 2,
    }
    assert [(entry.text, entry.outcome) for entry in typist.recorder.log] == [
        ("show clock", "done"),
        ("conf t", "done"),
        ("bad", "refused"),
        ("switch system-vlan 7", "done"),
        ("end", "done"),
        ("storage clear-metadata disk JBOD2/6 slot 2", "asked"),
        ("yes", "asked"),
        ("no", "asked"),
        ("reload", "refused"),
    ]


async def test_the_same_volume_on_two_servers_is_shown_twice(typist: Typist) -> None:
    await typist("conf t", "storage assign 0/0 9 volume 7/RAIDPOOL/RAIDVOL-0", "end")
    assert (await typist("show storage assign brief")).count("7/RAIDPOOL/RAIDVOL-0") == 2
    assert typist.model.storage.attachments[VDisk("0/0", 9)] == VolumeId(7, "RAIDPOOL", "RAIDVOL-0")
