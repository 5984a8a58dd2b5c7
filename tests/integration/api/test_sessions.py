"""Accounts, passwords, access tokens and refresh tokens."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from argon2 import PasswordHasher
from ascension.accounts import tokens
from ascension.accounts.signing import signing_keys
from fastapi.testclient import TestClient

from tests.integration.api.conftest import PASSWORD, NewUser, Person, Rows

pytestmark = pytest.mark.postgres


def problem(answer: Any, status: int, kind: str) -> dict[str, Any]:
    """The answer, once it has shown itself to be this problem."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["type"] == kind
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert body["request_id"] == answer.headers["x-request-id"]
    return body


def test_an_address_is_taken_in_any_spelling(client: TestClient, user: Person) -> None:
    again = client.post("/auth/register", json={"email": f"  {user.email.upper()} ", "password": PASSWORD})
    problem(again, 409, "email-taken")
    assert client.post("/auth/login", json={"email": user.email.upper(), "password": PASSWORD}).status_code == 200


@pytest.mark.parametrize("password", ["", "short", "password", "Password123", "aaaaaaaaaaaa", "x" * 300])
def test_weak_passwords_are_refused(client: TestClient, password: str) -> None:
    answer = client.post("/auth/register", json={"email": f"{uuid4().hex}@example.org", "password": password})
    problem(answer, 422, "weak-password")


@pytest.mark.parametrize(
    "email", ["", "mila", "mila@", "@example.org", "a b@example.org", "mila@example", "a@b@c.de", "a\x00b@example.org"]
)
def test_what_is_no_address_is_refused(client: TestClient, email: str) -> None:
    body = problem(client.post("/auth/register", json={"email": email, "password": PASSWORD}), 422, "invalid-request")
    assert body["errors"][0]["loc"] == ["body", "email"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"email": 1, "password": 2}', b'{"email": "\\ud800@x.de"}']
)
def test_malformed_bodies_are_refused(client: TestClient, body: bytes) -> None:
    answer = client.post("/auth/register", content=body, headers={"Content-Type": "application/json"})
    problem(answer, 422, "invalid-request")


def test_a_refused_request_does_not_repeat_the_password(client: TestClient) -> None:
    answer = client.post("/auth/register", json={"email": "nowhere", "password": "three green volumes"})
    assert "three green volumes" not in answer.text


def test_a_wrong_password_and_an_unknown_address_look_the_same(client: TestClient, user: Person) -> None:
    wrong = client.post("/auth/login", json={"email": user.email, "password": "another password"})
    unknown = client.post("/auth/login", json={"email": f"{uuid4().hex}@example.org", "password": PASSWORD})
    assert problem(wrong, 401, "wrong-credentials")["detail"] == problem(unknown, 401, "wrong-credentials")["detail"]


def test_an_unknown_address_costs_a_password_hash_too(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    verified: list[str] = []
    original = PasswordHasher.verify

    def verify(self: PasswordHasher, stored: str, password: str) -> bool:
        verified.append(stored)
        return original(self, stored, password)

    monkeypatch.setattr(PasswordHasher, "verify", verify)
    client.post("/auth/login", json={"email": f"{uuid4().hex}@example.org", "password": PASSWORD})
    assert len(verified) == 1
    assert "$m=19456,t=2,p=1$" in verified[0]


def test_passwords_are_stored_as_argon2id_and_rehashed_when_the_parameters_grow(user: Person, rows: Rows) -> None:
    def stored() -> str:
        found: str = rows("SELECT password_hash FROM users WHERE id = %s", user.id)[0]["password_hash"]
        return found

    assert stored().startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    weaker = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    rows("UPDATE users SET password_hash = %s WHERE id = %s", weaker, user.id)
    assert user.client.post("/auth/login", json={"email": user.email, "password": PASSWORD}).status_code == 200
    assert stored().startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_an_access_token_says_who_for_whom_until_when_and_by_which_key(user: Person) -> None:
    header = jwt.get_unverified_header(user.access_token)
    claims = jwt.decode(user.access_token, options={"verify_signature": False})
    assert (header["alg"], header["kid"]) == ("HS256", "k1")
    assert claims["sub"] == user.id
    assert (claims["iss"], claims["aud"]) == ("ascension", "ascension-api")
    assert claims["exp"] - claims["iat"] == 86400
    assert claims["jti"]


def forged(user_id: str, **changes: Any) -> str:
    """An access token as we make them, but for the changes; a claim changed to None is left out."""
    now = datetime.now(UTC)
    claims = {
        "iss": "ascension",
        "aud": "ascension-api",
        "sub": user_id,
        "iat": now,
        "exp": now + timedelta(hours=1),
        "jti": "1",
    }
    headers = {"kid": changes.pop("kid", "k1")}
    key = changes.pop("key", signing_keys().keys["k1"])
    algorithm = changes.pop("algorithm", "HS256")
    claims = {name: value for name, value in {**claims, **changes}.items() if value is not None}
    return jwt.encode(claims, key, algorithm=algorithm, headers={k: v for k, v in headers.items() if v is not None})


@pytest.mark.parametrize(
    "changes",
    [
        {"key": b"another key of thirty-two bytes and more"},
        {"algorithm": "none", "key": None},
        {"algorithm": "HS512"},
        {"kid": "k2"},
        {"kid": "../../etc/passwd"},
        {"kid": None},
        {"aud": "another-api"},
        {"aud": None},
        {"iss": "somebody"},
        {"exp": datetime.now(UTC) - timedelta(seconds=1)},
        {"exp": None},
        {"jti": None},
        {"sub": "not-an-id"},
        {"sub": "' OR 1=1 --"},
        {"iat": datetime.now(UTC) + timedelta(hours=1)},
    ],
    ids=str,
)
def test_forged_tokens_are_refused(user: Person, changes: dict[str, Any]) -> None:
    user.access_token = forged(user.id, **dict(changes))
    problem(user.get("/me"), 401, "not-authenticated")


def test_a_token_without_forgery_is_taken(user: Person) -> None:
    user.access_token = forged(user.id)
    assert user.get("/me").status_code == 200


def test_a_token_whose_claims_were_exchanged_is_refused(user: Person, new_user: NewUser) -> None:
    header, claims, signature = user.access_token.split(".")
    decoded = json.loads(base64.urlsafe_b64decode(claims + "=="))
    decoded["sub"] = new_user().id
    exchanged = base64.urlsafe_b64encode(json.dumps(decoded).encode()).decode().rstrip("=")
    user.access_token = f"{header}.{exchanged}.{signature}"
    problem(user.get("/me"), 401, "not-authenticated")


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic abc", "Bearer a.b.c", "Bearer x y", "bearer \u00e9"]
)
def test_headers_without_a_token_are_refused(client: TestClient, header: str) -> None:
    answer = client.get("/me", headers={b"Authorization": header.encode()})
    problem(answer, 401, "not-authenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_token_of_the_future_key_is_taken_after_rotation(user: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    from ascension.accounts import signing

    rotated = signing.SigningKeys("k2", {**signing_keys().keys, "k2": b"k2: thirty-two bytes or more of randomness"})
    monkeypatch.setattr(tokens, "signing_keys", lambda wanted=None: rotated)
    assert user.get("/me").status_code == 200
    fresh = user.client.post("/auth/login", json={"email": user.email, "password": PASSWORD}).json()
    assert jwt.get_unverified_header(fresh["access_token"])["kid"] == "k2"


def refresh(user: Person, token: str) -> Any:
    return user.client.post("/auth/refresh", json={"refresh_token": token})


def test_a_refresh_token_gives_a_new_pair(user: Person) -> None:
    pair = refresh(user, user.refresh_token)
    assert pair.status_code == 200
    assert pair.json()["token_type"] == "bearer"
    assert pair.json()["expires_in"] == 86400
    assert pair.json()["refresh_token"] != user.refresh_token
    user.access_token = pair.json()["access_token"]
    assert user.get("/me").status_code == 200


def test_a_retry_within_twenty_seconds_does_not_end_the_session(user: Person) -> None:
    first = refresh(user, user.refresh_token).json()["refresh_token"]
    second = refresh(user, user.refresh_token)
    assert second.status_code == 200
    assert refresh(user, first).status_code == 200
    assert refresh(user, second.json()["refresh_token"]).status_code == 200


def test_a_token_used_again_later_ends_the_session(user: Person, rows: Rows) -> None:
    following = refresh(user, user.refresh_token).json()["refresh_token"]
    rows("UPDATE refresh_tokens SET rotated_at = rotated_at - interval '21 s' WHERE user_id = %s", user.id)
    problem(refresh(user, user.refresh_token), 401, "invalid-refresh-token")
    problem(refresh(user, following), 401, "invalid-refresh-token")
    # Another session of the same user goes on.
    other = user.client.post("/auth/login", json={"email": user.email, "password": PASSWORD}).json()
    assert refresh(user, other["refresh_token"]).status_code == 200


def test_an_expired_refresh_token_is_refused(user: Person, rows: Rows) -> None:
    rows("UPDATE refresh_tokens SET expires_at = now() WHERE user_id = %s", user.id)
    problem(refresh(user, user.refresh_token), 401, "invalid-refresh-token")


def test_logging_out_ends_the_session_and_may_be_repeated(user: Person) -> None:
    for _ in range(2):
        assert user.client.post("/auth/logout", json={"refresh_token": user.refresh_token}).status_code == 204
    problem(refresh(user, user.refresh_token), 401, "invalid-refresh-token")


def test_tokens_are_not_stored_as_they_are(user: Person, rows: Rows) -> None:
    stored = rows("SELECT token_hash FROM refresh_tokens WHERE user_id = %s", user.id)[0]["token_hash"]
    assert bytes(stored) == tokens.hash_of(user.refresh_token)
