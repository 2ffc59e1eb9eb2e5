"""What the finished golden rack shows, line by line: written down from the published rack, by plain loops.

Nothing here comes from the operator or its planner. Cells are as the chassis prints them; where the published rack leaves
a choice (which of the root volumes a server has), the tests say what holds of every choice.
"""

CARDS = tuple(f"{card}/0" for card in range(64))
PROTECTED = "32/0"
OURS = tuple(server for server in CARDS if server != PROTECTED)
CONTROLLERS = ("0/0", "1/0", "11/0")
STORAGE = ("12/0", "29/0", "34/0")
ROLES = (*CONTROLLERS, *STORAGE)
DATA_VDISKS = (4, *range(6, 23))
JOURNAL_VDISKS = (1, 2, 3, 5)
NICS = range(8)

# The disks of both boxes, with the gaps in their numbers.
ROOT_DISKS = (6, 7, 8, 9, 10, 11)
SLOT_2 = (*range(12, 16), *range(18, 23), 30, *range(34, 39), 46, *range(50, 55), 62, 78, 81)
SLOT_5 = (*range(10), *range(12, 17), 24, *range(28, 33), 40, *range(44, 49), 56, 72, 75)

# One row of `show storage pool brief` a pool.
POOLS: dict[tuple[str, str], tuple[str, ...]] = {
    ("7", "RAIDPOOL"): (",".join(f"7/{disk}" for disk in range(8)), "3128GB", "1580.00GB", "Mounted", "S")
}
for number, disk in enumerate(ROOT_DISKS, start=1):
    POOLS["2", f"rootpool-{number}"] = (f"JBOD2/{disk}", "2794GB", "0.00GB", "Mounted", "L")
for number, disk in enumerate(SLOT_2, start=1):
    POOLS["2", f"jbodpool-{number}"] = (f"JBOD2/{disk}", "2794GB", "0.00GB", "Mounted", "L")
for number, disk in enumerate(SLOT_5, start=25):
    POOLS["5", f"jbodpool-{number}"] = (f"JBOD5/{disk}", "2794GB", "0.00GB", "Mounted", "L")

# One row of `show storage volume brief` a volume: what is said of its size.
ROOT_VOLUMES = {("2", f"rootpool-{pool}", f"rootvol-{volume}") for pool in range(1, 7) for volume in range(11)}
DATA_VOLUMES = {("2" if number < 25 else "5", f"jbodpool-{number}", f"jbodvol-{number}") for number in range(1, 55)}
JOURNALS = {("7", "RAIDPOOL", f"Journal-{number}") for number in range(3)}
OLD_VOLUME = ("7", "RAIDPOOL", "RAIDVOL-0")
SIZES = {
    **dict.fromkeys(ROOT_VOLUMES, ("254GB", "254.00GB")),
    **dict.fromkeys(DATA_VOLUMES, ("2794GB", "2794.00GB")),
    **dict.fromkeys(JOURNALS, ("500GB", "500.00GB")),
    OLD_VOLUME: ("48GB", "48.00GB"),
}

# The VLAN of every port as `show vlan` has it: D is dropped, and what is in the default VLAN stands in no row.
DROPPED, LISTED_NOWHERE = "0 (D )", "nowhere"
PORTS: dict[str, str] = {"te 0/1": "200 (U )", "te 7/1": "200 (U )"}
for server in CARDS:
    for nic in NICS:
        PORTS[f"srv {server}/{nic}"] = LISTED_NOWHERE if server == PROTECTED else DROPPED
    PORTS[f"srv {server}/0"] = "100 (U )"
for server in STORAGE:
    for nic in (1, 2, 3):
        PORTS[f"srv {server}/{nic}"] = "150 (U )"
    for nic in (4, 5, 6, 7):
        PORTS[f"srv {server}/{nic}"] = "200 (U )"
for server in CONTROLLERS:
    PORTS[f"srv {server}/1"] = LISTED_NOWHERE

# `show server summary all`: how many vdisks a server has, and whether it runs.
SUMMARY = dict.fromkeys(CARDS, ("1", "up")) | dict.fromkeys(STORAGE, (str(1 + 18 + 4), "up"))
