"""A name that is erased must not stay in files that are still kept, nor in the words of who asked for them."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import Q
from django.utils.http import urlencode

from recordings.choices import ExportStatus
from recordings.exports.jobs.claiming import forget_under_way
from recordings.exports.jobs.expiring import expire_now
from recordings.models import Export
from recordings.models.people import ERASED

_UNDER_WAY = (ExportStatus.WAITING, ExportStatus.RUNNING)


def kept_files() -> int:
    """How many exports have a file now. What is inside cannot be looked up: it is packed, and often large."""
    return Export.objects.filter(expires_after__isnull=False).count()


def under_way() -> int:
    return Export.objects.filter(status__in=_UNDER_WAY).count()


def forget_in_exports(names: Collection[str], *, now: datetime) -> int:
    """Let every kept file expire, and blank the filters that name one of `names`; in the caller's transaction.

    Exports under way come first: a worker that is about to finish one waits for the row, and then has lost it. Those
    that were asked for with the name end, since without it they would be of other rows; the others are made anew.
    Answers how many files there were (`now` aware UTC). Their entries in the ledger, with their SHA-256, stay.
    """
    named = _asked_with(names)
    forget_under_way(named, now=now)
    Export.objects.filter(named).update(query="", sentence=ERASED)
    keys = list(Export.objects.filter(expires_after__isnull=False).values_list("pk", flat=True))
    for key in keys:
        expire_now(key, now=now)
    return len(keys)


def _asked_with(names: Collection[str]) -> Q:
    asked = Q(pk__in=[])
    for name in names:
        asked |= Q(sentence__icontains=name) | Q(query__icontains=urlencode({"": name})[1:])
    return asked
