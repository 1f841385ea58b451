"""Rows are locked in one order everywhere, the call first, so that nobody waits in a ring."""

from uuid import UUID

from recordings import ingest
from recordings.models import Call, Operation


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
