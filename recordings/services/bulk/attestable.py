"""Which of the selected calls a person's word can still be given for, by the same conditions as for one finding."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from recordings.choices import BulkItemStatus
from recordings.models import BulkItem, BulkJob, Call, Finding
from recordings.services.bulk.precheck import SAMPLE, selected

NOT_OVER = "The call is still going on. Correct its status instead."
NO_FINDING = "The call has no open finding, so there is nothing to attest."


@dataclass(frozen=True)
class Attestable:
    """The first of the calls that are over and have an open finding, how many there are, and what is left out."""

    calls: list[Call]
    count: int
    going_on: int
    without_finding: int

    @property
    def total(self) -> int:
        return self.count + self.going_on + self.without_finding


def precheck_attestation(calls: QuerySet[Call]) -> Attestable:
    """What an attestation could do for each of `calls`. Stores nothing. Raises BulkRefused as `precheck` does."""
    found = selected(calls)
    refusals = refusals_of(found)
    able = [call for call, refusal in zip(found, refusals, strict=True) if not refusal]
    return Attestable(able[:SAMPLE], len(able), refusals.count(NOT_OVER), refusals.count(NO_FINDING))


def refusals_of(calls: Sequence[Call]) -> list[str]:
    """Why each of the calls takes no attestation, in their order; an empty text for those that do."""
    stuck = set(Finding.objects.open().filter(call__in=calls).values_list("call_id", flat=True))
    return [NOT_OVER if call.is_live else "" if call.pk in stuck else NO_FINDING for call in calls]


def left_to_attest(job: BulkJob) -> QuerySet[Call]:
    """The calls that `job` could not put right, that are over by now and still have an open finding."""
    missed = BulkItem.objects.filter(job=job, status__in=(BulkItemStatus.FAILED, BulkItemStatus.REFUSED))
    stuck = Finding.objects.open().filter(call__in=missed.values("call"))
    return Call.objects.over().filter(pk__in=stuck.values("call")).order_by("id")
