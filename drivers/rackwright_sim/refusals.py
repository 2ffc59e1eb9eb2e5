"""How the simulated device says no. Raised by the model, printed or turned into errors by its faces."""


class Refusal(Exception):
    """The device refused. `text` is what it prints, from the `% ` on; `partial` says that something happened before."""

    def __init__(self, text: str, *, partial: bool = False) -> None:
        super().__init__(text)
        self.text = f"% {text}"
        self.partial = partial


class Interrupted(Exception):
    """A fault cut a command short after some of its parts had taken effect."""

    def __init__(self, done: int, total: int) -> None:
        super().__init__(f"cut short after {done} of {total}")
        self.done = done
        self.total = total
