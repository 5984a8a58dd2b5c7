"""Too many requests are refused, and say when to come back."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from ascension import rate_limits
from ascension.accounts import service
from ascension.rate_limits import Rate, TooManyRequests, take
from ascension_api import throttle
from fastapi.testclient import TestClient

from tests.integration.api.conftest import PASSWORD, NewUser, Person, Rows
from tests.integration.api.test_sessions import problem

pytestmark = pytest.mark.postgres


@pytest.fixture
def three_a_minute(monkeypatch: pytest.MonkeyPatch) -> Rate:
    rate = Rate("test", burst=3, per_minute=3)
    monkeypatch.setattr(rate_limits, "USER", rate)
    monkeypatch.setattr(throttle, "LOGIN_BY_ACCOUNT", rate)
    return rate


def test_a_user_has_a_burst_and_is_told_what_is_left(user: Person, three_a_minute: Rate) -> None:
    answers = [user.get("/me") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert {answer.headers["ratelimit-limit"] for answer in answers} == {"3"}
    problem(answers[3], 429, "too-many-requests")
    assert 1 <= int(answers[3].headers["retry-after"]) <= 20


def test_after_the_time_it_names_a_request_passes(user: Person, three_a_minute: Rate, rows: Rows) -> None:
    retry_after = [user.get("/me") for _ in range(4)][-1].headers["retry-after"]
    rows("UPDATE rate_limits SET drained_at = drained_at - make_interval(secs => %s)", int(retry_after))
    assert user.get("/me").status_code == 200
    assert user.get("/me").status_code == 429


def test_one_users_requests_cost_another_nothing(new_user: NewUser, three_a_minute: Rate) -> None:
    busy, quiet = new_user(), new_user()
    assert [busy.get("/me").status_code for _ in range(5)][-1] == 429
    assert quiet.get("/me").status_code == 200


def test_guessing_a_password_is_slow_even_from_many_addresses(
    client: TestClient, user: Person, three_a_minute: Rate, monkeypatch: pytest.MonkeyPatch
) -> None:
    def guess(number: int) -> Any:
        headers = {"X-Forwarded-For": f"198.51.100.{number}, 203.0.113.1"}
        return client.post("/auth/login", json={"email": user.email.upper(), "password": "guess"}, headers=headers)

    # One attempt was the fixture's own, under another rate's name.
    assert [guess(number).status_code for number in range(5)] == [401, 401, 401, 429, 429]
    problem(client.post("/auth/login", json={"email": user.email, "password": PASSWORD}), 429, "too-many-requests")


def test_one_address_cannot_open_accounts_without_end(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "AUTH_BY_ADDRESS", Rate("test-address", burst=2, per_minute=1))
    monkeypatch.setattr(service, "register", lambda email, password: pytest.fail("reached"))
    codes = []
    for _ in range(3):
        codes.append(client.post("/auth/register", json={"email": "x", "password": PASSWORD}).status_code)
    assert codes == [422, 422, 429]


def test_no_more_pass_however_many_ask_at_once(database: str, client: TestClient) -> None:
    from ascension.database import transaction

    rate = Rate("concurrent", burst=7, per_minute=1)

    def ask(_: int) -> bool:
        try:
            with transaction() as tx:
                take(tx, rate, "everybody")
        except TooManyRequests:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(ask, range(40))) == 7
