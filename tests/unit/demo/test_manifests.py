"""The demo's manifests: the golden rack under its overlay, still valid, still with the comments that people wrote."""

from pathlib import Path

import pytest

from rackwright.api.chassis import ChassisSpec
from rackwright.api.validate import parse_spec
from rackwright.cli.demo.errors import DemoError
from rackwright.cli.demo.facts import asked
from rackwright.cli.demo.faults import PROMISED, faults
from rackwright.cli.demo.manifests import CHASSIS_FILE, POOL_FILE, Examples, parsed, set_power, write
from rackwright.core.resource import CHASSIS, STORAGE_POOL
from rackwright.local.manifests import load
from tests.unit.demo.finished import FOUND, wanted

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFJhY2t3cmlnaHQtZGVtby1rZXktZm9yLXRlc3Rz sim"


def rack() -> dict[str, str]:
    return Examples.read().rack(4022, KEY)


def test_the_overlay_leads_to_the_simulated_chassis_and_is_fast() -> None:
    spec = parse_spec(CHASSIS, parsed(rack()[CHASSIS_FILE])["spec"])
    assert isinstance(spec, ChassisSpec)
    assert spec.hardware.sea_micro is not None
    cli = spec.hardware.sea_micro.cli
    assert (cli.host, cli.port, list(cli.host_keys)) == ("127.0.0.1", 4022, [KEY])
    assert spec.hardware.sea_micro.rest is None
    assert (spec.limits.commands_per_second, spec.limits.settle_seconds) == (200, 0)
    assert spec.policy.resync_seconds == 5
    assert spec.policy.destructive == "RequireApproval"


def test_uplinks_are_left_to_a_later_demo_and_everything_else_is_kept() -> None:
    golden = parsed((Path(__file__).parents[3] / "deploy/examples/golden-rack/chassis.yaml").read_text("utf-8"))["spec"]
    demo = parsed(rack()[CHASSIS_FILE])["spec"]
    assert golden.keys() - demo.keys() == {"uplinks"}
    for kept in ("nodeSets", "vlans", "storageSlots", "protectedServers", "defaultNIC"):
        assert demo[kept] == golden[kept]


def test_the_pool_of_root_volumes_comes_alone_and_comments_stay() -> None:
    files = rack()
    pool = parsed(files[POOL_FILE])
    assert (pool["kind"], pool["metadata"]["name"]) == (STORAGE_POOL, "root")
    parse_spec(STORAGE_POOL, pool["spec"])
    assert "# the bootstrap server: never powered" in files[CHASSIS_FILE]


def test_local_mode_can_read_what_the_demo_writes(tmp_path: Path) -> None:
    for name, content in rack().items():
        write(tmp_path / name, content)
    folder = load(tmp_path)
    assert folder.problems == ()
    assert sorted(ref.kind for ref in folder.manifests) == [CHASSIS, STORAGE_POOL]
    secret = folder.secrets["rack", "sm15k-01"]
    assert tuple(secret[key].decode() for key in ("username", "password")) == Examples.read().credentials


def test_power_is_overridden_and_given_back_without_a_trace() -> None:
    before = rack()[CHASSIS_FILE]
    stopped = set_power(before, "63/0", "Stopped")
    (override,) = parsed(stopped)["spec"]["nodeSets"][-1]["overrides"]
    assert override == {"server": "63/0", "spec": {"powerState": "Stopped"}}
    parse_spec(CHASSIS, parsed(stopped)["spec"])
    assert parsed(set_power(stopped, "63/0", None)) == parsed(before)


def test_overrides_of_other_servers_stay_when_power_is_given_back() -> None:
    both = set_power(set_power(rack()[CHASSIS_FILE], "62/0", "Stopped"), "63/0", "Stopped")
    one = set_power(both, "63/0", None)
    assert [item["server"] for item in parsed(one)["spec"]["nodeSets"][-1]["overrides"]] == ["62/0"]


def test_without_the_examples_the_demo_says_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match="needs the example manifests"):
        Examples.read(tmp_path)


def test_a_secret_that_is_missing_is_named() -> None:
    examples = Examples.read()
    without = Examples(examples.namespace, "", examples.chassis, examples.patch, examples.pool)
    with pytest.raises(DemoError, match="no Secret sm15k-01"):
        _ = without.credentials


def test_faults_strike_three_servers_without_a_role_and_never_the_protected_one() -> None:
    roots = {server: f"2/rootpool-1/of-{server[:-2]}" for server in wanted().servers}
    found = faults(wanted(), roots)
    assert [fault.name for fault in found] == list(PROMISED)
    struck = {fault.server for fault in found}
    assert len(struck) == 3
    assert not struck & (wanted().roles | wanted().protected)
    assert not any("32/0" in line for fault in found for line in (*fault.typed, *fault.undo))
    shared = {fault.name: fault for fault in found if fault.name.startswith("volume-shared")}
    assert shared["volume-shared-off"].stopped
    for fault in shared.values():
        volume = fault.typed[-1].rpartition(" ")[2]
        assert volume in roots.values()
        assert volume != roots[fault.server]
    running = shared["volume-shared-running"]
    assert running.names == (running.server, next(server for server in roots if roots[server] in running.typed[-1]))


def test_three_servers_are_enough_for_all_faults() -> None:
    files = rack()
    small = FOUND.model_copy(update={"cards": FOUND.cards.model_copy(update={"present": "0-2,32"})})
    chassis = parsed(files[CHASSIS_FILE])
    only_the_rest = {**chassis, "spec": {**chassis["spec"], "nodeSets": [chassis["spec"]["nodeSets"][1]]}}
    only_the_rest["spec"]["nodeSets"] = [{**only_the_rest["spec"]["nodeSets"][0], "members": []}]
    want = asked(only_the_rest, parsed(files[POOL_FILE]), small)
    assert {fault.server for fault in faults(want, dict.fromkeys(want.servers, "2/p/v"))} == {"0/0", "1/0", "2/0"}
