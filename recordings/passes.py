"""One pass over due rows: a row that breaks is logged and left for the next pass, and the others get their turn."""

import logging
from collections.abc import Callable, Iterable

logger = logging.getLogger(__name__)


def each[Row](rows: Iterable[Row], do: Callable[[Row], object]) -> None:
    """Do it for every row. This is the outermost loop of every task, so nothing may end it early."""
    for row in rows:
        try:
            do(row)
        except Exception:
            logger.exception("a row was left for the next pass: %s", row)
