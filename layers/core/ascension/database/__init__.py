"""PostgreSQL: one small pool a Lambda environment, transactions, and plain SQL migrations."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, LiteralString

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool

from ascension.settings import aws_client, settings

Row = DictRow
Transaction = psycopg.Connection[DictRow]


def conninfo() -> str:
    """Where the database is: ``DATABASE_URL``, or the Secrets Manager secret that the template names.

    Raises:
        RuntimeError: neither is set.
    """
    configured = settings()
    if configured.database_url:
        return configured.database_url
    if not configured.database_secret_arn:
        raise RuntimeError("set DATABASE_URL or DATABASE_SECRET_ARN")
    answer = aws_client("secretsmanager").get_secret_value(SecretId=configured.database_secret_arn)
    secret: dict[str, Any] = json.loads(answer["SecretString"])
    return psycopg.conninfo.make_conninfo(
        "",
        # Aurora's own secret carries no host: RDS Proxy's endpoint comes from the template.
        host=configured.database_host or secret["host"],
        port=secret.get("port", 5432),
        user=secret["username"],
        password=secret["password"],
        dbname=configured.database_name or secret.get("dbname", "ascension"),
        sslmode="require" if configured.database_host else secret.get("sslmode", "prefer"),
    )


@cache
def pool() -> ConnectionPool[Transaction]:
    """The process's pool. A Lambda serves one request at a time; tests and threads share up to eight connections."""
    return ConnectionPool(
        conninfo(),
        connection_class=psycopg.Connection[DictRow],
        # Prepared statements would pin the connection behind RDS Proxy.
        kwargs={"row_factory": dict_row, "prepare_threshold": None, "connect_timeout": 5},
        min_size=0,
        max_size=8,
        timeout=10,
        # An environment may have been frozen for minutes: never hand out a connection that died meanwhile.
        check=ConnectionPool.check_connection,
        open=True,
    )


@contextmanager
def transaction() -> Iterator[Transaction]:
    """A connection whose work is committed at the end, or rolled back when the block raises."""
    with pool().connection() as connection:
        yield connection


def one(tx: Transaction, query: LiteralString, *parameters: object) -> Row | None:
    """The only row of a query, or None."""
    return tx.execute(query, parameters).fetchone()


def every(tx: Transaction, query: LiteralString, *parameters: object) -> list[Row]:
    """All rows of a query."""
    return tx.execute(query, parameters).fetchall()
