"""Start files: the ones that are shipped, and sentences for those that are wrong. And the grammar of ranges."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rackwright_drivers.contract.errors import PermanentError
from rackwright_drivers.contract.power import Power
from rackwright_drivers.contract.storage import ManagementMode, Metadata, PoolId
from rackwright_sim import ranges
from rackwright_sim.model import ChassisModel
from rackwright_sim.refusals import Refusal
from rackwright_sim.startfile import Start, load

PLAIN = "about: {serial: A, hostname: a}\ncards: {present: 0-3}\n"
SLOT = "slots: [{number: 2, kind: JBOD, mode: Volume, disks: ["
DISK = "{numbers: '6', media: HDD, size_gib: 9, serial: S}"


def test_as_found_is_the_rack_before_anybody_looked_after_it() -> None:
    model = ChassisModel.load("as-found")
    storage = model.storage
    assert list(model.servers.macs) == [f"{n}/0" for n in range(64)]
    assert [s for s, power in model.servers.power.items() if power is Power.ON] == ["32/0"]
    jbods = [disk for disk in storage.disks.values() if disk.slot in (2, 5)]
    assert [sum(disk.slot == slot for disk in jbods) for slot in (2, 5)] == [30, 30]
    assert {(disk.metadata, disk.size_gib) for disk in jbods} == {(Metadata.FOREIGN, 2794)}
    assert {f"JBOD2/{n}" for n in range(6, 12)} <= storage.disks.keys()
    assert [storage.slots[slot].mode for slot in (2, 5, 7)] == [
        ManagementMode.DISK,
        ManagementMode.DISK,
        ManagementMode.VOLUME,
    ]
    assert storage.free_gib(PoolId(7, "RAIDPOOL")) == 3080
    assert len({disk.serial for disk in storage.disks.values()}) == 68
    assert model.switch.vlans == {0, 100}


def test_small_differs_in_its_cards_only() -> None:
    small, full = load("small"), load("as-found")
    assert small.cards.servers == ("0/0", "1/0", "2/0", "32/0")
    assert small.model_copy(update={"cards": full.cards}) == full


@pytest.mark.parametrize("name", ["as-found", "crowded", "small"])
def test_a_saved_chassis_is_a_start_file(name: str) -> None:
    saved = ChassisModel.load(name).saved()
    again = Start.model_validate_json(saved.model_dump_json(exclude_defaults=True))
    assert again == saved
    assert ChassisModel(again).saved() == saved


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "the file: Input should be a valid dictionary"),
        (PLAIN + "spare: 1\n", "spare: Extra inputs"),
        (PLAIN.replace("0-3", "0-64"), "goes beyond the last card, 63"),
        (PLAIN.replace("0-3", "0-3, running: [9/0]"), "9/0, which is not among"),
        (PLAIN + "switch: {ports: [{server: 0/0, nic: 0, untagged: 7}]}\n", "VLAN 7, which is not among"),
        (PLAIN + "switch: {ports: [{uplink: te 1/1, untagged: 0}]}\n", "uplink te 1/1, which is not among"),
        (PLAIN + "switch: {ports: [{server: 0/0, untagged: 0}]}\n", "name exactly one of them"),
        (PLAIN + SLOT + DISK + "," + DISK.replace("'6'", "'7'") + "]}]\n", "serial S is there twice"),
        (PLAIN + SLOT + DISK.replace("'6'", "'6-7'") + "]}]\n", "would name several disks"),
        (PLAIN + SLOT + DISK.replace(", serial: S", "") + "]}]\n", "either serial"),
        (PLAIN + SLOT + DISK + "]}]\npools: [{id: 2/p, disks: [JBOD2/9], size_gib: 9}]\n", "disk JBOD2/9, which is in"),
        (
            PLAIN + SLOT + DISK + "]}]\npools: [{id: 2/p, disks: [JBOD2/6], size_gib: 9}]\n"
            "volumes: [{pool: 2/p, name: v, numbers: 0-9, size_gib: 1}]\n",
            "need 10 GiB and it has 9",
        ),
        (PLAIN + "attachments: [{server: 0/0, vdisk: 0, volume: 2/p/v}]\n", "volume 2/p/v, which does not exist"),
        (PLAIN + "attachments: [{server: 0/0, vdisk: 0}]\n", "exactly one of volume and disk"),
        ("about: [", "cannot be read"),
    ],
)
def test_a_wrong_start_says_what_and_where(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "start.yaml"
    path.write_text(text)
    with pytest.raises(PermanentError) as error:
        load(path)
    assert sentence in str(error.value)
    assert str(path) in str(error.value)


def test_an_unknown_name_lists_the_data_files() -> None:
    with pytest.raises(PermanentError, match="as-found, crowded, small"):
        load("as-lost")


@given(st.sets(st.integers(0, 99), min_size=1))
def test_spans_read_back_as_the_same_numbers(values: set[int]) -> None:
    assert ranges.numbers(ranges.spans(values)) == tuple(sorted(values))


@given(st.sets(st.integers(0, 63), min_size=1))
def test_server_spans_read_back_as_the_same_servers(cards: set[int]) -> None:
    present = [f"{card}/0" for card in range(64)]
    wanted = tuple(f"{card}/0" for card in sorted(cards))
    assert ranges.servers(ranges.server_spans(wanted), present) == wanted


def test_a_span_of_servers_passes_over_empty_bays_but_a_named_one_refuses() -> None:
    present = ["0/0", "1/0", "2/0", "32/0"]
    assert ranges.servers("0/0-31/0,32/0", present) == ("0/0", "1/0", "2/0", "32/0")
    assert ranges.servers("all", present) == ("0/0", "1/0", "2/0", "32/0")
    for text in ("3/0", "64/0", "1/0-0/0", "1", "0/1", ""):
        with pytest.raises(Refusal):
            ranges.servers(text, present)


@pytest.mark.parametrize(("text", "gib"), [("254", 254), ("max", 2794), ("max#11", 254), ("max#3", 931)])
def test_sizes(text: str, gib: int) -> None:
    assert ranges.size(text, 2794) == gib


@pytest.mark.parametrize("text", ["0", "max#0", "-1", "1.5", "min", ""])
def test_sizes_that_are_none(text: str) -> None:
    if text == "0":
        assert ranges.size(text, 2794) == 0  # refused where a volume is to have it
    else:
        with pytest.raises(Refusal, match="Invalid size"):
            ranges.size(text, 2794)


@pytest.mark.parametrize(("text", "slot"), [("JBOD2/6-", 2), ("JBOD2/6", 5), ("2", 2), ("JBOD2/9-6", 2)])
def test_disk_ranges_that_are_none(text: str, slot: int) -> None:
    with pytest.raises(Refusal, match="Invalid disk"):
        ranges.disk_numbers(text, slot)
