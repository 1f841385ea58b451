"""One pass over due rows: a row that breaks is logged and left for the next pass, and the others get their turn."""

import gc
import logging
from collections.abc import Callable, Iterable
from threading import Event

logger = logging.getLogger(__name__)

# Set in a worker that was told to end: the row under way is finished, the others are left for the next pass.
stopping = Event()


def settle_in() -> None:
    """Make a worker's process ready to stay: what is loaded by now is not looked through for garbage ever again."""
    gc.collect()
    gc.freeze()


def each[Row](rows: Iterable[Row], do: Callable[[Row], object], *, to_the_end: bool = False) -> list[Row]:
    """Do it for every row; answers those that broke. This is the outermost loop of every task, so none may end it.

    `to_the_end` is for what cannot wait for a next pass, since nobody else knows of it: an answer that has come.
    """
    broken = []
    for row in rows:
        if stopping.is_set() and not to_the_end:
            break
        try:
            do(row)
        except Exception:
            logger.exception("a row was left for the next pass: %s", row)
            broken.append(row)
    return broken
