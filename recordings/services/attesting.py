"""A person closes a finding that Graph can no longer be told about, with a reason and a piece of evidence."""

from datetime import datetime

from recordings import findings, permissions
from recordings.choices import RootCause
from recordings.models import EvidenceFile, Finding
from recordings.services.handling import closed_already
from recordings.services.locking import working_on
from recordings.services.requester import Requester
from recordings.services.texts import kept

LONGEST_NAME = 255
TOO_LARGE = (
    f"The file is larger than {EvidenceFile.LARGEST_BYTES // 1024**2} MB. Nothing was stored, and the finding was not"
    " changed. Attach a smaller file, or name in words or with a link where the evidence is kept."
)


class CannotAttest(Exception):
    """The finding cannot be closed by an attestation; the text says why. Nothing was changed."""


def attest(
    finding: Finding,
    *,
    by: Requester,
    reason: str,
    root_cause: str,
    evidence: str = "",
    file: tuple[str, bytes] | EvidenceFile | None = None,
    now: datetime,
) -> Finding:
    """Close `finding` on a person's word (`now` aware UTC). Raises NotAllowed, CannotAttest.

    Only for a leg that is over: while it lives, a correction tells the truth to the people on the call. Evidence is a
    text, a link, or a file of at most EvidenceFile.LARGEST_BYTES, given as its name and bytes, or one that is kept
    already.
    """
    by.require(permissions.ATTEST)
    why = kept(reason, what="reason", error=CannotAttest)
    proof = kept(evidence, what="evidence", error=CannotAttest)
    _check_words(why, root_cause, has_proof=bool(proof) or file is not None)
    with working_on(finding, now=now) as locked:
        _check_subject(locked)
        if not locked.is_open:
            raise CannotAttest(closed_already(locked))
        findings.attest(
            locked,
            actor=by.actor,
            reason=why,
            root_cause=root_cause,
            evidence=proof,
            file=_kept_file(file, by=by, now=now),
            now=now,
        )
    return locked


def keep_evidence(name: str, content: bytes, *, by: Requester, now: datetime) -> EvidenceFile:
    """Keep a file that findings can be attested with, with its SHA-256. Raises NotAllowed, CannotAttest.

    Called in the transaction of the attestation: a file that no finding refers to is never shown.
    """
    by.require(permissions.ATTEST)
    if not content:
        raise CannotAttest("The file is empty. Nothing was stored, and the finding was not changed.")
    if len(content) > EvidenceFile.LARGEST_BYTES:
        raise CannotAttest(TOO_LARGE)
    shown = "".join(letter for letter in name if letter.isprintable()).strip() or "file"
    return findings.keep_file(shown[-LONGEST_NAME:], content, actor=by.actor, now=now)


def _kept_file(file: tuple[str, bytes] | EvidenceFile | None, *, by: Requester, now: datetime) -> EvidenceFile | None:
    if file is None or isinstance(file, EvidenceFile):
        return file
    name, content = file
    return keep_evidence(name, content, by=by, now=now)


def _check_words(reason: str, root_cause: str, *, has_proof: bool) -> None:
    if not reason or not has_proof:
        raise CannotAttest("An attestation needs a reason and a piece of evidence. Nothing was changed.")
    if root_cause not in RootCause.values:
        raise CannotAttest("Choose one of the root causes. Nothing was changed.")


def _check_subject(finding: Finding) -> None:
    if finding.call is None:
        what = finding.subject.label.lower()
        raise CannotAttest(
            f"An attestation is for a call that is over; this finding is about a {what}. Close it with its root cause"
            " instead. Nothing was changed."
        )
    if finding.call.is_live:
        raise CannotAttest("The call is still going on. Correct its status instead. Nothing was changed.")
