"""How a large answer travels: validated by ETag, compressed for whom can read it, by S3 where Lambda is too small."""

import hashlib
from collections.abc import Callable

from ascension.analyses.splicing import Spliced
from ascension.videos import storage
from fastapi import Request
from fastapi.responses import Response

# An answer never changes under its ETag; but a correction gives the analysis another answer, so clients ask each time
# whether theirs still holds, which costs a 304.
KEPT_UNTIL_CORRECTED = "private, no-cache, immutable"
UNDER_WAY = "private, no-cache"

# Lambda answers at most 6 MB, and what we give it grows: by a third as base64, by its escapes as a JSON string.
MAX_INLINE_BYTES = 4_000_000


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether an ``Accept-Encoding`` header names gzip (or anything) with a weight above zero."""
    weights: dict[str, float] = {}
    for part in accept_encoding.lower().split(","):
        coding, _, parameter = part.partition(";")
        name, _, value = parameter.strip().partition("=")
        try:
            weights[coding.strip()] = float(value) if name.strip() == "q" else 1.0
        except ValueError:
            weights[coding.strip()] = 0.0
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0))) > 0


def matches(if_none_match: str, tag: str) -> bool:
    """Whether an ``If-None-Match`` header names the tag, in whichever encoding the client has it (RFC 9110, 13.1.2)."""
    if if_none_match.strip() == "*":
        return True
    known = {candidate.strip().removeprefix("W/").strip('"') for candidate in if_none_match.split(",")}
    return tag in known or f"{tag}-gzip" in known


def represent(
    request: Request, *, tag: str | None, cache: str, body: Callable[[], Spliced], overflow_prefix: str
) -> Response:
    """Answer with a JSON document.

    Args:
        tag: names the document's content; None where only the body itself tells.
        cache: what Cache-Control says.
        body: makes the document; not called when the client has it already.
        overflow_prefix: where in the bucket a document goes that is too large for Lambda.
    """
    document = None
    if tag is None:
        document = body()
        tag = hashlib.sha256(document.plain()).hexdigest()[:32]
    compressed = accepts_gzip(request.headers.get("accept-encoding", ""))
    headers = {
        # Strong tags name bytes, and the compressed bytes are others.
        "ETag": f'"{tag}-gzip"' if compressed else f'"{tag}"',
        "Cache-Control": cache,
        "Vary": "Authorization, Accept-Encoding",
    }
    if matches(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    if document is None:
        document = body()
    content = document.gzipped() if compressed else document.plain()
    if compressed:
        headers["Content-Encoding"] = "gzip"
    if len(content) <= MAX_INLINE_BYTES:
        return Response(content, headers=headers, media_type="application/json")
    key = f"{overflow_prefix}{tag}.json" + (".gz" if compressed else "")
    storage.put(key, content, "application/json", "gzip" if compressed else None)
    return Response(status_code=303, headers={"Location": storage.presigned_download(key), "Cache-Control": "no-store"})
