"""Everything the page of one finding shows: what it says, every step so far, and the forms for the next ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from django import forms
from django.contrib.auth.models import User
from django.db.models import QuerySet

from recordings import ingest, permissions
from recordings.choices import FINDING_ACTIONS, SETTLED_BY_PERSON, LedgerAction, Look, Resolution, RootCause, look
from recordings.forms import AssignForm, CommentForm, ResolveForm, SnoozeForm
from recordings.ledger import facts_in
from recordings.models import Actor, Finding, LedgerEntry
from recordings.rules import Explained
from recordings.services.handling import LONGEST_SNOOZE

# As the changes and corrections on the page of a call.
MOST_STEPS = 200
NOBODY = "-"


@dataclass(frozen=True)
class Step:
    """One entry of the ledger about the finding: who did what when, and in what words."""

    did: Look
    who: str
    at: datetime
    words: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Forms:
    """The forms of the page; one that was refused comes back as it was filled in."""

    assign: forms.Form = field(default_factory=AssignForm)
    comment: forms.Form = field(default_factory=CommentForm)
    snooze: forms.Form = field(default_factory=SnoozeForm)
    resolve: forms.Form = field(default_factory=ResolveForm)


@dataclass(frozen=True)
class FindingPage:
    finding: Finding
    explained: Explained | None
    steps: Sequence[Step]
    has_more_steps: bool
    forms: Forms
    now: datetime
    refusal: str = ""

    @property
    def is_asleep(self) -> bool:
        return self.finding.is_open and self.finding.is_asleep(self.now)

    @property
    def only_attestation(self) -> bool:
        """Whether a person's word with evidence is what is left: the call is over, so Teams cannot be told."""
        call = self.finding.call
        return self.finding.is_open and call is not None and not call.is_live

    @property
    def can_explain(self) -> bool:
        """Whether it closed by itself, so that only its cause can be named."""
        return not self.finding.is_open and self.finding.resolution not in SETTLED_BY_PERSON

    @property
    def can_correct(self) -> bool:
        """Whether telling Teams the truth could close it."""
        return bool(self.finding.call and self.explained and self.explained.graph_can_act)

    @property
    def people(self) -> QuerySet[User]:
        return permissions.people_who_may(permissions.HANDLE)

    @property
    def chosen_cause(self) -> str:
        """The cause as it was sent, or as it stands."""
        chosen: str = self.forms.resolve["root_cause"].value() if self.forms.resolve.is_bound else ""
        return chosen or self.finding.root_cause

    @property
    def seen_assignee(self) -> str:
        return seen_assignee(self.finding)

    @property
    def seen_snooze(self) -> str:
        return seen_snooze(self.finding)

    @property
    def seen_cause(self) -> str:
        return seen_cause(self.finding)

    @property
    def evidence_link(self) -> str:
        return link_in(self.finding.evidence)

    @property
    def latest_snooze(self) -> datetime:
        return self.now + LONGEST_SNOOZE


def finding_page(finding: Finding, *, now: datetime, forms: Forms | None = None, refusal: str = "") -> FindingPage:
    """Read what is known of `finding` now; `forms` and `refusal` belong to a step that was refused."""
    steps = _steps(finding)
    return FindingPage(
        finding=finding,
        explained=_explained(finding, now=now),
        steps=steps[:MOST_STEPS],
        has_more_steps=len(steps) > MOST_STEPS,
        forms=forms or Forms(),
        now=now,
        refusal=refusal,
    )


def _explained(finding: Finding, *, now: datetime) -> Explained | None:
    """The words of an open finding; of a closed one the facts say something else by now."""
    if not finding.is_open:
        return None
    facts = ingest.facts_of(finding.call) if finding.call else finding.facts()
    return finding.explained(facts, now=now)


def _steps(finding: Finding) -> list[Step]:
    """The latest steps, newest first, and one more to know whether there are older ones."""
    entries = LedgerEntry.objects.filter(finding=finding, action__in=FINDING_ACTIONS).select_related("actor")
    latest = list(entries.order_by("-pk")[: MOST_STEPS + 1])
    bodies = [facts_in(entry) for entry in latest]
    assigned = {key for body in bodies if isinstance(key := body.get("assignee"), int)}
    names = {actor.pk: actor.label for actor in Actor.objects.filter(pk__in=assigned)} if assigned else {}
    return [_step(entry, body, names) for entry, body in zip(latest, bodies, strict=True)]


def _step(entry: LedgerEntry, body: Mapping[str, object], names: Mapping[int, str]) -> Step:
    said = [(label, str(body[name])) for name, label in _SAID.items() if body.get(name)]
    words = [*_about(entry, body, names), *said]
    return Step(_did(entry, body), entry.actor.label, entry.recorded_at, words)


_SAID = {"reason": "", "evidence": "Evidence", "file_sha256": "SHA-256 of the file"}


def _did(entry: LedgerEntry, body: Mapping[str, object]) -> Look:
    is_woken = entry.action == LedgerAction.FINDING_SNOOZED and not body.get("wakes_after")
    shown = entry.action_look
    return Look(shown.value, "Finding woken", shown.tone, shown.icon) if is_woken else shown


def _about(entry: LedgerEntry, body: Mapping[str, object], names: Mapping[int, str]) -> list[tuple[str, str]]:
    """The facts of a step that are no free words."""
    words: list[tuple[str, str]] = []
    if entry.action == LedgerAction.FINDING_ASSIGNED:
        assignee = body.get("assignee")
        words.append(("To", names.get(assignee, "somebody") if isinstance(assignee, int) else "nobody"))
    if body.get("wakes_after"):
        words.append(("Until", f"{datetime.fromisoformat(str(body['wakes_after'])):%Y-%m-%d %H:%M} UTC"))
    if body.get("resolution"):
        words.append(("How", look(Resolution, str(body["resolution"])).label))
    if body.get("root_cause"):
        words.append(("Cause", look(RootCause, str(body["root_cause"])).label))
    return words


def link_in(evidence: str) -> str:
    """`evidence` if it is an http(s) address and nothing else; an empty text for any other words."""
    try:
        parts = urlsplit(evidence)
    except ValueError:
        return ""
    is_link = parts.scheme in ("http", "https") and parts.netloc and not any(map(str.isspace, evidence))
    return evidence if is_link else ""


def seen_assignee(finding: Finding) -> str:
    """What a form carries of the assignee it was filled in for."""
    return finding.assignee.get_username() if finding.assignee else NOBODY


def seen_snooze(finding: Finding) -> str:
    return finding.wakes_after.isoformat() if finding.wakes_after else NOBODY


def seen_cause(finding: Finding) -> str:
    return finding.root_cause or NOBODY
