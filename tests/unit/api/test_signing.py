"""The service does not start with a signing secret that does not deserve the name."""

import json
from typing import Any

import pytest
from ascension.accounts.signing import UnsafeSecret, forget_signing_keys, parse, signing_keys
from ascension.settings import settings

GOOD = "3f9d0c1be27a48568d10e6b7c4a2f5913f9d0c1b"


def test_keys_are_read_in_the_documented_form_and_as_cloudformation_writes_them() -> None:
    nested = parse(json.dumps({"current": "b", "keys": {"a": GOOD + "a", "b": GOOD + "b"}}))
    flat = parse(json.dumps({"current": "b", "a": GOOD + "a", "b": GOOD + "b"}))
    assert nested == flat
    assert nested.current == "b"
    assert set(nested.keys) == {"a", "b"}


@pytest.mark.parametrize(
    "document",
    [
        "",
        "secret",
        "[]",
        "{}",
        {"current": "a"},
        {"current": "a", "keys": {}},
        {"current": "a", "keys": {"b": GOOD}},
        {"current": "a", "keys": {"a": ""}},
        {"current": "a", "keys": {"a": GOOD[:31]}},
        {"current": "a", "keys": {"a": "a" * 64}},
        {"current": "a", "keys": {"a": "changeme-changeme-changeme-changeme-1234"}},
        {"current": "a", "keys": {"a": "this is the default signing key of the service"}},
        {"current": "a", "keys": {"a": GOOD, "b": "short"}},
        {"current": "a", "keys": "not a map"},
    ],
    ids=str,
)
def test_a_missing_short_or_default_secret_is_refused(document: Any) -> None:
    with pytest.raises(UnsafeSecret):
        parse(document if isinstance(document, str) else json.dumps(document))


def test_without_a_secret_there_is_no_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUTH_SECRET_ARN", raising=False)
    settings.cache_clear()
    forget_signing_keys()
    with pytest.raises(UnsafeSecret, match="AUTH_SECRET_ARN"):
        signing_keys()
    settings.cache_clear()


def test_the_refusal_does_not_tell_the_secret() -> None:
    with pytest.raises(UnsafeSecret) as refusal:
        parse(json.dumps({"current": "a", "keys": {"a": "5f3a-short"}}))
    assert "5f3a" not in str(refusal.value)
