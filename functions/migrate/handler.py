"""Bring the database up to date: operators invoke it after a deployment, for only the VPC reaches the database."""

from typing import Any

from ascension.database import conninfo
from ascension.database.migrations import migrate
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, list[str]]:
    return {"applied": migrate(conninfo())}
