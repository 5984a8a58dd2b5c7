"""The secrets of a stack: made once, kept readable for their owner only, and put into the local Secrets Manager."""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ascension_local.postgres import Connection


def signing_keys(directory: Path) -> str:
    """The JSON of AUTH_SECRET_ARN, {"current": key id, "keys": {key id: base64 of 48 bytes}}; generated once."""
    path = directory / "auth-keys.json"
    if not path.exists():
        key_id = secrets.token_hex(4)
        keys = {key_id: base64.b64encode(secrets.token_bytes(48)).decode()}
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump({"current": key_id, "keys": keys}, file)
    return path.read_text()


def store(client: Any, database: Connection, auth: str) -> tuple[str, str]:
    """Puts both into Secrets Manager, where they may already be. Returns the ARNs, the database's first."""
    return (
        _store(client, "ascension/local/database", json.dumps(asdict(database))),
        _store(client, "ascension/local/auth", auth),
    )


def _store(client: Any, name: str, text: str) -> str:
    try:
        answer = client.create_secret(Name=name, SecretString=text)
    except client.exceptions.ResourceExistsException:
        answer = client.put_secret_value(SecretId=name, SecretString=text)
    return str(answer["ARN"])
