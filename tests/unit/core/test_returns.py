"""Drift that came back three times is somebody else's will: it is held and said, until a person speaks."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from rackwright.core.assembly import Assembly, assemble
from rackwright.core.journal import Journal
from rackwright.core.leadership import Always
from rackwright.core.resource import CHASSIS, COMPUTE_NODE, Ref
from rackwright_drivers.contract.power import Power
from rackwright_sim.driver import SimChassis, Simulated
from rackwright_sim.model import ChassisModel
from tests.unit.core.kit import MemoryStore, condition, pool, running, small_chassis
from tests.unit.core.virtual import virtually

CHASSIS_REF = Ref(CHASSIS, "rack", "sm15k-01")
NODE = Ref(COMPUTE_NODE, "rack", "compute-0")


@dataclass
class Life:
    """A small rack under an operator that can be started anew, on a clock of its own."""

    chassis: Simulated = field(default_factory=lambda: Simulated(ChassisModel.load("small")))
    time: datetime = field(default_factory=lambda: datetime.fromisoformat("2026-02-01T00:00:00+00:00"))

    def __post_init__(self) -> None:
        limits = {"commandsPerSecond": 1000, "settleSeconds": 0}
        self.store = MemoryStore([small_chassis(limits=limits), pool("root")])
        self.store.secrets["rack", "sm15k-01"] = {"username": b"admin", "password": b"admin"}
        self.start()

    def start(self) -> None:
        drivers = {"Simulator": lambda _parameters, context: SimChassis(self.chassis, context)}
        self.made: Assembly = assemble(self.store, Journal(), Always(), drivers=drivers, now=self.now)

    def now(self) -> str:
        return self.time.strftime("%Y-%m-%dT%H:%M:%SZ")

    async def look(self) -> None:
        self.time += timedelta(minutes=1)
        await self.made.chassis.reconcile(CHASSIS_REF)

    async def switched_off(self, times: int) -> None:
        """Somebody switches the server off so many times, and each time the operator looks."""
        for _ in range(times):
            self.off()
            await self.look()

    def off(self) -> None:
        self.chassis.model.servers.set_power(["0/0"], Power.OFF)

    @property
    def runs(self) -> bool:
        return "0/0" in running(self.chassis.model)

    @property
    def returns(self) -> dict[str, int]:
        counted = self.store.objects[NODE].status.get("returns", {"parts": ()})
        return {item["path"]: item["times"] for item in counted["parts"]}


def lives(main: Callable[[Life], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        life = Life()
        await life.look()
        assert life.runs
        await main(life)

    virtually(run())


def test_it_is_put_right_three_times_and_then_held_and_said() -> None:
    async def main(life: Life) -> None:
        assert life.returns == {}, "a build is no drift"
        for times in (1, 2, 3):
            await life.switched_off(1)
            assert life.runs
            assert life.returns == {"power 0/0": times}
        await life.switched_off(1)
        assert not life.runs
        node = life.store.objects[NODE]
        assert condition(node, "Ready") == ("False", "CameBack")
        assert condition(node, "Stalled")[0] == "True"
        message = next(item["message"] for item in node.status["conditions"] if item["type"] == "Ready")
        assert message.startswith("power 0/0 was put right 3 times and is power Off again instead of power On")
        assert "rackwright.dev/reconcile-at" in message
        assert (NODE, "CameBack") in [(ref, reason) for ref, reason, _ in life.store.events]
        writes = life.store.writes
        await life.look()
        assert (life.runs, life.store.writes) == (False, writes), "it is held, and that is all"

    lives(main)


def test_what_is_right_elsewhere_is_kept_right() -> None:
    async def main(life: Life) -> None:
        await life.switched_off(4)
        life.chassis.model.servers.set_power(["1/0"], Power.OFF)
        await life.look()
        assert not life.runs
        assert "1/0" in running(life.chassis.model)

    lives(main)


def test_a_restart_does_not_begin_to_fight_anew() -> None:
    async def main(life: Life) -> None:
        await life.switched_off(4)
        life.start()
        await life.look()
        assert not life.runs
        assert condition(life.store.objects[NODE], "Ready") == ("False", "CameBack")

    lives(main)


@pytest.mark.parametrize("whose", [CHASSIS_REF, NODE])
def test_a_look_that_a_person_asks_for_puts_it_right_again(whose: Ref) -> None:
    async def main(life: Life) -> None:
        await life.switched_off(4)
        life.store.annotate(whose, reconcile_at="now")
        await life.look()
        assert life.runs
        assert life.returns == {}
        await life.switched_off(1)
        assert life.runs

    lives(main)


def test_a_changed_manifest_is_a_persons_word() -> None:
    async def main(life: Life) -> None:
        await life.switched_off(4)
        life.store.change(CHASSIS_REF, lambda spec: spec["nodeSets"][0]["template"].update(powerState="Stopped"))
        await life.look()
        assert condition(life.store.objects[NODE], "ChassisReady") == ("True", "InSync")
        life.store.change(CHASSIS_REF, lambda spec: spec["nodeSets"][0]["template"].update(powerState="Running"))
        await life.look()
        assert life.runs, "what a person changes back and forth is no drift"
        assert life.returns == {}

    lives(main)


def test_drift_of_other_days_does_not_count() -> None:
    async def main(life: Life) -> None:
        for _ in range(6):
            await life.switched_off(1)
            assert life.runs
            life.time += timedelta(hours=25)

    lives(main)


def test_one_long_drift_counts_once() -> None:
    async def main(life: Life) -> None:
        life.store.change(CHASSIS_REF, lambda spec: spec["policy"].update(mode="Observe"))
        await life.look()
        life.off()
        for _ in range(6):
            await life.look()
        assert life.returns == {"power 0/0": 1}

    lives(main)


def test_a_device_that_is_away_between_hides_nothing() -> None:
    async def main(life: Life) -> None:
        await life.switched_off(3)
        life.off()
        await life.made.endpoints.aclose()
        life.start()
        await life.look()
        assert life.runs, "what happened while no operator ran is not told from what it had not done yet"
        assert life.returns == {"power 0/0": 3}

    lives(main)
