"""Rows are locked in one order everywhere, the call first, so that nobody waits in a ring."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from django.db import transaction

from recordings import ingest
from recordings.models import Call, Finding, Operation, Recorder, Tenant


def lock_call(call: Call) -> Call:
    locked = ingest.locked_call(call.graph_id)
    if locked is None:
        raise LookupError(f"call {call.graph_id} is no longer stored")
    return locked


def lock_both(key: UUID) -> tuple[Call, Operation]:
    """The call of operation `key`, then the operation itself."""
    call = lock_call(Operation.objects.select_related("call").get(pk=key).call)
    operation = Operation.objects.select_for_update(of=("self",)).select_related("requested_by").get(pk=key)
    operation.call = call
    return call, operation


def lock_many(keys: Collection[UUID]) -> dict[UUID, Operation]:
    """The operations of these keys, after all of their calls; both in one order."""
    names = Operation.objects.filter(pk__in=keys).values_list("call__graph_id", flat=True)
    calls = {call.pk: call for call in ingest.locked_calls(set(names))}
    locked = Operation.objects.select_for_update(of=("self",)).filter(pk__in=keys).order_by("pk")
    operations = {operation.pk: operation for operation in locked}
    for operation in operations.values():
        operation.call = calls[operation.call_id]
    return operations


@contextmanager
def working_on(finding: Finding, *, now: datetime) -> Iterator[Finding]:
    """The finding's row in a transaction, its subject locked before it, as the sweep does.

    Afterwards the moment at which the sweep must look at the subject is written anew (`now` aware UTC).
    """
    with transaction.atomic():
        call = lock_call(finding.call) if finding.call else None
        recorder = _locked_recorder(finding.recorder)
        tenant = _locked_tenant(finding.tenant)
        related = ("acknowledged_by", "assignee", "resolved_by")
        locked = Finding.objects.select_for_update(of=("self",)).select_related(*related).get(pk=finding.pk)
        locked.call, locked.recorder, locked.tenant = call, recorder, tenant
        yield locked
        if call:
            ingest.reschedule(call, now=now)
        if recorder:
            ingest.reschedule_recorder(recorder, now=now)
        if tenant:
            ingest.reschedule_tenant(tenant, now=now)


def _locked_recorder(recorder: Recorder | None) -> Recorder | None:
    return Recorder.objects.select_for_update().get(pk=recorder.pk) if recorder else None


def _locked_tenant(tenant: Tenant | None) -> Tenant | None:
    return Tenant.objects.select_for_update().get(pk=tenant.pk) if tenant else None
