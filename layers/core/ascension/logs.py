"""One form for all logs: what the domain says through ``logging`` leaves as the function's own structured JSON."""

import logging

from aws_lambda_powertools import Logger


def function_logger() -> Logger:
    """The function's logger (service and level from the environment), which the ``ascension.*`` loggers join."""
    logger = Logger()
    domain = logging.getLogger("ascension")
    domain.handlers = list(logger.handlers)
    domain.setLevel(logger.log_level)
    # Lambda's runtime has a handler of its own at the root, and everything would be said twice.
    domain.propagate = False
    return logger
