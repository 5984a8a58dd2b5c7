"""The schema: plain SQL, applied once however often and by however many at a time."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
from ascension.database.migrations import migrate

from tests.postgres import new_database


def test_migrating_twice_applies_everything_once(postgres_server: str) -> None:
    with new_database(postgres_server) as database:
        assert migrate(database)[0] == "0001_first_schema.sql"
        assert migrate(database) == []


def test_eight_that_migrate_at_once_apply_each_migration_once(postgres_server: str) -> None:
    with new_database(postgres_server) as database:
        with ThreadPoolExecutor(8) as threads:
            applied = [name for names in threads.map(migrate, [database] * 8) for name in names]
        assert len(applied) == len(set(applied)) >= 1
        with psycopg.connect(database) as connection:
            recorded = connection.execute("SELECT name FROM schema_migrations").fetchall()
    assert sorted(applied) == sorted(name for (name,) in recorded)


def test_the_queries_that_the_product_lives_on_have_their_indexes(database: str) -> None:
    with psycopg.connect(database) as connection:
        rows = connection.execute("SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'").fetchall()
    definitions = [definition for (definition,) in rows]

    def indexed(*parts: str) -> bool:
        return any(all(part in definition for part in parts) for definition in definitions)

    assert indexed("ON public.videos", "(user_id, created_at")
    assert indexed("ON public.videos", "(expires_at)", "saved_at IS NULL")
    assert indexed("ON public.analyses", "(video_id")
    assert indexed("ON public.analyses", "(status")
