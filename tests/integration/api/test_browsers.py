"""Web pages may call the API: tokens travel in headers, never in cookies."""

import pytest
from fastapi.testclient import TestClient

from tests.integration.api.conftest import Person

pytestmark = pytest.mark.postgres


def test_a_page_may_ask_before_it_calls(client: TestClient) -> None:
    headers = {
        "Origin": "https://climbing.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
    }
    answer = client.options("/analysis/start", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers


def test_a_page_may_read_what_it_needs_of_answers_and_of_errors(client: TestClient, user: Person) -> None:
    answers = [user.get("/me", headers={"Origin": "https://climbing.example"})]
    answers.append(client.get("/me", headers={"Origin": "https://climbing.example"}))
    large = client.post("/auth/login", content=b"x" * 300_000, headers={"Origin": "https://climbing.example"})
    answers.append(large)
    assert [answer.status_code for answer in answers] == [200, 401, 413]
    for answer in answers:
        assert answer.headers["access-control-allow-origin"] == "*"
        exposed = answer.headers["access-control-expose-headers"]
        assert {"ETag", "Retry-After", "X-Request-Id"} <= set(exposed.split(", "))


def test_every_answer_carries_the_headers_that_keep_it_private(user: Person) -> None:
    headers = user.get("/me").headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["strict-transport-security"]
