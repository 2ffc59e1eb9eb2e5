"""Cleaning up whichever way we end: a `with` block left, an exception, Ctrl-C, SIGTERM, the interpreter's end."""

import atexit
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

_ENDS = (signal.SIGINT, signal.SIGTERM)


class Lifetime:
    """A stack of clean-up steps, each done once, the last one first."""

    def __init__(self) -> None:
        self._steps = ExitStack()

    def open(self) -> None:
        """From now on, clean up at the interpreter's end too and, in the main thread, on SIGTERM.

        Ctrl-C needs nothing: it unwinds as KeyboardInterrupt.
        """
        atexit.register(self.close)
        self.on_close(lambda: atexit.unregister(self.close))
        if threading.current_thread() is threading.main_thread():
            self._catch_sigterm()

    def on_close(self, step: Callable[[], object]) -> None:
        """Add a step."""
        self._steps.callback(step)

    def close(self) -> None:
        """Do all steps. Safe to call twice; signals wait until it is done."""
        with _signals_held():
            self._steps.close()

    def _catch_sigterm(self) -> None:
        previous = signal.getsignal(signal.SIGTERM)

        def on_sigterm(signum: int, frame: FrameType | None) -> None:
            self.close()
            signal.signal(signal.SIGTERM, previous)
            os.kill(os.getpid(), signal.SIGTERM)  # end as we would have ended without the lab

        def restore() -> None:
            if signal.getsignal(signal.SIGTERM) is on_sigterm:
                signal.signal(signal.SIGTERM, previous)

        signal.signal(signal.SIGTERM, on_sigterm)
        self.on_close(restore)


@contextmanager
def _signals_held() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
