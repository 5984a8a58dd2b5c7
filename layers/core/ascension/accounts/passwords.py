"""Passwords: how good they must be, and how they are kept (argon2id)."""

import re
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from argon2.low_level import Type

from ascension.accounts.problems import WeakPassword

MIN_LENGTH = 8
# Nobody types more, and the hash must not become a way to burn our time.
MAX_LENGTH = 256
# At least three different characters, as a regular expression that ECMA understands too.
DIFFERENT = r"^([\s\S])\1*(?!\1)([\s\S])(?:\1|\2)*(?!\1|\2)[\s\S]"

# OWASP's parameters: 19 MiB, two passes, one lane.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, type=Type.ID)

# What guessing starts with and is long enough to pass otherwise, in lower case.
# fmt: off
_COMMON = frozenset((
    "password", "password1", "password12", "password123", "passw0rd", "p@ssw0rd", "p@ssword", "12345678", "123456789",
    "1234567890", "0123456789", "87654321", "987654321", "0987654321", "11223344", "12341234", "123123123",
    "1q2w3e4r", "1q2w3e4r5t", "1qaz2wsx", "q1w2e3r4", "qwertyui", "qwertyuiop", "qwerty12", "qwerty123", "qwerty1234",
    "asdfghjk", "asdfghjkl", "zxcvbnm1", "abcd1234", "abc12345", "abcdefgh", "a1b2c3d4", "iloveyou", "iloveyou1",
    "sunshine", "princess", "football", "baseball", "basketball", "superman", "starwars", "trustno1", "whatever",
    "welcome1", "welcome123", "letmein1", "letmein123", "changeme", "changeme1", "changeme123", "admin123",
    "admin1234", "administrator", "michelle", "jennifer", "computer", "internet", "samsung1", "mustang1", "climbing",
    "climber1", "bouldering", "ascension", "ascension1",
))
# fmt: on


def check_strength(password: str, email: str) -> None:
    """Refuse passwords that guessing would find first.

    Raises:
        WeakPassword: too short, too long, too common, of one or two characters repeated, or the e-mail address itself.
    """
    lowered = password.lower()
    if len(password) > MAX_LENGTH:
        raise WeakPassword(f"Please choose a password of at most {MAX_LENGTH} characters.")
    if len(password) < MIN_LENGTH or not re.match(DIFFERENT, password) or lowered in _COMMON:
        raise WeakPassword
    if lowered in (email, email.partition("@")[0]):
        raise WeakPassword("Please choose a password that is not your e-mail address.")


def hash_password(password: str) -> str:
    """The password as it is stored, with its salt and parameters."""
    return _hasher.hash(password)


def matches(password: str, stored: str | None) -> bool:
    """Whether the password is the stored one. Without one (no such account) it takes the same time to say no."""
    try:
        return _hasher.verify(stored or _nobodys_hash(), password) and stored is not None
    except (Argon2Error, InvalidHashError):
        return False


def outdated(stored: str) -> bool:
    """Whether the stored hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(stored)


@cache
def _nobodys_hash() -> str:
    return _hasher.hash("nobody's password")
