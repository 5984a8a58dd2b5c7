"""Announcing a network of one's own, looking at what arrived, and handing it to the analyses."""

import json
import logging
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID, uuid4

from ascension.accounts.problems import NeedsEnterprise
from ascension.accounts.user import User
from ascension.database import Row, every, one, transaction
from ascension.models.problems import ModelNotFound, ModelTooLarge
from ascension.models.safetensors import NotSafetensors, contents, header_length
from ascension.videos import storage

log = logging.getLogger(__name__)

Kind = Literal["holds", "pose"]
MAX_BYTES = 200 * 1024 * 1024
CONTENT_TYPE = "application/octet-stream"
PREFIX = "models/"
_COLUMNS = (
    "id, user_id, kind, object_key, size_bytes, status, problem, tensors, parameters, etag, created_at, validated_at"
)


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
    key = f"{PREFIX}{user.id}/{kind}/{model_id}.safetensors"
    with transaction() as tx:
        before = one(tx, "SELECT object_key FROM models WHERE user_id = %s AND kind = %s FOR UPDATE", user.id, kind)
        model = one(
            tx,
            "INSERT INTO models (id, user_id, kind, object_key, size_bytes) VALUES (%s, %s, %s, %s, %s) "
            "ON CONFLICT (user_id, kind) DO UPDATE SET id = excluded.id, object_key = excluded.object_key, "
            "size_bytes = excluded.size_bytes, status = 'awaiting-upload', problem = NULL, tensors = NULL, "
            f"parameters = NULL, etag = NULL, created_at = now(), validated_at = NULL RETURNING {_COLUMNS}",
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
    return [_looked_at(model) if model["status"] == "awaiting-upload" else model for model in models]


def remove(user: User, kind: Kind) -> None:
    """Analyse with the built-in model of this kind again.

    Raises:
        NeedsEnterprise, ModelNotFound
    """
    if user.subscription_tier != "enterprise":
        raise NeedsEnterprise
    with transaction() as tx:
        removed = one(tx, "DELETE FROM models WHERE user_id = %s AND kind = %s RETURNING object_key", user.id, kind)
    if removed is None:
        raise ModelNotFound
    # What fails here, or comes later through a URL that is still valid, `arrived` finds nobody's.
    storage.remove_objects([removed["object_key"]])


def arrived(object_key: str) -> None:
    """A file is in the bucket: look at it, or remove it where no account announced it (any more)."""
    with transaction() as tx:
        model = one(tx, f"SELECT {_COLUMNS} FROM models WHERE object_key = %s", object_key)
    if model is None:
        storage.remove_objects([object_key])
        log.info("a model that nobody waits for was removed")
    else:
        _looked_at(model)


def in_force(user_id: UUID) -> dict[Kind, dict[str, str]]:
    """The models that the user's analyses are made with, by kind: ``{id, key, etag}``; none but on Enterprise."""
    with transaction() as tx:
        models = every(
            tx,
            f"SELECT {_COLUMNS} FROM models WHERE user_id = %s "
            "AND EXISTS (SELECT FROM users WHERE id = %s AND subscription_tier = 'enterprise')",
            user_id,
            user_id,
        )
    # Who uploads a model and starts an analysis at once is ahead of the event of the upload.
    models = [_looked_at(model) if model["status"] == "awaiting-upload" else model for model in models]
    return {
        model["kind"]: {"id": str(model["id"]), "key": model["object_key"], "etag": model["etag"]}
        for model in models
        if model["status"] == "validated"
    }


def _looked_at(model: Row) -> Row:
    """The model with what is to be thought of its file, if that is there. A file that came twice is judged anew."""
    verdict = _verdict(model["kind"], model["object_key"])
    if verdict is None:
        return model
    with transaction() as tx:
        seen = one(
            tx,
            "UPDATE models SET status = %s, problem = %s, tensors = %s, parameters = %s, etag = %s, "
            f"validated_at = now() WHERE id = %s RETURNING {_COLUMNS}",
            verdict["status"],
            verdict.get("problem"),
            verdict.get("tensors"),
            verdict.get("parameters"),
            verdict.get("etag"),
            model["id"],
        )
    if verdict["status"] == "rejected" or seen is None:
        storage.remove_objects([model["object_key"]])
    return seen or model


def _verdict(kind: Kind, key: str) -> dict[str, Any] | None:
    """What is to be thought of the file; None while there is none. Only its header is fetched."""
    start = storage.get_part(key, 0, 8)
    if start is None:
        return None
    try:
        if start.size > MAX_BYTES:
            raise NotSafetensors(ModelTooLarge.detail)
        header = storage.get_part(key, 8, header_length(start.content), start.etag)
        if header is None:
            return None
        inside = contents(header.content, start.size)
        if kind == "pose":
            _check_pose_configuration(inside.metadata)
    except NotSafetensors as problem:
        return {"status": "rejected", "problem": str(problem)}
    found = {"tensors": inside.tensors, "parameters": inside.parameters, "etag": start.etag}
    return {"status": "validated", **found}


def _check_pose_configuration(metadata: dict[str, str]) -> None:
    """Tensors alone do not say how a ViTPose is put together: its config.json travels in the header.

    Raises:
        NotSafetensors
    """
    try:
        configuration = json.loads(metadata.get("config", ""))
    except (ValueError, RecursionError):
        configuration = None
    if not isinstance(configuration, dict) or configuration.get("model_type") != "vitpose":
        raise NotSafetensors(
            "A pose model is a ViTPose that carries its config.json in the header's metadata, under the name config. "
            "Please add it and upload the model again."
        )
