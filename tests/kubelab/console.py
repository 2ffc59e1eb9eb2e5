"""What people see of the lab: progress on standard error, and one sentence when something cannot be had."""

import sys
import time


class KubelabError(Exception):
    """The lab cannot go on; the message is one sentence that names the thing and the remedy."""


class Progress:
    """Lines on standard error, each with the seconds since the work began."""

    def __init__(self, subject: str) -> None:
        self._subject = subject
        self._start = time.monotonic()

    def say(self, text: str) -> None:
        """One line, at once."""
        elapsed = time.monotonic() - self._start
        print(f"kubelab: {self._subject}: {text} [{elapsed:.0f} s]", file=sys.stderr, flush=True)
