"""The demo's manifests: the golden rack under its overlay, still valid, still with the comments that people wrote."""

from dataclasses import replace
from pathlib import Path

import pytest

from rackwright.api.chassis import ChassisSpec
from rackwright.api.validate import parse_spec
from rackwright.cli.demo.asked import asked
from rackwright.cli.demo.errors import DemoError
from rackwright.cli.demo.faults import PROMISED, faults
from rackwright.cli.demo.manifests import CHASSIS_FILE, POOLS_FILE, Examples, documents, parsed, set_power, write
from rackwright.core.resource import CHASSIS, CONTROLLER_CLUSTER, STORAGE_POOL
from rackwright.local.manifests import load as load_folder
from rackwright_sim.startfile import load
from tests.integration.demo.small import write_examples
from tests.unit.demo.finished import wanted

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
    assert (spec.limits.commands_per_second, spec.limits.settle_seconds) == (300, 0)
    assert spec.policy.resync_seconds == 3
    assert spec.policy.destructive == "RequireApproval"


def test_the_whole_golden_rack_is_there_and_only_the_way_to_the_chassis_and_its_pace_differ() -> None:
    golden = Path(__file__).parents[3] / "deploy/examples/golden-rack"
    files = rack()
    for name in files.keys() - {CHASSIS_FILE}:
        assert files[name] == (golden / name).read_text("utf-8")
    before, after = parsed((golden / CHASSIS_FILE).read_text("utf-8"))["spec"], parsed(files[CHASSIS_FILE])["spec"]
    assert {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)} == {
        "hardware",
        "limits",
        "policy",
    }


def test_every_pool_is_valid_and_comments_stay() -> None:
    files = rack()
    pools = documents(files[POOLS_FILE])
    assert [pool["metadata"]["name"] for pool in pools] == ["root", "capacity", "journal", "array"]
    for pool in pools:
        parse_spec(STORAGE_POOL, pool["spec"])
    assert "# the bootstrap server: never powered" in files[CHASSIS_FILE]


def test_local_mode_can_read_what_the_demo_writes(tmp_path: Path) -> None:
    for name, content in rack().items():
        write(tmp_path / name, content)
    folder = load_folder(tmp_path)
    assert folder.problems == ()
    assert sorted(ref.kind for ref in folder.manifests) == [CHASSIS, CONTROLLER_CLUSTER, *[STORAGE_POOL] * 4]
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
    without = replace(examples, files={**examples.files, "secrets.yaml": ""})
    with pytest.raises(DemoError, match="no Secret sm15k-01"):
        _ = without.credentials


def test_faults_strike_three_servers_without_a_role_one_with_a_journal_and_never_the_protected_one() -> None:
    roots = {server: f"2/rootpool-1/of-{server[:-2]}" for server in wanted().servers}
    found = faults(wanted(), roots)
    assert [fault.name for fault in found] == list(PROMISED)
    by_name = {fault.name: fault for fault in found}
    journal = by_name.pop("journal-path-lost")
    assert (journal.server, journal.typed[-1]) == ("12/0", "storage unassign 12/0 2")
    struck = {fault.server for fault in by_name.values()}
    assert len(struck) == 3
    assert not struck & (wanted().roles | wanted().protected)
    assert not any("32/0" in line for fault in found for line in (*fault.typed, *fault.undo))
    shared = {name: fault for name, fault in by_name.items() if name.startswith("volume-shared")}
    assert shared["volume-shared-off"].stopped
    for fault in shared.values():
        volume = fault.typed[-1].rpartition(" ")[2]
        assert volume in roots.values()
        assert volume != roots[fault.server]
    running = shared["volume-shared-running"]
    assert running.names == (
        running.server,
        next(server for server in roots if running.typed[-1].endswith(f" {roots[server]}")),
    )


def test_three_servers_are_enough_for_all_faults(tmp_path: Path) -> None:
    files = Examples.read(write_examples(tmp_path)).rack(4022, KEY)
    want = asked(
        [item for item in documents(*files.values()) if item["kind"] in (CHASSIS, STORAGE_POOL)], load("small")
    )
    assert {fault.server for fault in faults(want, dict.fromkeys(want.servers, "2/p/v"))} == {"0/0", "1/0", "2/0"}
