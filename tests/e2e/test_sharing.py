"""A link to an analysis, through the whole system."""

from pathlib import Path

import httpx

from tests.e2e.conftest import Stack
from tests.e2e.phone import Phone


def test_whoever_has_the_link_sees_the_analysis_until_it_is_revoked(stack: Stack, phone: Phone, climb: Path) -> None:
    assert stack.rows("UPDATE users SET subscription_tier = 'pro' WHERE id = %s RETURNING id", phone.user["id"])
    job = phone.wait(phone.analyse(climb, detect_holds=False, generate_ghost=False))
    made = phone.post(f"analysis/{job['id']}/shares", 201, expires_in_days=1)
    assert made["url"] == f"{stack.web_url}#/shared/{made['token']}"
    address = f"{stack.api_url}/shared/{made['token']}"

    shown = httpx.get(address, timeout=60)
    assert shown.status_code == 200
    assert shown.headers["content-encoding"] == "gzip"
    assert shown.json()["result"] == phone.job(job["id"])["result"]
    picture = httpx.get(shown.json()["thumbnail_url"], follow_redirects=True, timeout=60)
    assert picture.content.startswith(b"\xff\xd8")

    assert phone.http.delete(f"analysis/{job['id']}/shares/{made['id']}").status_code == 204
    assert httpx.get(address, headers={"If-None-Match": shown.headers["etag"]}, timeout=60).status_code == 404
