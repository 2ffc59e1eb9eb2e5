"""What ends a demo early: one sentence for a person."""

import click


class DemoError(click.ClickException):
    """The demo cannot go on; the message says why, and what to do."""
