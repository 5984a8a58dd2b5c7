"""A database as it may look after years: users, videos, analyses with metrics and everything around them.

One user, the ``owner``, has a hundredth of all analyses; the rest is spread over everybody else. All ids are MD5
sums of names, so that Python and SQL know the same ones.
"""

import base64
import gzip
import hashlib
import json
import random
from uuid import UUID

import psycopg
from ascension.accounts.tokens import hash_of
from ascension.analyses.splicing import spliceable

OWNER = "user1"
# What the routes that use something up find: one for each request of each benchmark.
SUBJECTS = 150


def id_of(name: str) -> UUID:
    """The id of the row with this name: user1, video7, job7, key3, …"""
    return UUID(hashlib.md5(name.encode(), usedforsecurity=False).hexdigest())


def large_result() -> bytes:
    """A compact result as 900 frames of a real climb give one: 60 kB gzipped, 150 kB of JSON, mostly base64."""
    chance = random.Random(7)  # noqa: S311
    deltas = bytes(chance.choices(range(11), k=110_000))
    content = {"schema": "ascension.analysis.compact/3", "poses": {"x": {"data": base64.b64encode(deltas).decode()}}}
    return spliceable(json.dumps(content).encode())


def verbose_result() -> bytes:
    """The verbose result of the same climb: 2 MB of JSON."""
    chance = random.Random(7)  # noqa: S311
    places = [[chance.random(), chance.random(), chance.random(), 0.9] for _ in range(66)]
    frames = [
        {"t": i / 30, "landmarks": [[round(v + chance.gauss(0, 0.001), 4) for v in place] for place in places]}
        for i in range(900)
    ]
    content = {"schema": "ascension.analysis/1", "poses": {"frames": frames}}
    return spliceable(json.dumps(content, separators=(",", ":")).encode())


def fill(conninfo: str, analyses: int) -> None:
    """Fill an empty database with this many analyses and what belongs to them."""
    users = max(10, analyses // 50)
    owned = max(25, analyses // 100)
    small = gzip.compress(json.dumps({"schema": "ascension.analysis/1", "holds": []}).encode(), mtime=0)
    values = {"n": analyses, "users": users, "owned": owned, "small": small, "around": min(analyses, 50_000)}
    with psycopg.connect(conninfo) as connection:
        connection.execute("SET LOCAL synchronous_commit = off")
        connection.execute("SET LOCAL maintenance_work_mem = '512MB'")
        # Rows made in bulk are right as they are: no foreign key needs to be looked up a million times.
        connection.execute("SET LOCAL session_replication_role = replica")
        for statement in _FILLING:
            connection.execute(statement, values)
        _add_subjects(connection)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


_USER = "md5('user' || CASE WHEN i <= %(owned)s THEN 1 ELSE 2 + i %% (%(users)s - 1) END)::uuid"
_MADE = "now() - (i %% 100000) * interval '20 seconds'"

_FILLING = (
    """
    INSERT INTO users (id, email, password_hash, subscription_tier)
    SELECT md5('user' || i)::uuid, 'user' || i || '@example.org', 'x', CASE WHEN i = 1 THEN 'enterprise' ELSE 'free' END
    FROM generate_series(1, %(users)s) i
    """,
    # Each second video is saved, the others are gone after their day.
    f"""
    INSERT INTO videos (id, user_id, filename, content_type, object_key, announced_size_bytes, size_bytes, width,
                        height, fps, duration_s, thumbnail_key, created_at, uploaded_at, expires_at, saved_at,
                        removed_at)
    SELECT md5('video' || i)::uuid, {_USER}, 'climb.mp4', 'video/mp4', 'saved/' || i, 1000, 1000, 1080, 1920, 30, 12,
           'results/' || i || '/thumbnail.jpg', {_MADE}, {_MADE}, {_MADE} + interval '24 hours',
           CASE WHEN i %% 2 = 0 THEN {_MADE} END,
           CASE WHEN i %% 2 = 1 AND {_MADE} < now() - interval '24 hours' THEN now() END
    FROM generate_series(1, %(n)s) i
    """,
    f"""
    INSERT INTO analyses (id, video_id, user_id, status, options, options_hash, error, result, result_etag, fraction,
                          processing_time_ms, created_at, started_at, heartbeat_at, completed_at)
    SELECT md5('job' || i)::uuid, md5('video' || i)::uuid, {_USER}, status,
           '{{"generate_ghost": false, "detect_holds": true}}', 'hash',
           CASE WHEN status = 'failed' THEN '{{"type": "x", "title": "X", "detail": "x"}}'::jsonb END,
           CASE WHEN status = 'completed' THEN %(small)s END, CASE WHEN status = 'completed' THEN md5(i::text) END,
           CASE WHEN status = 'completed' THEN 1 ELSE 0 END, 900, {_MADE}, {_MADE}, now(), {_MADE}
    FROM (SELECT i, CASE i %% 1000 WHEN 600 THEN 'processing' WHEN 601 THEN 'pending' WHEN 602 THEN 'failed'
                    ELSE 'completed' END AS status FROM generate_series(1, %(n)s) i) of_all
    """,
    """
    INSERT INTO analysis_metrics (analysis_id, name, value, unit)
    SELECT md5('job' || i)::uuid, name, 0.25, '1'
    FROM generate_series(1, %(n)s) i, unnest(ARRAY['immobility', 'path_length']) name
    """,
    f"""
    INSERT INTO quota_uses (analysis_id, user_id, used_at)
    SELECT md5('job' || i)::uuid, {_USER}, {_MADE} FROM generate_series(1, %(n)s) i
    """,
    f"""
    INSERT INTO refresh_tokens (token_hash, family_id, user_id, expires_at)
    SELECT sha256(('token' || i)::bytea), md5('family' || i)::uuid, {_USER}, now() + interval '30 days'
    FROM generate_series(1, %(around)s) i
    """,
    f"""
    INSERT INTO connections (connection_id, user_id, expires_at)
    SELECT 'connection' || i, {_USER}, now() + interval '1 hour' FROM generate_series(1000, 1000 + %(around)s) i
    WHERE i > %(owned)s
    """,
    f"""
    INSERT INTO ws_tickets (ticket_hash, user_id, expires_at)
    SELECT sha256(('ticket' || i)::bytea), {_USER}, now() + interval '30 seconds'
    FROM generate_series(1, %(around)s) i
    """,
    f"""
    INSERT INTO idempotency_keys (owner, key, request_hash, status, body, user_id)
    SELECT 'user:' || i, 'key', 'hash', 201, '{{}}', {_USER} FROM generate_series(1, %(around)s) i
    """,
    """
    INSERT INTO rate_limits (bucket, drained_at)
    SELECT 'user:' || md5('user' || i)::uuid, now() FROM generate_series(1, %(around)s) i
    """,
    """
    INSERT INTO models (id, user_id, kind, object_key, size_bytes)
    SELECT md5('model' || i)::uuid, md5('user' || i)::uuid, 'pose', 'models/' || i, 1000
    FROM generate_series(2, %(users)s) i
    """,
    """
    INSERT INTO shares (id, analysis_id, user_id, token_hash, expires_at)
    SELECT md5('share' || i)::uuid, md5('job' || 1 + i %% %(n)s)::uuid, md5('user' || 2 + i %% (%(users)s - 1))::uuid,
           sha256(('link' || i)::bytea), now() + interval '30 days' FROM generate_series(1000, 1000 + %(around)s) i
    """,
    """
    INSERT INTO corrections (id, analysis_id, changes, folder, status, created_at, started_at, ended_at)
    SELECT md5('correction' || i)::uuid, md5('job' || 1 + i %% %(n)s)::uuid, '[]', 'r1-' || i || '/', 'completed',
           now(), now(), now() FROM generate_series(1, %(around)s) i
    """,
    """
    INSERT INTO api_keys (id, user_id, name, prefix, key_hash, scopes)
    SELECT md5('key' || i)::uuid, md5('user' || 2 + i %% (%(users)s - 1))::uuid, 'server', 'asc_12345678',
           sha256(('key' || i)::bytea), ARRAY['analysis:read'] FROM generate_series(1000, 1000 + %(around)s) i
    """,
)


def _add_subjects(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """What the measured requests work on, beside the rows that are only there to be in the way."""
    owner = id_of(OWNER)
    with connection.cursor() as cursor:
        # Videos to start, save, unsave and delete; each that is deleted takes an analysis with it.
        cursor.executemany(
            "INSERT INTO videos (id, user_id, filename, content_type, object_key, announced_size_bytes, size_bytes, "
            "uploaded_at, saved_at, expires_at) VALUES (%s, %s, 'climb.mp4', 'video/mp4', %s, 1000, 1000, now(), "
            "CASE WHEN %s THEN now() END, now() + interval '1 day')",
            [
                (id_of(f"{purpose}{i}"), owner, f"uploads/{owner}/{purpose}{i}.mp4", purpose == "unsave")
                for purpose in ("start", "bulk", "save", "unsave", "delete")
                for i in range(SUBJECTS)
            ],
        )
        cursor.executemany(
            "INSERT INTO analyses (id, video_id, user_id, options, options_hash, status, result, result_etag) "
            "VALUES (%s, %s, %s, '{}', 'hash', 'completed', '', 'x')",
            [(id_of(f"deleted-job{i}"), id_of(f"delete{i}"), owner) for i in range(SUBJECTS)],
        )
        cursor.executemany(
            "INSERT INTO refresh_tokens (token_hash, family_id, user_id, expires_at) "
            "VALUES (%s, %s, %s, now() + interval '30 days')",
            [
                (hash_of(f"{purpose}-token{i}"), id_of(f"{purpose}-family{i}"), owner)
                for purpose in ("refresh", "logout")
                for i in range(SUBJECTS)
            ],
        )
        cursor.executemany(
            "INSERT INTO api_keys (id, user_id, name, prefix, key_hash, scopes) "
            "VALUES (%s, %s, 'x', 'asc_x', %s, '{}')",
            [(id_of(f"revoked-key{i}"), owner, hash_of(f"revoked-key{i}")) for i in range(SUBJECTS)],
        )
        # Users who leave, with three analysed videos each.
        cursor.executemany(
            "INSERT INTO users (id, email, password_hash) VALUES (%s, %s, 'x')",
            [(id_of(f"leaver{i}"), f"leaver{i}@example.org") for i in range(SUBJECTS)],
        )
        cursor.executemany(
            "INSERT INTO videos (id, user_id, filename, content_type, object_key, announced_size_bytes, expires_at) "
            "VALUES (%s, %s, 'climb.mp4', 'video/mp4', %s, 1000, now() + interval '1 day')",
            [(id_of(f"left{i}-{k}"), id_of(f"leaver{i}"), f"left{i}-{k}") for i in range(SUBJECTS) for k in range(3)],
        )
        cursor.executemany(
            "INSERT INTO analyses (id, video_id, user_id, options, options_hash, status, result, result_etag) "
            "VALUES (%s, %s, %s, '{}', 'hash', 'completed', '', 'x')",
            [
                (id_of(f"left-job{i}-{k}"), id_of(f"left{i}-{k}"), id_of(f"leaver{i}"))
                for i in range(SUBJECTS)
                for k in range(3)
            ],
        )
        cursor.execute("UPDATE analyses SET result = %s WHERE id = %s", (large_result(), id_of("job1")))
        # Analyses to correct and to share, and links to revoke and to follow.
        cursor.executemany(
            "INSERT INTO videos (id, user_id, filename, content_type, object_key, announced_size_bytes, uploaded_at, "
            "expires_at) VALUES (%s, %s, 'climb.mp4', 'video/mp4', %s, 1000, now(), now() + interval '1 day')",
            [(id_of(f"correct{i}"), owner, f"uploads/{owner}/correct{i}.mp4") for i in range(SUBJECTS)],
        )
        cursor.executemany(
            "INSERT INTO analyses (id, video_id, user_id, options, options_hash, status, result, result_etag) "
            "VALUES (%s, %s, %s, '{}', 'hash', 'completed', '', 'x')",
            [(id_of(f"correct-job{i}"), id_of(f"correct{i}"), owner) for i in range(SUBJECTS)],
        )
        cursor.executemany(
            "INSERT INTO shares (id, analysis_id, user_id, token_hash, expires_at) "
            "VALUES (%s, %s, %s, %s, now() + interval '1 day')",
            [(id_of(f"revoked-share{i}"), id_of("job1"), owner, hash_of(f"revoked-link{i}")) for i in range(SUBJECTS)]
            + [(id_of("share"), id_of("job1"), owner, hash_of("link"))],
        )
