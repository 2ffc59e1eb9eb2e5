"""One operator at the simulated chassis: lines in, replies out, with faults applied and everything recorded.

The SSH face gives every login one of these; the control face gives one to whoever posts commands.
"""

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from rackwright_sim.cli import CliSession, Step
from rackwright_sim.faults import Fault, FaultKind, Faults, first, garble
from rackwright_sim.model import ChassisModel
from rackwright_sim.recorder import Recorder
from rackwright_sim.refusals import Interrupted, Refusal


@dataclass(frozen=True, slots=True)
class Reply:
    """What a line brought: the text printed, or the end of the connection, or nothing at all for ever."""

    text: str = ""
    drop: bool = False
    hang: bool = False


@dataclass(frozen=True, slots=True)
class _Result:
    reply: Reply
    outcome: str = "done"
    detail: str = ""


class Console:
    """A session of the command line. `counted` is False for those who are not the client under observation."""

    def __init__(
        self,
        model: ChassisModel,
        recorder: Recorder,
        faults: Faults,
        *,
        name: str,
        user_mode: bool = False,
        counted: bool = True,
    ) -> None:
        self.cli = CliSession(model, user_mode=user_mode)
        self._model = model
        self._recorder = recorder
        self._faults = faults
        self._name = name
        self._counted = counted

    async def run(self, line: str) -> Reply:
        """Take one command or answer."""
        if line.strip():
            await self._faults.watch(line.strip(), "before")
        step = self.cli.take(line)
        if step is None:
            return Reply()
        if self._counted:
            self._recorder.count(step.kind, step.name)
        result = _Result(Reply(step.output), "asked") if step.act is None else await self._act(step)
        self._recorder.note(self._name, line.strip(), step.kind, result.outcome, result.detail)
        await self._faults.watch(line.strip(), "after")
        return result.reply

    async def _act(self, step: Step) -> _Result:
        faults = self._faults.strike(step.command)
        for fault in faults:
            if fault.kind is FaultKind.LATENCY:
                await asyncio.sleep(fault.seconds)
        if fault_before := _instead(faults, "before"):
            return fault_before
        done = self._perform(step, first(faults, FaultKind.HALF))
        if fault_after := _instead(faults, "after"):
            return fault_after
        garbled = garble(done.reply.text, faults)
        if garbled != done.reply.text:
            return _Result(Reply(garbled), "fault", "output truncated")
        return done

    def _perform(self, step: Step, half: Fault | None) -> _Result:
        assert step.act is not None
        try:
            with self._model.changes.cut_after(half.units) if half else nullcontext():
                text = step.act()
        except Refusal as refusal:
            return _Result(Reply(f"{refusal.text}\n"), "refused", refusal.text)
        except Interrupted as interrupted:
            return _half(half, str(interrupted))
        return _half(half, "all of it happened") if half else _Result(Reply(text))


def _instead(faults: Sequence[Fault], when: str) -> _Result | None:
    fault = first(faults, FaultKind.DROP, FaultKind.HANG, FaultKind.ERROR, when=when)
    if fault is None:
        return None
    reply = {
        FaultKind.DROP: Reply(drop=True),
        FaultKind.HANG: Reply(hang=True),
        FaultKind.ERROR: Reply(f"{fault.text}\n"),
    }[fault.kind]
    return _Result(reply, "fault", f"{fault.kind} {when} effect")


def _half(fault: Fault | None, detail: str) -> _Result:
    assert fault is not None
    reply = Reply(drop=True) if fault.then == "drop" else Reply(f"{fault.text}\n")
    return _Result(reply, "fault", f"{FaultKind.HALF}: {detail}")
