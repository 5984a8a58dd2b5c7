"""The keys that sign access tokens: several at a time, so that they can be rotated without logging anyone out."""

import json
import time
from dataclasses import dataclass

from ascension.settings import aws_client, settings

MIN_KEY_BYTES = 32
# How long a rotated secret may go unseen, and how often a token with an unknown key id may make us look.
_REFRESH_SECONDS = 300.0
_UNKNOWN_KEY_SECONDS = 10.0
_PLACEHOLDERS = (
    "changeme",
    "change-me",
    "change_me",
    "default",
    "placeholder",
    "insecure",
    "example",
    "secret",
    "password",
)


class UnsafeSecret(RuntimeError):
    """The signing secret is missing, short or a placeholder: the service must not start."""


@dataclass(frozen=True)
class SigningKeys:
    """``current`` signs; all of ``keys`` (by key id) verify."""

    current: str
    keys: dict[str, bytes]


_loaded: tuple[float, SigningKeys] | None = None


def signing_keys(wanted: str | None = None) -> SigningKeys:
    """The keys in use, read again every few minutes, and sooner for a ``wanted`` key id that is not known yet.

    Raises:
        UnsafeSecret: see ``parse``.
    """
    global _loaded
    now = time.monotonic()
    if _loaded is not None:
        age = now - _loaded[0]
        unknown = wanted is not None and wanted not in _loaded[1].keys
        if age < (_UNKNOWN_KEY_SECONDS if unknown else _REFRESH_SECONDS):
            return _loaded[1]
    arn = settings().auth_secret_arn
    if not arn:
        raise UnsafeSecret("AUTH_SECRET_ARN is not set")
    keys = parse(aws_client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])
    _loaded = (now, keys)
    return keys


def forget_signing_keys() -> None:
    """Read the secret again at the next use."""
    global _loaded
    _loaded = None


def parse(document: str) -> SigningKeys:
    """Read ``{"current": kid, "keys": {kid: secret}}``; CloudFormation, which cannot generate nested values, writes
    the generated key beside ``current`` instead.

    Raises:
        UnsafeSecret: not of that form, no current key, or a key shorter than 32 bytes, of few characters or guessable.
    """
    try:
        content = json.loads(document)
        current = content.pop("current")
        named = {**content.pop("keys", {}), **content}
        keys = {str(kid): str(secret).encode() for kid, secret in named.items()}
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise UnsafeSecret('the signing secret is not of the form {"current": kid, "keys": {kid: secret}}') from error
    if current not in keys:
        raise UnsafeSecret("the signing secret names a current key that it does not hold")
    for kid, secret in keys.items():
        if len(secret) < MIN_KEY_BYTES:
            raise UnsafeSecret(f"signing key {kid!r} is shorter than {MIN_KEY_BYTES} bytes")
        text = secret.decode().lower()
        if len(set(text)) < 10 or any(word in text for word in _PLACEHOLDERS):
            raise UnsafeSecret(f"signing key {kid!r} is a placeholder, not a random secret")
    return SigningKeys(current, keys)
