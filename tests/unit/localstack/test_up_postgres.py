"""The embedded PostgreSQL of a stack: one URL for all, data kept until it is removed."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from ascension_local.postgres import Connection, Postgres


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://climber:p%40ss@db.example:5433/climbs",
        "postgresql://climber@/climbs?host=%2Fvar%2Frun%2Fpostgresql&port=5432",
    ],
)
def test_a_connection_survives_being_written_as_a_url(url: str) -> None:
    assert Connection.from_url(url).url == url


def test_a_url_is_understood_as_postgresql_understands_it() -> None:
    assert Connection.from_url("postgres://climber:p%40ss@db.example/climbs") == Connection(
        "db.example", 5432, "climber", "p@ss", "climbs"
    )


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    # Below a directory nobody else can enter, as a checkout in root's home is.
    with tempfile.TemporaryDirectory() as private:
        server = Postgres(Path(private) / "state" / "postgres")
        yield server
        server.stop()
        server.remove()


@pytest.mark.postgres
def test_data_and_url_are_kept_over_a_restart_and_gone_when_removed(postgres: Postgres) -> None:
    connection = postgres.start()
    assert postgres.start() == connection  # while it runs
    with psycopg.connect(connection.url) as session:
        session.execute("CREATE TABLE climbs AS SELECT 'Silence' AS name")
    assert postgres.stop()
    assert not postgres.is_running()
    assert postgres.start() == connection
    with psycopg.connect(connection.url) as session:
        assert session.execute("SELECT name FROM climbs").fetchone() == ("Silence",)
    postgres.stop()
    postgres.remove()
    other = postgres.start()
    assert other.password != connection.password
    with psycopg.connect(other.url) as session:
        assert session.execute("SELECT to_regclass('climbs')").fetchone() == (None,)
