"""The videos bucket: ``uploads/`` (gone after a day), ``saved/``, ``results/``, ``models/``, each by user id."""

from dataclasses import dataclass
from urllib.parse import quote
from uuid import UUID

from ascension.settings import aws_client, settings

UPLOAD_URL_SECONDS = 900
DOWNLOAD_URL_SECONDS = 900


def upload_key(user_id: UUID, video_id: UUID, suffix: str) -> str:
    """Where a video is uploaded to."""
    return f"uploads/{user_id}/{video_id}/{video_id}{suffix}"


def saved_key(user_id: UUID, video_id: UUID, upload: str) -> str:
    """Where a saved video lies; ``upload`` is its key as it was uploaded."""
    return f"saved/{user_id}/{video_id}/{upload.rpartition('/')[2]}"


def presigned_upload(key: str, content_type: str, size_bytes: int) -> tuple[str, dict[str, str]]:
    """A URL that takes exactly this key, type and length with PUT, and the headers to send."""
    url: str = aws_client("s3").generate_presigned_url(
        "put_object",
        Params={
            "Bucket": settings().videos_bucket,
            "Key": key,
            "ContentType": content_type,
            "ContentLength": size_bytes,
        },
        ExpiresIn=UPLOAD_URL_SECONDS,
        HttpMethod="PUT",
    )
    return url, {"Content-Type": content_type, "Content-Length": str(size_bytes)}


def presigned_download(key: str, filename: str | None = None) -> str:
    """A URL that gives the object for a quarter of an hour; with ``filename`` browsers save it under that name."""
    params = {"Bucket": settings().videos_bucket, "Key": key}
    if filename is not None:
        params["ResponseContentDisposition"] = f"attachment; filename*=UTF-8''{quote(filename, safe='')}"
    url: str = aws_client("s3").generate_presigned_url("get_object", Params=params, ExpiresIn=DOWNLOAD_URL_SECONDS)
    return url


def copy(source: str, target: str) -> bool:
    """Copy an object within the bucket; False where the source is gone."""
    s3 = aws_client("s3")
    bucket = settings().videos_bucket
    try:
        s3.copy_object(Bucket=bucket, Key=target, CopySource={"Bucket": bucket, "Key": source})
    except s3.exceptions.ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return False
        raise
    return True


def remove(prefix: str) -> None:
    """Delete every object under a prefix."""
    if not prefix.endswith("/"):
        raise ValueError(f"{prefix!r} would match its neighbours too")
    s3 = aws_client("s3")
    bucket = settings().videos_bucket
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        remove_objects([item["Key"] for item in page.get("Contents", [])])


def remove_video(user_id: UUID, video_id: UUID, object_key: str) -> None:
    """Delete a video as it was uploaded and as it was saved; ``object_key`` is either. There are no others of it."""
    name = object_key.rpartition("/")[2]
    remove_objects([f"{folder}/{user_id}/{video_id}/{name}" for folder in ("uploads", "saved")])


def remove_everything_of(user_id: UUID) -> None:
    """Delete all objects of a user."""
    for folder in ("uploads", "saved", "results", "models"):
        remove(f"{folder}/{user_id}/")


def remove_objects(keys: list[str]) -> None:
    """Delete these objects, at most a thousand; those that are not there do not matter."""
    if not keys:
        return
    objects = [{"Key": key} for key in keys]
    answer = aws_client("s3").delete_objects(
        Bucket=settings().videos_bucket, Delete={"Objects": objects, "Quiet": True}
    )
    if errors := answer.get("Errors"):
        raise RuntimeError(f"{len(errors)} of {len(keys)} objects could not be deleted: {errors[0]['Code']}")


def get(key: str) -> bytes:
    """An object's content."""
    body: bytes = aws_client("s3").get_object(Bucket=settings().videos_bucket, Key=key)["Body"].read()
    return body


@dataclass(frozen=True)
class Part:
    """Some bytes of an object, the size of all of it, and what names its content."""

    content: bytes
    size: int
    etag: str


def get_part(key: str, start: int, length: int, etag: str | None = None) -> Part | None:
    """Some bytes of an object (none of an empty one); None where there is no such object, or none with this etag."""
    s3 = aws_client("s3")
    condition = {"IfMatch": etag} if etag else {}
    try:
        answer = s3.get_object(
            Bucket=settings().videos_bucket, Key=key, Range=f"bytes={start}-{start + length - 1}", **condition
        )
    except s3.exceptions.ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if status in (404, 412):
            return None
        if status == 416:
            return Part(b"", 0, "")
        raise
    return Part(answer["Body"].read(), int(answer["ContentRange"].rpartition("/")[2]), answer["ETag"])


def put(key: str, content: bytes, content_type: str, content_encoding: str | None = None) -> None:
    """Store an object."""
    encoding = {"ContentEncoding": content_encoding} if content_encoding else {}
    aws_client("s3").put_object(
        Bucket=settings().videos_bucket, Key=key, Body=content, ContentType=content_type, **encoding
    )
