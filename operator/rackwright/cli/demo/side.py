"""How a person and the operator meet: through a folder of manifests, or through an API server. Both look alike here."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from rackwright.cli.demo.report import Object
from rackwright.core.resource import Ref


class Side(Protocol):
    """A person's way to the rack. `folder` is where the person keeps the manifests."""

    folder: Path

    async def open(self) -> None:
        """Start what has to run, the operator last."""

    async def aclose(self) -> None:
        """End it."""

    def check(self) -> None:
        """DemoError where something that has to run does not."""

    def log_tail(self) -> str:
        """The end of the operator's log."""

    async def declare(self, name: str, content: str) -> None:
        """Write one manifest and have it count from now on."""

    async def objects(self) -> Mapping[Ref, Object]:
        """All objects with their statuses, as they are stored."""

    async def show_objects(self) -> None:
        """Tell how all objects are, as a person would list them."""

    async def show_plan(self, refs: Sequence[Ref]) -> None:
        """Tell what is held of these objects, and which commands these are."""

    async def show_why(self, ref: Ref) -> None:
        """Tell what an object waits for."""

    async def approve(self, ref: Ref) -> str:
        """Consent to what is held of an object, as a person would; the digest of what that was by then."""

    async def planned(self) -> int:
        """How many actions are planned."""

    async def versions(self) -> Mapping[str, str]:
        """Everything in the store that should rest when the rack does, by name, with something that every write changes."""

    def journal(self, lines: int) -> tuple[Mapping[str, object], ...]:
        """The latest entries of the journal."""

    def hints(self) -> tuple[str, ...]:
        """Command lines to look around with."""
