"""Whether Microsoft serves our app in a tenant at all: what each answer says of that."""

from datetime import datetime

from recordings import ingest
from recordings.graph.errors import GraphAuthFailed, GraphError, GraphUnauthorized

# Not registered for calling, no consent in the tenant, the token's tenant is not the call's (reference on Graph, S18).
_REFUSALS = ("7503", "7504", "7505")


def note_answer(problem: GraphError | None, *, tenant_id: str, now: datetime) -> None:
    """Note what Graph's answer, or the lack of one, says of the tenant; in the caller's transaction (aware UTC).

    A 401 counts after the token was renewed, so callers leave out the one before.
    """
    if problem is None:
        ingest.note_served(tenant_id, now=now)
    elif is_of_tenant(problem):
        code = problem.code or str(problem.http_status or "")
        ingest.note_blocked(tenant_id, code=code, message=problem.message, now=now)


def is_of_tenant(problem: GraphError) -> bool:
    """Whether the refusal is one of our app in the whole tenant, and lasts until somebody acts."""
    if isinstance(problem, GraphAuthFailed):
        return not problem.can_retry
    return isinstance(problem, GraphUnauthorized) or problem.code in _REFUSALS
