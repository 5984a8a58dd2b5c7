"""Bring the database up to date: operators invoke it after a deployment, for only the VPC reaches the database."""

from typing import Any

from ascension.database import conninfo
from ascension.database.migrations import migrate
from ascension.logs import function_logger
from aws_lambda_powertools.utilities.typing import LambdaContext

logger = function_logger()


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, list[str]]:
    return {"applied": migrate(conninfo())}
