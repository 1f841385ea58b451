"""What a list offers for many rows at once: to whom, and how many there are in all."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from recordings import permissions
from recordings.services import MOST_CALLS


@dataclass(frozen=True)
class BulkBar:
    """`query` is the filter that "all" means. `count` goes no further than one more than a job takes."""

    may_correct: bool
    may_attest: bool
    query: str
    count: int

    @property
    def most(self) -> int:
        return MOST_CALLS

    @property
    def is_too_many(self) -> bool:
        return self.count > MOST_CALLS


def bar_of(
    request: HttpRequest, calls: QuerySet[Any], *, query: str, shown: int, is_whole: bool, is_understood: bool
) -> BulkBar | None:
    """None for whom there is nothing to offer. `calls` are all that fit, of which the page shows so many.

    Counts only where the page does not show all of them (`is_whole`). A filter that was not understood offers no
    "all": it would take in more than the person meant.
    """
    may_correct = permissions.may(request.user, permissions.CORRECT)
    may_attest = permissions.may(request.user, permissions.ATTEST)
    if not shown or not (may_correct or may_attest):
        return None
    count = shown if is_whole or not is_understood else calls.order_by()[: MOST_CALLS + 1].count()
    return BulkBar(may_correct, may_attest, query, count if is_understood else 0)
