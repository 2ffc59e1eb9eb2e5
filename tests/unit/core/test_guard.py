"""What may be done now: by policy, consent, protection, ability and budget; single steps, pure."""

from typing import Any

import pytest

from rackwright.core.guard import ObjectPolicy, Rules, guard, servers_of, stage_digest
from rackwright.core.resource import CHASSIS, COMPUTE_NODE, STORAGE_POOL, Ref
from rackwright.core.risk import Risk, hinges_on_power, risk_of
from rackwright.core.step import HoldReason, Step
from rackwright_drivers.contract.chassis import Action, ChassisState
from rackwright_drivers.contract.network import CreateVlan, Nic, PortVlans, SetPort, Uplink
from rackwright_drivers.contract.power import Power, Server, SetPower
from rackwright_drivers.contract.storage import (
    Attach,
    AttachRange,
    ClearMetadata,
    CreatePool,
    CreateVolumes,
    DeletePool,
    DeleteVolumes,
    Detach,
    ManagementMode,
    PoolId,
    SetManagementMode,
    VDisk,
    VolumeId,
)
from rackwright_drivers.contract.unknown import Unknown
from tests.unit.core.kit import EVERYTHING

SM = Ref(CHASSIS, "rack", "sm")
POOL = Ref(STORAGE_POOL, "rack", "root")
NODE = Ref(COMPUTE_NODE, "rack", "compute-1")
VOLUME = VolumeId(2, "p", "v-0")
OFF, ON = PortVlans(None), PortVlans(100)


def step(action: Action, *owners: Ref, risk: Risk = Risk.SAFE, evidence: tuple[str, ...] = ("SM1",)) -> Step:
    return Step(action, owners or (SM,), str(action), "because", risk, frozenset(), evidence=evidence)


def rules(**changes: Any) -> Rules:
    policies = {ref: ObjectPolicy(uid=ref.name) for ref in (SM, POOL, NODE)} | changes.pop("policies", {})
    base: dict[str, Any] = {"protected": frozenset({"32/0"}), "max_disrupted": 1, "actions": EVERYTHING}
    return Rules(policies=policies, **{**base, **changes})


def reasons(steps: list[Step], given: Rules) -> list[HoldReason]:
    verdict = guard(steps, given)
    return [item.reason for item in verdict.held]


TOUCHING: list[Action] = [
    Attach(VDisk("32/0", 0), VOLUME),
    AttachRange(("31/0", "32/0"), (0,), "v"),
    Detach(("32/0",), 0),
    Detach(("0/0", "32/0"), 0),
    SetPort(Nic("32/0", 0), OFF, ON),
    SetPower("32/0", Power.ON),
]


@pytest.mark.parametrize("action", TOUCHING, ids=str)
def test_nothing_touches_a_protected_server_whatever_is_consented_to(action: Action) -> None:
    wanted = step(action, NODE, risk=Risk.DESTRUCTIVE)
    generous = ObjectPolicy(uid="n", destructive="Allow", granted=frozenset({wanted.digest}))
    verdict = guard([wanted], rules(policies={NODE: generous}))
    assert verdict.allowed == ()
    assert [item.reason for item in verdict.held] == [HoldReason.PROTECTED]
    assert verdict.digests == {}, "nor is consent asked for"


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        (ObjectPolicy("n", mode="Observe"), HoldReason.OBSERVE_ONLY),
        (ObjectPolicy("n", mode="Plan"), HoldReason.PLAN_ONLY),
        (ObjectPolicy("n", paused=True), HoldReason.PAUSED),
        (ObjectPolicy("n", destructive="Never"), HoldReason.DESTRUCTIVE_NEVER),
    ],
)
def test_every_owner_has_to_allow_it(policy: ObjectPolicy, reason: HoldReason) -> None:
    wanted = step(Detach(("1/0",), 0), NODE, POOL, risk=Risk.DESTRUCTIVE)
    allowing = ObjectPolicy("x", destructive="Allow")
    for second in (NODE, POOL):
        policies = {NODE: allowing, POOL: allowing} | {second: policy}
        assert reasons([wanted], rules(policies=policies)) == [reason]
    assert reasons([wanted], rules(policies={NODE: allowing, POOL: allowing})) == []


def test_a_paused_chassis_pauses_everything_on_it() -> None:
    assert reasons([step(CreateVlan(1)), step(SetPower("1/0", Power.ON), NODE)], rules(paused=True)) == [
        HoldReason.PAUSED,
        HoldReason.PAUSED,
    ]


def test_what_the_driver_cannot_do_is_left_to_a_person() -> None:
    assert reasons([step(CreateVlan(1))], rules(actions=EVERYTHING - {CreateVlan})) == [HoldReason.UNSUPPORTED]


def test_consent_is_for_these_steps_on_these_serials_of_this_object_this_once() -> None:
    one, two = (step(ClearMetadata(2, (disk,)), POOL, risk=Risk.DESTRUCTIVE) for disk in ("a", "b"))
    asking = ObjectPolicy("uid-1", counter=4)
    digest = stage_digest(asking, [one, two])
    assert digest == stage_digest(asking, [two, one]), "in whatever order"
    others = [
        stage_digest(ObjectPolicy("uid-2", counter=4), [one, two]),
        stage_digest(ObjectPolicy("uid-1", counter=5), [one, two]),
        stage_digest(asking, [one]),
        stage_digest(asking, [one, step(ClearMetadata(2, ("b",)), POOL, risk=Risk.DESTRUCTIVE, evidence=("SM2",))]),
    ]
    assert len({digest, *others}) == 5
    for wrong in others:
        verdict = guard(
            [one, two], rules(policies={POOL: ObjectPolicy("uid-1", counter=4, approvals=frozenset({wrong}))})
        )
        assert verdict.allowed == ()
        assert verdict.digests == {POOL: digest}
    right = guard([one, two], rules(policies={POOL: ObjectPolicy("uid-1", counter=4, approvals=frozenset({digest}))}))
    assert right.allowed == (one, two)
    assert right.granted[POOL].steps == tuple(sorted([one.digest, two.digest]))
    assert right.granted[POOL].plan == digest
    assert right.digests == {}


def test_what_was_granted_needs_no_second_consent_and_covers_nothing_else() -> None:
    one, two = (step(ClearMetadata(2, (disk,)), POOL, risk=Risk.DESTRUCTIVE) for disk in ("a", "b"))
    verdict = guard([one, two], rules(policies={POOL: ObjectPolicy("u", counter=1, granted=frozenset({one.digest}))}))
    assert verdict.allowed == (one,)
    assert [item.step for item in verdict.held] == [two]
    assert verdict.granted == {}


def test_the_grant_has_only_what_was_asked_for() -> None:
    """A step whose other owner holds it was not approved, though it is of the same object and stage."""
    one = step(ClearMetadata(2, ("a",)), POOL, risk=Risk.DESTRUCTIVE)
    other = step(Detach(("1/0",), 0), POOL, NODE, risk=Risk.DESTRUCTIVE)
    digest = stage_digest(ObjectPolicy("u"), [one])
    policies = {POOL: ObjectPolicy("u", approvals=frozenset({digest})), NODE: ObjectPolicy("n", paused=True)}
    verdict = guard([one, other], rules(policies=policies))
    assert verdict.granted[POOL].steps == (one.digest,)


def test_the_budget_counts_servers_and_only_what_disturbs() -> None:
    ports = [
        step(SetPort(Nic(f"{card}/0", nic), OFF, ON), NODE, risk=Risk.DISRUPTIVE) for card in (1, 2) for nic in (0, 1)
    ]
    safe = step(CreateVlan(7))
    verdict = guard([*ports, safe], rules())
    assert verdict.allowed == (ports[0], ports[1], safe), "all of one server, and what disturbs nobody"
    assert [item.reason for item in verdict.held] == [HoldReason.BUDGET] * 2
    assert len(guard(ports, rules(max_disrupted=2)).allowed) == 4
    assert guard(ports, rules(max_disrupted=0)).allowed == ()


def test_an_object_may_bear_more_or_less_than_its_chassis() -> None:
    other = NODE._replace(name="compute-2")
    off = [step(SetPower(f"{card}/0", Power.OFF), ref, risk=Risk.DISRUPTIVE) for card, ref in ((1, NODE), (2, other))]

    def allowed(first: int | None, second: int | None, chassis: int) -> int:
        policies = {ref: ObjectPolicy("n", max_disrupted=most) for ref, most in ((NODE, first), (other, second))}
        return len(guard(off, rules(policies=policies, max_disrupted=chassis)).allowed)

    assert (allowed(None, None, 2), allowed(None, None, 1)) == (2, 1)
    assert (allowed(2, 2, 1), allowed(1, 2, 1), allowed(2, 1, 2)) == (2, 2, 1), "the second comes beside the first"


def test_an_object_of_which_nothing_may_be_stopped_says_so_and_does_not_wait() -> None:
    policies = {NODE: ObjectPolicy("n", max_disrupted=0)}
    off = step(SetPower("1/0", Power.OFF), NODE, risk=Risk.DISRUPTIVE)
    held = guard([off], rules(policies=policies, max_disrupted=5)).held
    assert [(item.reason, "policy.maxDisrupted: 0" in item.message) for item in held] == [
        (HoldReason.DISRUPTIVE_NEVER, True)
    ]
    assert reasons([step(SetPower("1/0", Power.ON), NODE)], rules(policies=policies)) == []


def state(power: Power | Unknown, servers: object = None) -> ChassisState:
    nothing = Unknown("not looked at")
    seen = {"1/0": Server("1/0", (), power)} if servers is None else servers
    return ChassisState(nothing, seen, nothing, nothing, nothing, nothing, nothing, nothing)  # type: ignore[arg-type]


UNSURE = Unknown("cut off")
RISKS: list[tuple[Action, ChassisState, Risk]] = [
    (SetManagementMode(2, ManagementMode.VOLUME), state(Power.OFF), Risk.DESTRUCTIVE),
    (ClearMetadata(2, ("a",)), state(Power.OFF), Risk.DESTRUCTIVE),
    (CreatePool(PoolId(2, "p"), ("a",)), state(Power.ON), Risk.SAFE),
    (CreateVolumes(PoolId(2, "p"), "v", (0,), 1), state(Power.ON), Risk.SAFE),
    (DeleteVolumes(PoolId(2, "p"), "v", (0,)), state(Power.OFF), Risk.DESTRUCTIVE),
    (DeletePool(PoolId(2, "p")), state(Power.OFF), Risk.DESTRUCTIVE),
    (Attach(VDisk("1/0", 0), VOLUME), state(Power.ON), Risk.SAFE),
    (AttachRange(("1/0",), (0,), "v"), state(Power.ON), Risk.SAFE),
    (CreateVlan(1), state(Power.ON), Risk.SAFE),
    (Detach(("1/0",), 0), state(Power.OFF), Risk.SAFE),
    (Detach(("1/0",), 0), state(Power.ON), Risk.DESTRUCTIVE),
    (Detach(("1/0",), 0), state(UNSURE), Risk.DESTRUCTIVE),
    (Detach(("1/0",), 0), state(Power.OFF, UNSURE), Risk.DESTRUCTIVE),
    (Detach(("2/0",), 0), state(Power.OFF), Risk.DESTRUCTIVE),
    (Detach(("1/0", "2/0"), 0), state(Power.OFF), Risk.DESTRUCTIVE),
    (SetPort(Nic("1/0", 0), OFF, ON), state(Power.OFF), Risk.SAFE),
    (SetPort(Nic("1/0", 0), OFF, ON), state(Power.ON), Risk.DISRUPTIVE),
    (SetPort(Nic("1/0", 0), OFF, ON), state(UNSURE), Risk.DISRUPTIVE),
    (SetPort(Uplink("te 0/1"), OFF, ON), state(Power.OFF), Risk.DESTRUCTIVE),
    (SetPower("1/0", Power.OFF), state(Power.ON), Risk.DISRUPTIVE),
    (SetPower("1/0", Power.ON), state(Power.OFF), Risk.SAFE),
]


@pytest.mark.parametrize(("action", "seen", "risk"), RISKS)
def test_risks(action: Action, seen: ChassisState, risk: Risk) -> None:
    assert risk_of(action, seen) is risk


def test_every_action_has_a_risk_and_its_servers() -> None:
    assert {type(action) for action, _, _ in RISKS} == EVERYTHING
    touching = {type(action) for action, _, _ in RISKS if servers_of(action)}
    assert touching == {Attach, AttachRange, Detach, SetPort, SetPower}
    assert [type(action) for action, _, _ in RISKS if hinges_on_power(action)].count(Detach) == 6
