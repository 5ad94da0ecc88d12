"""Where notices go besides the log: `notify:` in fleet.yaml, checked."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Annotated, LiteralString
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr
from pydantic_core import PydanticCustomError

# https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
_TOPIC = re.compile(
    r"arn:aws[a-z-]*:sns:[a-z]{2,}(-[a-z0-9]+)+:[0-9]{12}:"
    r"([A-Za-z0-9_-]{1,256}|[A-Za-z0-9_-]{1,251}\.fifo)"
)
_PRINTABLE = re.compile(r"[\x21-\x7e]+")


def is_loopback(host: str) -> bool:
    """Whether a host of a URL is this machine, without asking any DNS."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _topic(arn: str) -> str:
    if not _TOPIC.fullmatch(arn):
        raise _wrong("must be the ARN of a topic, as arn:aws:sns:eu-west-1:123456789012:fleet")
    return arn


def _webhook(url: SecretStr) -> SecretStr:
    # No sentence repeats the URL: whoever knows one may write to that chat.
    text = url.get_secret_value()
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or not _PRINTABLE.fullmatch(text):
        raise _wrong("must be a whole URL, as https://hooks.example.com/services/…")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise _wrong("must begin with https://: notices go over TLS, or to this machine")
    if "@" in parts.netloc:
        raise _wrong("must hold no user and no password")
    return url


def _wrong(problem: LiteralString) -> PydanticCustomError:
    return PydanticCustomError("notify", problem)


class Notify(BaseModel):
    """Destinations of what is told while waves run; both may be set."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    sns: Annotated[str, AfterValidator(_topic)] | None = None
    """ARN of a topic, standard or FIFO."""
    webhook: Annotated[SecretStr, AfterValidator(_webhook)] | None = None
    """URL that takes JSON by POST."""
