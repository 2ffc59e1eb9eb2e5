"""A rack of three servers for the demo: the golden rack's own manifests, cut down to what the small chassis has."""

import shutil
from pathlib import Path

from ruamel.yaml import YAML

from rackwright.cli.demo.manifests import EXAMPLES

SERVERS = ("0/0", "1/0", "2/0")


def write_examples(folder: Path) -> Path:
    """Manifests for the start `small`, laid out as deploy/examples is; gives the folder."""
    golden = folder / "golden-rack"
    golden.mkdir(parents=True)
    for name in ("namespace.yaml", "secrets.yaml"):
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
    pool = next(iter(yaml.load_all(EXAMPLES / "golden-rack" / "storage-pools.yaml")))
    pool["spec"]["backend"]["chassis"]["disks"]["names"] = ["JBOD2/6", "JBOD2/7"]
    pool["spec"]["backend"]["chassis"]["volumes"]["perPool"] = 2
    yaml.dump(pool, golden / "storage-pools.yaml")
    return folder
