"""The interactive documentation."""

import base64
import hashlib
import re

import pytest
from fastapi.testclient import TestClient

pytestmark = pytest.mark.postgres


def test_the_page_takes_nothing_from_any_other_host(client: TestClient) -> None:
    page = client.get("/docs")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert not re.findall(r"(?:https?:)?//[a-z]", page.text)
    assert 'fetch("./openapi.json")' in page.text
    assert client.get("/openapi.json").status_code == 200


def test_only_the_pages_own_script_may_run(client: TestClient) -> None:
    page = client.get("/docs")
    (script,) = re.findall(r"<script[^>]*>(.*?)</script>", page.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy
