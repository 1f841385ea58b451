"""Which calls a person chose: one by one, by a filter, or from a job. Sealed, so that what starts was checked."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User
from django.core import signing
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.shortcuts import get_object_or_404
from django_filters import FilterSet

from recordings import services
from recordings.filters import CallFilter, FindingFilter, in_phase, words_of
from recordings.models import BulkJob, Call, Finding
from recordings.models.calls import CallQuerySet
from recordings.models.keys import parse_key
from recordings.services import MOST_CALLS, BulkRefused, Selection
from recordings.views.finding_rows import calls_of

SALT = "onrecord.bulk"
# Ids are counted on from one; no database has a larger one.
LARGEST_ID = 2**63 - 1
NOT_OURS = "The selection did not come back as this page gave it out. Nothing was started. Select the calls again."


@dataclass(frozen=True)
class Chosen:
    """The keys of the chosen calls, and the selection as the job will keep it."""

    calls: tuple[int, ...]
    selection: Selection

    @property
    def queryset(self) -> CallQuerySet:
        """Newest first, as the lists show them."""
        return Call.objects.filter(pk__in=self.calls).order_by("-created_at", "-id")

    def only_over(self) -> "Chosen":
        """Those of them whose call is over, for a job of their own."""
        over = tuple(self.queryset.over().values_list("pk", flat=True))
        return Chosen(over, Selection(f"{calls_words(len(over))}, those that are over of: {self.selection.words}"))

    def sealed_for(self, request: HttpRequest) -> str:
        """One text for a hidden field, which only the same person can send back and nobody can change."""
        body = {"key": str(self.selection.key), "words": self.selection.words, "calls": self.calls}
        return signing.dumps(body, salt=_salt(request), compress=True)


def chosen_by(request: HttpRequest, *, now: datetime) -> Chosen:
    """What the form says was chosen. Raises BulkRefused for nothing, too much, and what cannot be understood."""
    if "chosen" in request.POST:
        return unsealed(request)
    if "job" in request.POST:
        return _left_of(request.POST["job"])
    if "all" in request.POST:
        return _all_that_fit(request, now=now)
    return _one_by_one(request.POST.getlist("call"))


def unsealed(request: HttpRequest) -> Chosen:
    """What `sealed_for` gave out to the same person. Raises BulkRefused for anything else."""
    try:
        body = signing.loads(request.POST.get("chosen", ""), salt=_salt(request))
    except signing.BadSignature as forged:
        raise BulkRefused(NOT_OURS) from forged
    return Chosen(tuple(body["calls"]), Selection(body["words"], UUID(body["key"])))


def _salt(request: HttpRequest) -> str:
    return f"{SALT}:{request.user.pk}"


def _one_by_one(words: list[str]) -> Chosen:
    keys = {int(word) for word in words if word.isascii() and word.isdigit() and len(word) <= len(str(LARGEST_ID))}
    found = _keys_of(Call.objects.filter(pk__in=[key for key in keys if key <= LARGEST_ID]))
    if len(found) != len(set(words)):
        raise BulkRefused(NOT_OURS)
    return _chosen(found, f"{calls_words(len(found))}, chosen one by one")


def _all_that_fit(request: HttpRequest, *, now: datetime) -> Chosen:
    """The list's own filter, asked again at this moment; a filter that is not understood selects nothing."""
    query = QueryDict(request.POST.get("query", ""))
    if request.POST.get("list") == "findings":
        return _of_findings(request, FindingFilter(query, queryset=Finding.objects.all(), request=request), now=now)
    asked = CallFilter(query, queryset=Call.objects.all())
    narrowed = _understood(asked)
    which = f"that fitted “{narrowed}”" if narrowed else "of the list"
    return _all(asked.qs, which, now=now)


def _of_findings(request: HttpRequest, asked: FindingFilter, *, now: datetime) -> Chosen:
    assert isinstance(request.user, User)
    narrowed = _understood(asked)
    found = in_phase(asked.qs, asked.form.cleaned_data["phase"], reader=request.user, now=now)
    which = f"of the findings that fitted “{narrowed}”" if narrowed else "of the open findings"
    return _all(calls_of(found), which, now=now)


def _all(calls: QuerySet[Call], which: str, *, now: datetime) -> Chosen:
    found = _keys_of(calls)
    every = "The one call" if len(found) == 1 else f"All {calls_words(len(found))}"
    return _chosen(found, f"{every} {which} at {now:%Y-%m-%d %H:%M:%S} UTC")


def _understood(asked: FilterSet) -> str:
    if not asked.is_valid():
        raise BulkRefused("The filter was not understood, so no call was selected. Correct the list's filter first.")
    return words_of(asked)


def _left_of(key: str) -> Chosen:
    job = get_object_or_404(BulkJob, pk=parse_key(key))
    found = _keys_of(services.left_to_attest(job))
    return _chosen(found, f"{calls_words(len(found))}, over and not put right by bulk job {job.pk}")


def _keys_of(calls: QuerySet[Call]) -> tuple[int, ...]:
    """Newest first; one more than a job takes says that there are too many."""
    return tuple(calls.order_by("-created_at", "-id").values_list("pk", flat=True)[: MOST_CALLS + 1])


def _chosen(found: tuple[int, ...], words: str) -> Chosen:
    if not found:
        raise BulkRefused("No call is selected. Nothing was started. Select at least one in the list.")
    if len(found) > MOST_CALLS:
        raise BulkRefused(
            f"More than {MOST_CALLS:,} calls fit, the most that one job takes. Nothing was started. Narrow the list, by"
            " the days for instance, and start one job after the other."
        )
    return Chosen(found, Selection(words))


def calls_words(count: int) -> str:
    return "1 call" if count == 1 else f"{count:,} calls"
