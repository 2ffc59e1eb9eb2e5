"""Who holds the Lease and what it permits, on a clock that the test moves."""

from typing import Any

import pytest

from rackwright.core.leadership import NotPermittedError
from rackwright.core.store import StoreUnavailableError
from rackwright.kube.lease import Lease, Timing
from rackwright_drivers.contract.errors import ConflictError, PermanentError
from tests.unit.kube.fake_api import FakeApi

PATH = "/apis/coordination.k8s.io/v1/namespaces/home/leases/rackwright"
DURATION, RENEW, COMMAND = 60.0, 5.0, 20.0


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Member:
    """One operator with a Lease of its own over a shared API."""

    def __init__(self, api: FakeApi, name: str, clock: Clock) -> None:
        self.told: list[bool] = []
        self.wrote: list[str] = []
        self.lease = Lease(
            api,
            "home",
            "rackwright",
            name,
            timing=Timing(DURATION, RENEW, 1.0),
            changed=self.told.append,
            wrote=self.wrote.append,
            clock=clock,
        )

    def may(self, seconds: float = COMMAND) -> bool:
        try:
            self.lease.permit(seconds)
        except ConflictError:
            return False
        return True


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


def _spec(api: FakeApi) -> dict[str, Any]:
    spec: dict[str, Any] = api.objects[PATH]["spec"]
    return spec


async def test_the_first_takes_it_and_may_act_at_once(api: FakeApi, clock: Clock) -> None:
    one = Member(api, "one", clock)
    assert not one.may()
    await one.lease.tick()
    assert one.may()
    assert one.told == [True]
    assert _spec(api)["holderIdentity"] == "one"
    assert _spec(api)["leaseDurationSeconds"] == DURATION


async def test_nothing_is_permitted_that_could_outlast_it(api: FakeApi, clock: Clock) -> None:
    one = Member(api, "one", clock)
    await one.lease.tick()
    clock.now += DURATION - COMMAND
    assert one.may()
    clock.now += 0.1
    assert not one.may()
    assert one.may(10)
    assert one.told == [True]
    await one.lease.tick()
    assert one.may()


async def test_it_holds_from_the_beginning_of_the_request(api: FakeApi, clock: Clock) -> None:
    """A renewal whose answer takes long was valid from when it was asked for, as the server may have counted from then."""
    one = Member(api, "one", clock)

    def slow() -> None:
        clock.now += 30

    api.before_reply = slow
    await one.lease.tick()
    assert one.may(DURATION - 30 - 10)
    assert not one.may(DURATION - 30 + 1)


async def test_another_waits_until_it_saw_it_unchanged_for_its_whole_duration(api: FakeApi, clock: Clock) -> None:
    one, two = Member(api, "one", clock), Member(api, "two", clock)
    await one.lease.tick()
    await two.lease.tick()
    clock.now += DURATION - 1
    await one.lease.tick()  # the last sign of life
    await two.lease.tick()
    clock.now += DURATION - 1
    await two.lease.tick()
    assert two.told == []
    clock.now += 1
    await two.lease.tick()
    assert two.told == [True]
    assert _spec(api)["holderIdentity"] == "two"
    assert _spec(api)["leaseTransitions"] == 1


async def test_never_do_two_act_at_one_time(api: FakeApi, clock: Clock) -> None:
    """One freezes in the middle of things. Whatever two may do, one's last permitted command has ended before."""
    one, two = Member(api, "one", clock), Member(api, "two", clock)
    await one.lease.tick()
    await two.lease.tick()
    last_end = 0.0
    for _ in range(400):
        clock.now += 0.5
        if one.may():
            last_end = clock.now + COMMAND
        await two.lease.tick()
        if two.may():
            break
    assert two.may()
    assert last_end + COMMAND <= clock.now


async def test_who_takes_over_waits_for_the_time_of_one_command(api: FakeApi, clock: Clock) -> None:
    one, two = Member(api, "one", clock), Member(api, "two", clock)
    await one.lease.tick()
    await two.lease.tick()
    clock.now += DURATION
    await two.lease.tick()
    with pytest.raises(NotPermittedError, match="may still have a command under way") as refused:
        two.lease.permit(COMMAND)
    assert refused.value.seconds == COMMAND
    clock.now += COMMAND
    assert two.may()


async def test_one_that_was_given_back_is_taken_at_once_and_without_a_wait(api: FakeApi, clock: Clock) -> None:
    one, two = Member(api, "one", clock), Member(api, "two", clock)
    await one.lease.tick()
    await two.lease.tick()
    one.lease.resign()
    assert not one.may()
    await two.lease.tick()
    assert two.told == []  # resigned is not given back: something may be under way
    await one.lease.release()
    await two.lease.tick()
    assert two.may()
    await one.lease.tick()
    assert one.told == [True]  # who resigned asks no more


async def test_a_resigned_one_is_still_renewed(api: FakeApi, clock: Clock) -> None:
    one, two = Member(api, "one", clock), Member(api, "two", clock)
    await one.lease.tick()
    one.lease.resign()
    for _ in range(5):
        clock.now += DURATION / 2
        await one.lease.tick()
        await two.lease.tick()
    assert two.told == []


async def test_it_is_lost_when_it_cannot_be_renewed_and_found_again_later(api: FakeApi, clock: Clock) -> None:
    one = Member(api, "one", clock)
    await one.lease.tick()
    api.problem = StoreUnavailableError("away")
    clock.now += DURATION - COMMAND + 1
    await one.lease.tick()
    assert one.told == [True]
    assert not one.may()  # before it is lost, nothing new is begun
    clock.now += COMMAND
    await one.lease.tick()
    assert one.told == [True, False]
    api.problem = None
    await one.lease.tick()
    assert one.told == [True, False, True]
    assert not one.may()  # the one before it was itself, and may have left a command under way
    clock.now += COMMAND
    assert one.may()


async def test_it_is_lost_at_once_when_another_has_it(api: FakeApi, clock: Clock) -> None:
    one = Member(api, "one", clock)
    await one.lease.tick()
    api.objects[PATH]["spec"]["holderIdentity"] = "two"
    api.objects[PATH]["metadata"]["resourceVersion"] = "99"
    await one.lease.tick()
    assert one.told == [True, False]
    assert not one.may()


async def test_it_is_lost_when_somebody_deletes_it(api: FakeApi, clock: Clock) -> None:
    one = Member(api, "one", clock)
    await one.lease.tick()
    del api.objects[PATH]
    await one.lease.tick()
    assert one.told == [True, False]
    await one.lease.tick()
    assert one.told == [True, False, True]


async def test_somebody_who_annotates_it_takes_nothing_away(api: FakeApi, clock: Clock) -> None:
    one = Member(api, "one", clock)
    await one.lease.tick()
    await api.patch(PATH, {"metadata": {"annotations": {"note": "x"}}})
    await one.lease.tick()
    await one.lease.tick()
    assert one.told == [True]
    assert api.objects[PATH]["metadata"]["annotations"] == {"note": "x"}
    assert len(one.wrote) == 2


async def test_a_process_of_the_same_name_takes_over_at_once_but_not_without_the_wait(
    api: FakeApi, clock: Clock
) -> None:
    """A container that was started anew in its pod: the process before it is dead, its last command may not be."""
    before, after = Member(api, "pod", clock), Member(api, "pod", clock)
    await before.lease.tick()
    await after.lease.tick()
    assert after.told == [True]
    assert not after.may()
    clock.now += COMMAND
    assert after.may()


async def test_of_two_who_ask_at_one_time_one_gets_it(api: FakeApi, clock: Clock) -> None:
    one, two = Member(api, "one", clock), Member(api, "two", clock)
    stale = api.objects.get(PATH)
    await one.lease.tick()
    real_get = api.get

    async def late(path: str) -> dict[str, Any] | None:
        return stale if path == PATH else await real_get(path)

    api.get = late  # type: ignore[method-assign]
    await two.lease.tick()
    assert (one.told, two.told) == ([True], [])


async def test_a_command_longer_than_any_lease_says_what_to_do(api: FakeApi, clock: Clock) -> None:
    one = Member(api, "one", clock)
    await one.lease.tick()
    with pytest.raises(
        PermanentError, match=r"commandTimeoutSeconds is 600, longer than the Lease of 60 .*--lease-seconds"
    ):
        one.lease.permit(600)


async def test_nobody_there_to_ask_is_no_error(api: FakeApi, clock: Clock) -> None:
    api.problem = StoreUnavailableError("away")
    one = Member(api, "one", clock)
    await one.lease.tick()
    assert one.told == []
    with pytest.raises(NotPermittedError, match="is not held by this operator"):
        one.lease.permit(COMMAND)
    await one.lease.release()


async def test_giving_back_to_a_server_that_is_away_is_no_error(api: FakeApi, clock: Clock) -> None:
    one = Member(api, "one", clock)
    await one.lease.tick()
    api.problem = StoreUnavailableError("away")
    await one.lease.release()
    assert not one.may()
