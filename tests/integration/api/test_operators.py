"""What operators do from a shell."""

import os
import subprocess
import sys

import pytest

from tests.integration.api.conftest import Person

pytestmark = pytest.mark.postgres


def command(database: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DATABASE_URL": database}
    called = [sys.executable, "-m", "ascension.accounts", *arguments]
    return subprocess.run(called, env=environment, capture_output=True, text=True, check=False)


def test_one_command_changes_a_tier_from_the_next_request_on(user: Person, database: str) -> None:
    done = command(database, "set-tier", user.email.upper(), "enterprise")
    assert (done.returncode, done.stdout) == (0, f"{user.email} is now enterprise\n")
    assert user.get("/me").json()["subscription_tier"] == "enterprise"


def test_an_unknown_address_or_tier_is_said_in_one_line(user: Person, database: str) -> None:
    unknown = command(database, "set-tier", "nobody@example.org", "pro")
    assert unknown.returncode == 1
    assert unknown.stderr == "no account has the address nobody@example.org\n"
    assert command(database, "set-tier", user.email, "gold").returncode == 2
