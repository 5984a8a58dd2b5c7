"""The interactive documentation: one page of ours that reads openapi.json, and nothing from any other host."""

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

router = APIRouter(include_in_schema=False)


@router.get("/docs")
def page() -> HTMLResponse:
    content, policy = _page()
    return HTMLResponse(content, headers={"Content-Security-Policy": policy, "Cache-Control": "public, max-age=300"})


@cache
def _page() -> tuple[str, str]:
    """The page, and the policy that lets only its own script and style have effect."""
    content = files("ascension_api").joinpath("docs.html").read_text(encoding="utf-8")

    def hashes(element: str) -> str:
        found = re.findall(rf"<{element}[^>]*>(.*?)</{element}>", content, re.DOTALL)
        digests = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in found)
        return " ".join(f"'sha256-{digest}'" for digest in digests)

    rest = "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    return content, f"default-src 'none'; script-src {hashes('script')}; style-src {hashes('style')}; {rest}"
