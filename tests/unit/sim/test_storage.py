"""The rules and quirks of storage: modes, metadata, pools, volumes, assignments."""

import pytest

from rackwright_drivers.contract.storage import (
    ManagementMode,
    Metadata,
    PoolId,
    RawDisk,
    VDisk,
    VolumeId,
)
from rackwright_sim.changes import Changes
from rackwright_sim.model import ChassisModel
from rackwright_sim.refusals import Interrupted, Refusal
from rackwright_sim.storage import free_size, prefix_of

ROOT = PoolId(2, "rootpool-1")


@pytest.fixture
def model() -> ChassisModel:
    return ChassisModel.load("as-found")


@pytest.fixture
def ready(model: ChassisModel) -> ChassisModel:
    """Slot 2 in volume mode, its disks cleared, six pools of eleven root volumes."""
    storage = model.storage
    storage.set_mode(2, ManagementMode.VOLUME)
    storage.clear_metadata(2, range(6, 82))
    for n in range(1, 7):
        pool = PoolId(2, f"rootpool-{n}")
        storage.create_pool(pool, [f"JBOD2/{5 + n}"])
        storage.create_volumes(pool, [f"rootvol-{v}" for v in range(11)], 254)
    return model


def test_clear_metadata_passes_over_missing_numbers(model: ChassisModel) -> None:
    model.storage.clear_metadata(2, range(6, 82))
    states = {disk.metadata for disk in model.storage.disks.values() if disk.slot == 2}
    assert states == {Metadata.NONE}
    assert {disk.metadata for disk in model.storage.disks.values() if disk.slot == 5} == {Metadata.FOREIGN}


def test_clear_metadata_refuses_a_range_without_disks(model: ChassisModel) -> None:
    with pytest.raises(Refusal, match="No such disk"):
        model.storage.clear_metadata(2, range(82, 90))


def test_clear_metadata_refuses_a_disk_in_a_pool_and_clears_none(ready: ChassisModel) -> None:
    ready.storage.disks["JBOD2/12"].metadata = Metadata.FOREIGN
    with pytest.raises(Refusal, match="JBOD2/11 is in a pool"):
        ready.storage.clear_metadata(2, range(11, 13))
    assert ready.storage.disks["JBOD2/12"].metadata is Metadata.FOREIGN


def test_clear_metadata_refuses_a_failed_disk(model: ChassisModel) -> None:
    model.storage.fail_disk("JBOD2/9")
    with pytest.raises(Refusal, match="JBOD2/9 has failed"):
        model.storage.clear_metadata(2, [9])


def test_mode_switch_is_refused_while_something_is_assigned(ready: ChassisModel) -> None:
    ready.storage.assign(VDisk("0/0", 0), VolumeId(2, "rootpool-1", "rootvol-0"))
    with pytest.raises(Refusal, match="Slot 2 has assigned"):
        ready.storage.set_mode(2, ManagementMode.DISK)
    assert ready.storage.slots[2].mode is ManagementMode.VOLUME


def test_mode_switch_destroys_the_pools_of_its_slot_only(ready: ChassisModel) -> None:
    ready.storage.set_mode(2, ManagementMode.DISK)
    assert {pool.slot for pool in ready.storage.pools} == {7}
    assert list(ready.storage.volumes) == [VolumeId(7, "RAIDPOOL", "RAIDVOL-0")]
    assert ready.storage.disks["JBOD2/6"].metadata is Metadata.FOREIGN


def test_setting_the_mode_that_is_there_keeps_everything(ready: ChassisModel) -> None:
    ready.storage.set_mode(2, ManagementMode.VOLUME)
    assert len(ready.storage.pools) == 7


def test_pool_on_jbod_cannot_span_disks(ready: ChassisModel) -> None:
    with pytest.raises(Refusal, match="cannot span"):
        ready.storage.create_pool(PoolId(2, "wide"), ["JBOD2/12", "JBOD2/13"])


def test_pool_on_raid_spans_disks_and_loses_one_to_parity() -> None:
    model = ChassisModel.load("as-found")
    storage = model.storage
    storage.unassign(VDisk("32/0", 0))
    storage.set_mode(7, ManagementMode.DISK)
    storage.set_mode(7, ManagementMode.VOLUME)
    storage.clear_metadata(7, range(8))
    storage.create_pool(PoolId(7, "again"), [f"7/{n}" for n in range(8)])
    assert storage.pools[PoolId(7, "again")].size_gib == 3128


@pytest.mark.parametrize(
    ("disks", "text"),
    [
        (["JBOD2/6"], "is in a pool"),
        (["JBOD5/0"], "No disk 'JBOD5/0' in slot 2"),
        (["JBOD2/16"], "No disk"),
        ([], "not at all"),
    ],
)
def test_pool_refuses_disks_that_are_not_free(ready: ChassisModel, disks: list[str], text: str) -> None:
    with pytest.raises(Refusal, match=text):
        ready.storage.create_pool(PoolId(2, "another"), disks)


def test_pool_refuses_foreign_metadata_and_disk_mode(model: ChassisModel) -> None:
    with pytest.raises(Refusal, match="not in mgmt-mode volume"):
        model.storage.create_pool(ROOT, ["JBOD2/6"])
    model.storage.set_mode(2, ManagementMode.VOLUME)
    with pytest.raises(Refusal, match="foreign metadata"):
        model.storage.create_pool(ROOT, ["JBOD2/6"])


def test_pool_refuses_a_name_that_is_there_and_a_failed_disk(ready: ChassisModel) -> None:
    with pytest.raises(Refusal, match="already exists"):
        ready.storage.create_pool(ROOT, ["JBOD2/12"])
    ready.storage.fail_disk("JBOD2/12")
    with pytest.raises(Refusal, match="has failed"):
        ready.storage.create_pool(PoolId(2, "another"), ["JBOD2/12"])


def test_eleven_equal_parts_of_a_disk_are_254_gib_and_fill_it(ready: ChassisModel) -> None:
    pool = PoolId(2, "fresh")
    ready.storage.create_pool(pool, ["JBOD2/12"])
    assert free_size(ready.storage, pool, "max#11") == 254
    assert free_size(ready.storage, pool, "max") == 2794
    assert ready.storage.free_gib(ROOT) == 0


def test_volumes_that_do_not_fit_or_exist_are_refused_whole(ready: ChassisModel) -> None:
    pool = PoolId(2, "fresh")
    ready.storage.create_pool(pool, ["JBOD2/12"])
    with pytest.raises(Refusal, match="Not enough free space"):
        ready.storage.create_volumes(pool, ["a-0", "a-1"], 1398)
    ready.storage.create_volumes(pool, ["a-1"], 1)
    with pytest.raises(Refusal, match="a-1 already exists"):
        ready.storage.create_volumes(pool, ["a-0", "a-1"], 1)
    assert VolumeId(2, "fresh", "a-0") not in ready.storage.volumes


def test_volumes_go_whole_or_not_at_all_and_never_while_they_are_attached(ready: ChassisModel) -> None:
    volumes = [VolumeId(2, "rootpool-1", f"rootvol-{n}") for n in range(11)]
    ready.storage.assign(VDisk("0/0", 0), volumes[10])
    for wanted, text in ((volumes, "is assigned"), ([volumes[0], volumes[0]._replace(name="x")], "does not exist")):
        with pytest.raises(Refusal, match=text):
            ready.storage.delete_volumes(wanted)
        assert set(volumes) <= set(ready.storage.volumes)
    ready.storage.delete_volumes(volumes[:10])
    assert [volume for volume in ready.storage.volumes if volume.pool_id == ROOT] == volumes[10:]
    assert ready.storage.free_gib(ROOT) == 2794 - 254


def test_a_pool_goes_when_it_is_empty_and_leaves_something_on_its_disks(ready: ChassisModel) -> None:
    with pytest.raises(Refusal, match="has volumes"):
        ready.storage.delete_pools([ROOT])
    ready.storage.delete_volumes([volume for volume in ready.storage.volumes if volume.pool_id == ROOT])
    ready.storage.delete_pools([ROOT])
    assert ROOT not in ready.storage.pools
    assert ready.storage.disks["JBOD2/6"].metadata is Metadata.FOREIGN
    with pytest.raises(Refusal, match="does not exist"):
        ready.storage.delete_pools([ROOT])


def test_a_taken_vdisk_refuses(ready: ChassisModel) -> None:
    with pytest.raises(Refusal, match="Vdisk 0 of server 32/0 is already assigned"):
        ready.storage.assign(VDisk("32/0", 0), VolumeId(2, "rootpool-1", "rootvol-0"))


def test_the_same_volume_on_two_servers_is_not_refused(ready: ChassisModel) -> None:
    volume = VolumeId(7, "RAIDPOOL", "RAIDVOL-0")
    ready.storage.assign(VDisk("0/0", 3), volume)
    holders = [vdisk for vdisk, what in ready.storage.attachments.items() if what == volume]
    assert holders == [VDisk("32/0", 0), VDisk("0/0", 3)]


def test_all_volumes_show_one_uuid(ready: ChassisModel) -> None:
    assert ready.storage.uuid == ChassisModel.load("crowded").storage.uuid


def test_assign_refuses_what_is_not_there(ready: ChassisModel) -> None:
    volume = VolumeId(2, "rootpool-1", "rootvol-0")
    for vdisk, text in [(VDisk("64/0", 0), "No server"), (VDisk("0/0", 64), "Invalid vdisk")]:
        with pytest.raises(Refusal, match=text):
            ready.storage.assign(vdisk, volume)
    with pytest.raises(Refusal, match="does not exist"):
        ready.storage.assign(VDisk("0/0", 0), VolumeId(2, "rootpool-1", "rootvol-11"))


def test_a_raw_disk_is_assigned_only_in_disk_mode(model: ChassisModel) -> None:
    model.storage.assign(VDisk("0/0", 0), RawDisk("JBOD2/9"))
    with pytest.raises(Refusal, match="JBOD2/9 is assigned"):
        model.storage.clear_metadata(2, [9])
    with pytest.raises(Refusal, match="not in mgmt-mode disk"):
        model.storage.assign(VDisk("0/0", 1), RawDisk("7/0"))
    with pytest.raises(Refusal, match="has assigned"):
        model.storage.set_mode(2, ManagementMode.VOLUME)


def test_ranged_assign_gives_every_server_its_own_volume_in_a_useless_order(ready: ChassisModel) -> None:
    servers = [f"{n}/0" for n in range(64) if n != 32]
    ready.storage.assign_range(servers, [0], "rootvol")
    got = [ready.storage.attachments[VDisk(server, 0)] for server in servers]
    assert len(set(got)) == 63
    assert got != sorted(got, key=str)
    pools = [volume.pool for volume in got[:11] if isinstance(volume, VolumeId)]
    assert len(set(pools)) > 1, "one pool after the other would be a useful order"


def test_ranged_assign_is_the_same_for_the_same_seed(ready: ChassisModel) -> None:
    again = ChassisModel(ready.saved())
    for model in (ready, again):
        model.storage.assign_range(["0/0", "1/0"], [4, 6], "rootvol")
    assert again.saved() == ready.saved()
    other = ChassisModel(ready.saved().model_copy(update={"placement_seed": 1, "attachments": ()}))
    other.storage.assign_range(["0/0", "1/0"], [4, 6], "rootvol")
    assert other.storage.attachments.shown() != ready.storage.attachments.shown()


def test_ranged_assign_does_what_fits_in_order_and_refuses_the_rest(ready: ChassisModel) -> None:
    ready.storage.create_pool(PoolId(2, "data"), ["JBOD2/12"])
    ready.storage.create_volumes(PoolId(2, "data"), ["datavol-0", "datavol-1"], 100)
    with pytest.raises(Refusal, match="2 of 3 assigned") as refusal:
        ready.storage.assign_range(["5/0", "3/0", "4/0"], [7], "datavol")
    assert refusal.value.partial
    assert {v.server for v in ready.storage.attachments if v.number == 7} == {"5/0", "3/0"}


def test_ranged_assign_passes_over_taken_vdisks_and_other_prefixes(ready: ChassisModel) -> None:
    ready.storage.create_volumes(PoolId(7, "RAIDPOOL"), ["rootvolume-0"], 1)
    ready.storage.assign_range(["32/0", "0/0"], [0], "rootvol")
    assert ready.storage.attachments[VDisk("32/0", 0)] == VolumeId(7, "RAIDPOOL", "RAIDVOL-0")
    with pytest.raises(Refusal, match="0 of 1 assigned") as refusal:
        ready.storage.assign_range(["1/0"], [0], "root")
    assert not refusal.value.partial


def test_unassign_refuses_where_nothing_is_and_the_range_passes_over_it(ready: ChassisModel) -> None:
    with pytest.raises(Refusal, match="is not assigned"):
        ready.storage.unassign(VDisk("0/0", 0))
    ready.storage.unassign_range(["0/0", "32/0"], [0, 1])
    assert not list(ready.storage.attachments)


def test_crowded_leaves_no_room_for_journals() -> None:
    storage = ChassisModel.load("crowded").storage
    assert storage.free_gib(PoolId(7, "RAIDPOOL")) == 56
    assert len(storage.volumes) == 64
    assert len(list(storage.attachments)) == 1


@pytest.mark.parametrize(
    ("name", "prefix"), [("rootvol-10", "rootvol"), ("RAIDVOL-0", "RAIDVOL"), ("a-b-1", "a-b"), ("plain", "plain")]
)
def test_prefix_of_a_volume(name: str, prefix: str) -> None:
    assert prefix_of(name) == prefix


def test_a_command_cut_short_keeps_what_was_done(ready: ChassisModel) -> None:
    saved: list[int] = []
    ready.changes.listeners.append(lambda: saved.append(len(list(ready.storage.attachments))))
    with pytest.raises(Interrupted, match="after 2 of 3"), ready.changes.cut_after(2):
        ready.storage.assign_range(["0/0", "1/0", "2/0"], [0], "rootvol")
    assert len(list(ready.storage.attachments)) == 3
    assert saved == [3]


def test_units_beyond_the_cut_are_all_done() -> None:
    changes = Changes()
    with changes.cut_after(3):
        assert list(changes.units("abc")) == ["a", "b", "c"]
