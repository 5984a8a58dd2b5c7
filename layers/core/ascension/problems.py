"""RFC 9457 problems: what went wrong, in a sentence the user can act on."""

from typing import Any


class Problem(Exception):
    """An error that is shown to the user. Subclass it with a stable ``type``, a ``title`` and a ``status``.

    Attributes:
        type: stable token, e.g. ``ghost-needs-pro``; clients decide by it.
        status: HTTP status when it ends a request.
        detail: one sentence the user can act on.
    """

    type = "internal"
    title = "Something went wrong"
    status = 500
    detail = "Something went wrong on our side. Please try again."

    def __init__(self, detail: str | None = None, *, headers: dict[str, str] | None = None, **members: Any) -> None:
        super().__init__(detail or self.detail)
        self.detail = detail or self.detail
        self.headers = headers or {}
        self.members = members

    def body(self, request_id: str) -> dict[str, Any]:
        """The ``application/problem+json`` document."""
        return {
            "type": self.type,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "request_id": request_id,
            **self.members,
        }
