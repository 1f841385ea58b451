"""A person closes a finding that Graph can no longer be told about, with a reason and a piece of evidence."""

from datetime import datetime

from django.db import transaction

from recordings import findings, ingest, permissions
from recordings.models import Finding
from recordings.services.requester import Requester
from recordings.services.texts import kept


class CannotAttest(Exception):
    """The finding cannot be closed by an attestation; the text says why. Nothing was changed."""


def attest(finding: Finding, *, by: Requester, reason: str, root_cause: str, evidence: str, now: datetime) -> Finding:
    """Close `finding` on a person's word (`now` aware UTC). Raises NotAllowed, CannotAttest.

    Only for a leg that is over: while it lives, a correction tells the truth to the people on the call.
    """
    by.require(permissions.ATTEST)
    why = kept(reason, what="reason", error=CannotAttest)
    proof = kept(evidence, what="evidence", error=CannotAttest)
    if not why or not proof:
        raise CannotAttest("An attestation needs a reason and a piece of evidence.")
    with transaction.atomic():
        call = ingest.locked_call(finding.call.graph_id) if finding.call else None
        locked = Finding.objects.select_for_update().select_related("call").get(pk=finding.pk)
        if call is None or call.is_live:
            raise CannotAttest("The call is still going on. Correct its status instead.")
        if not locked.is_open:
            raise CannotAttest("This finding is closed already.")
        findings.attest(locked, actor=by.actor, reason=why, root_cause=root_cause, evidence=proof, now=now)
        ingest.reschedule(call, now=now)
    return locked
