"""How a chassis is reached is changed while it is as declared: a new session, the old one ended, and nothing done again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from rackwright.core.assembly import assemble
from rackwright.core.journal import Journal
from rackwright.core.leadership import Always
from rackwright.core.resource import CHASSIS, Ref
from rackwright_drivers.contract.chassis import ChassisDriver, DriverContext
from rackwright_sim.driver import SimChassis, Simulated
from rackwright_sim.model import ChassisModel
from tests.unit.core.changes.bench import ready
from tests.unit.core.changes.fields import is_changed
from tests.unit.core.changes.reach_cases import HARDWARE, REACHING, Reach
from tests.unit.core.kit import MemoryStore, pool, small_chassis
from tests.unit.core.virtual import virtually

KEY = Ref(CHASSIS, "rack", "sm15k-01")
POLICY = {"mode": "Enforce", "destructive": "Allow", "resyncSeconds": 90}
LIMITS = {"commandsPerSecond": 1000, "settleSeconds": 0, "commandTimeoutSeconds": 10}


class Session(SimChassis):
    """One session with the chassis, and how it was begun."""

    def __init__(self, chassis: Simulated, parameters: Mapping[str, object], context: DriverContext) -> None:
        super().__init__(chassis, context)
        self.parameters, self.context, self.closed = parameters, context, False

    async def aclose(self) -> None:
        self.closed = True
        await super().aclose()

    def sees(self, path: str) -> Any:
        """What a field of the Chassis' spec is to this session."""
        where, *steps = path.split(".")
        if where == "credentialsRef":
            return self.context.credentials.username
        if where == "limits":
            limits = self.context.limits
            found = (limits.commands_per_second, limits.settle_seconds, limits.command_timeout_seconds)
            names = ("commandsPerSecond", "settleSeconds", "commandTimeoutSeconds")
            return found[names.index(steps[0])] if steps else found
        value: Any = self.parameters
        for step in steps[2:] if path.startswith("hardware.external.") else steps[1:]:
            value = value.get(step) if value is not None else None
        return value


@dataclass
class Doors:
    """Drivers of every family that all lead to one simulated chassis."""

    chassis: Simulated = field(default_factory=lambda: Simulated(ChassisModel.load("small")))
    sessions: list[Session] = field(default_factory=list)

    def connect(self, parameters: Mapping[str, object], context: DriverContext) -> ChassisDriver:
        self.sessions.append(Session(self.chassis, parameters, context))
        return self.sessions[-1]

    @property
    def sent(self) -> Any:
        """How many commands changed the device so far."""
        return self.chassis.recorder.counters.as_json()["commands"]["configuration"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("path", "case"),
    [pytest.param(path, case, id=f"{path}: {case.name}") for path, cases in REACHING.items() for case in cases],
)
def test_reaching(path: str, case: Reach) -> None:
    async def main() -> None:
        doors = Doors()
        chassis = small_chassis(hardware=HARDWARE[case.family], policy=POLICY, limits=LIMITS)
        store = MemoryStore([chassis, pool("root")])
        store.secrets["rack", "sm15k-01"] = {"username": b"admin", "password": b"hunter2"}
        store.secrets["rack", "other"] = {"username": b"operator", "password": b"hunter3"}
        drivers = dict.fromkeys(("SeaMicro", "Redfish", "Bay"), doors.connect)
        made = assemble(store, Journal(), Always(), drivers=drivers, now=lambda: "2026-02-01T00:00:00Z")
        await made.chassis.reconcile(KEY)
        sent, before = doors.sent, store.objects[KEY]
        for edit in case.edits if isinstance(case.edits, tuple) else (case.edits,):
            store.change(KEY, edit)
        assert is_changed(path, before.spec, store.objects[KEY].spec)
        next_look = (await made.chassis.reconcile(KEY)).seconds
        reason, message = ready(store.objects[KEY]) or ("", "")
        if case.refused or case.fails:
            assert reason == ("InvalidSpec" if case.refused else "DeviceError")
            assert (case.refused or case.fails) in message
            assert len(doors.sessions) == 1
        else:
            assert reason == "InSync"
            assert store.objects[KEY].status["observedGeneration"] == store.objects[KEY].generation
            if case.next:
                assert (next_look, len(doors.sessions)) == (case.next, 1)
            else:
                assert [session.closed for session in doors.sessions] == [True, False]
                assert doors.sessions[-1].sees(path) == case.sees
        assert doors.sent == sent, "whatever it is, nothing is done again"
        await made.endpoints.aclose()
        assert all(session.closed for session in doors.sessions)

    virtually(main())
