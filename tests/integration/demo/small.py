"""A rack of three servers for the demo: the golden rack's own manifests, cut down to what the small chassis has."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from rackwright.cli.demo.manifests import EXAMPLES

SERVERS = ("0/0", "1/0", "2/0")


def write_examples(folder: Path) -> Path:
    """Manifests for the start `small`, laid out as deploy/examples is; gives the folder."""
    golden = folder / "golden-rack"
    golden.mkdir(parents=True)
    for name in ("namespace.yaml", "secrets.yaml", "controller-cluster.yaml"):
        shutil.copy(EXAMPLES / "golden-rack" / name, golden)
    shutil.copytree(EXAMPLES / "demo", folder / "demo")
    yaml = YAML()
    chassis = yaml.load(EXAMPLES / "golden-rack" / "chassis.yaml")
    compute = chassis["spec"]["nodeSets"][-1]
    del compute["remaining"]["addresses"]  # by card, and there is none for card 0
    compute["template"]["nicGroups"].append({"name": "storage", "indexes": [1], "untagged": 200})
    chassis["spec"]["nodeSets"] = [compute]
    patch = yaml.load(folder / "demo" / "chassis-patch.yaml")
    patch["spec"]["policy"]["resyncSeconds"] = 1
    yaml.dump(patch, folder / "demo" / "chassis-patch.yaml")
    yaml.dump(chassis, golden / "chassis.yaml")
    with (golden / "storage-pools.yaml").open("w") as file:
        yaml.dump_all(_pools(yaml), file)
    return folder


def _pools(yaml: YAML) -> Iterator[Any]:
    """Two root disks, a whole disk and a journal for each server: all of them are of one set here."""
    for pool in yaml.load_all(EXAMPLES / "golden-rack" / "storage-pools.yaml"):
        layout = pool["spec"]["backend"].get("chassis")
        if pool["metadata"]["name"] == "root":
            layout["disks"]["names"] = ["JBOD2/6", "JBOD2/7"]
            layout["volumes"]["perPool"] = 2
        elif layout:
            pool["spec"]["assign"][0]["nodeSelector"]["matchLabels"]["rackwright.dev/node-set"] = "compute"
        if pool["metadata"]["name"] == "capacity":
            layout["disks"]["count"] = 3
            pool["spec"]["assign"][0]["vdisks"] = [4]
        elif pool["metadata"]["name"] == "journal":
            pool["spec"]["assign"][0]["vdisks"] = [1, 2, 3]
        yield pool
