"""Logs of the daemon: structlog, a line an event, as JSON or for a terminal; what logs by `logging` goes the same way."""

import logging
import sys
from typing import Any, TextIO

import orjson
import structlog
from structlog.typing import Processor

# What these say at INFO is about every request or connection.
_QUIET = {
    "aiohttp.access": logging.WARNING,
    "asyncssh": logging.WARNING,
    "kopf": logging.WARNING,
    "urllib3": logging.WARNING,
}


def _json(data: Any, **_: Any) -> str:
    return orjson.dumps(data, default=str).decode()


def configure(style: str, level: str, stream: TextIO = sys.stderr) -> None:
    """Set up logging of this process: `style` is json or console, `level` a name of `logging`."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    ]
    end: list[Processor]
    if style == "json":
        end = [structlog.processors.dict_tracebacks, structlog.processors.JSONRenderer(_json)]
    else:
        end = [structlog.dev.ConsoleRenderer(colors=stream.isatty(), timestamp_key="time")]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder(allow=())],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *end],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name, floor in _QUIET.items():
        logging.getLogger(name).setLevel(floor)
