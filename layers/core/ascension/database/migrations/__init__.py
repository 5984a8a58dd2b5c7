"""Plain SQL migrations, applied in the order of their names, each in a transaction of its own, each once."""

from importlib.resources import files

import psycopg

# Any constant will do, as long as everybody who migrates uses the same.
LOCK = 0x41534345


def migrate(conninfo: str) -> list[str]:
    """Apply what is not applied yet. Safe to run twice and from several places at once.

    Returns:
        The names applied by this call.

    Raises:
        RuntimeError: a migration that was applied has been changed or removed since.
    """
    scripts = sorted(
        (entry for entry in files(__package__).iterdir() if entry.name.endswith(".sql")), key=lambda entry: entry.name
    )
    applied_now: list[str] = []
    with psycopg.connect(conninfo, autocommit=True) as connection:
        # Held by the session, so that it covers all the transactions below and ends with the process whatever happens.
        connection.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
        connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_migrations ("
            "name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        applied: dict[str, str] = dict(connection.execute("SELECT name, checksum FROM schema_migrations").fetchall())
        if missing := applied.keys() - {script.name for script in scripts}:
            raise RuntimeError(f"the database is ahead of this code: it has {', '.join(sorted(missing))}")
        for script in scripts:
            text = script.read_bytes()
            checksum = connection.execute("SELECT md5(%s::bytea)", (text,)).fetchone()
            assert checksum is not None
            if script.name in applied:
                if applied[script.name] != checksum[0]:
                    raise RuntimeError(f"{script.name} was changed after it had been applied: write a new migration")
                continue
            with connection.transaction():
                connection.execute(text)
                connection.execute(
                    "INSERT INTO schema_migrations (name, checksum) VALUES (%s, %s)", (script.name, checksum[0])
                )
            applied_now.append(script.name)
    return applied_now
