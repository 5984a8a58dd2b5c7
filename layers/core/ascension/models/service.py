"""Announcing a network of one's own, and looking at what arrived."""

from dataclasses import dataclass
from typing import Any, Literal
from uuid import uuid4

from ascension.accounts.problems import NeedsEnterprise
from ascension.accounts.user import User
from ascension.database import Row, every, one, transaction
from ascension.models.problems import ModelTooLarge
from ascension.models.safetensors import NotSafetensors, contents, header_length
from ascension.videos import storage

Kind = Literal["holds", "pose"]
MAX_BYTES = 200 * 1024 * 1024
CONTENT_TYPE = "application/octet-stream"
_COLUMNS = "id, kind, object_key, size_bytes, status, problem, tensors, parameters, created_at, validated_at"


@dataclass(frozen=True)
class Upload:
    """An announced model and how to send it."""

    model: Row
    url: str
    headers: dict[str, str]
    expires_in: int = storage.UPLOAD_URL_SECONDS


def announce(user: User, kind: Kind, size_bytes: int) -> Upload:
    """Announce a model; it takes the place of the one of this kind before.

    Raises:
        NeedsEnterprise, ModelTooLarge
    """
    if user.subscription_tier != "enterprise":
        raise NeedsEnterprise
    if size_bytes > MAX_BYTES:
        raise ModelTooLarge
    model_id = uuid4()
    key = f"models/{user.id}/{kind}/{model_id}.safetensors"
    with transaction() as tx:
        before = one(tx, "SELECT object_key FROM models WHERE user_id = %s AND kind = %s FOR UPDATE", user.id, kind)
        model = one(
            tx,
            "INSERT INTO models (id, user_id, kind, object_key, size_bytes) VALUES (%s, %s, %s, %s, %s) "
            "ON CONFLICT (user_id, kind) DO UPDATE SET id = excluded.id, object_key = excluded.object_key, "
            "size_bytes = excluded.size_bytes, status = 'awaiting-upload', problem = NULL, tensors = NULL, "
            f"parameters = NULL, created_at = now(), validated_at = NULL RETURNING {_COLUMNS}",
            model_id,
            user.id,
            kind,
            key,
            size_bytes,
        )
    assert model is not None
    if before is not None:
        storage.remove_objects([before["object_key"]])
    url, headers = storage.presigned_upload(key, CONTENT_TYPE, size_bytes)
    return Upload(model, url, headers)


def list_models(user: User) -> list[Row]:
    """The user's models. One whose file has arrived since is looked at now.

    Raises:
        NeedsEnterprise
    """
    if user.subscription_tier != "enterprise":
        raise NeedsEnterprise
    with transaction() as tx:
        models = every(tx, f"SELECT {_COLUMNS} FROM models WHERE user_id = %s ORDER BY kind", user.id)
    return [_validated(user, model) if model["status"] == "awaiting-upload" else model for model in models]


def _validated(user: User, model: Row) -> Row:
    verdict = _verdict(model["object_key"])
    if verdict is None:
        return model
    with transaction() as tx:
        seen = one(
            tx,
            "UPDATE models SET status = %s, problem = %s, tensors = %s, parameters = %s, validated_at = now() "
            f"WHERE id = %s AND user_id = %s AND status = 'awaiting-upload' RETURNING {_COLUMNS}",
            verdict["status"],
            verdict.get("problem"),
            verdict.get("tensors"),
            verdict.get("parameters"),
            model["id"],
            user.id,
        )
    if verdict["status"] == "rejected":
        storage.remove_objects([model["object_key"]])
    return seen or model


def _verdict(key: str) -> dict[str, Any] | None:
    """What is to be thought of the file; None while there is none. Only its header is fetched."""
    found = storage.get_part(key, 0, 8)
    if found is None:
        return None
    start, size = found
    try:
        if size > MAX_BYTES:
            raise NotSafetensors(ModelTooLarge.detail)
        length = header_length(start)
        header = storage.get_part(key, 8, length)
        if header is None:
            return None
        inside = contents(header[0], size)
    except NotSafetensors as problem:
        return {"status": "rejected", "problem": str(problem)}
    return {"status": "validated", "tensors": inside.tensors, "parameters": inside.parameters}
