"""The parameters of the SeaMicro driver: the `seaMicro` block of a Chassis manifest, checked."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rackwright_drivers.contract.errors import PermanentError
from rackwright_drivers.transports.ssh_open import Endpoint


class _Cli(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(min_length=1, max_length=253)
    port: int = Field(default=22, ge=1, le=65535)
    host_keys: tuple[str, ...] = Field(default=(), alias="hostKeys")
    legacy_algorithms: tuple[str, ...] = Field(default=(), alias="legacyAlgorithms")


class _Parameters(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    cli: _Cli
    rest: object = None  # another way to the same chassis; this driver does not go it


def endpoint(parameters: Mapping[str, object]) -> Endpoint:
    """Where the command line listens. PermanentError names the parameter, its value and what it should be."""
    try:
        cli = _Parameters.model_validate(dict(parameters)).cli
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(("seaMicro", *(str(part) for part in first["loc"])))
        found = "" if first["type"] == "missing" else f" (found {first['input']!a:.80})"
        raise PermanentError(
            f"{where}{found}: {first['msg']}; give it as `cli: {{host: ..., hostKeys: [...]}}`."
        ) from error
    return Endpoint(cli.host, cli.port, cli.host_keys, cli.legacy_algorithms)
