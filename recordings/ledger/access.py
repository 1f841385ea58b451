"""Who held which role on a day, who was staff or superuser, and what a role allowed, from the ledger's own entries.

Entries say when a role was given and taken, not who holds it. So what is held now is compared with them: what nobody
wrote down, as from a fixture, a migration or a hand in the database, shows as held without an entry.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from django.contrib.auth.models import Group, User
from django.db.models import Q

from recordings.choices import LedgerAction
from recordings.ledger.canonical import Scalar
from recordings.ledger.entries import facts_in
from recordings.ledger.places import places_of
from recordings.models import Actor, LedgerEntry
from recordings.permissions import FLAGS, ROLES

type Pair = tuple[str, str]

_EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Step:
    """The entry a statement rests on; `index` is its place in the tree, None while it is not sealed."""

    entry_id: UUID
    index: int | None
    at: datetime
    by: str


@dataclass(frozen=True)
class Holding:
    """`holder` held `held` from one step to another: a person a role, an account a flag, or a role a right.

    Without `since` no entry says when it began, without `until` none says that it ended. `is_held_now` is what the
    tables say today.
    """

    holder: str
    held: str
    since: Step | None
    until: Step | None
    is_held_now: bool

    @property
    def has_no_entry(self) -> bool:
        """It is so today, and no entry says that it came to be."""
        return self.since is None and self.until is None

    @property
    def is_as_made(self) -> bool:
        """A right that On Record's own migrations gave the role, which leaves no entry."""
        app, _, verb = self.held.partition(".")
        return self.has_no_entry and app == "recordings" and verb in ROLES.get(self.holder, ())

    @property
    def ended_unsaid(self) -> bool:
        """The entries say that it goes on, and the tables do not."""
        return self.until is None and not self.is_held_now

    @property
    def is_unsaid(self) -> bool:
        """The tables say otherwise than the entries, and On Record did not set it up so."""
        return self.ended_unsaid or (self.has_no_entry and not self.is_as_made)

    def touches(self, start: datetime, end: datetime) -> bool:
        return (self.since is None or self.since.at < end) and (self.until is None or self.until.at >= start)


@dataclass(frozen=True)
class AccessReport:
    """Everybody who held a role at any moment of the day `on` (UTC), and the rights of the roles on it.

    `accounts` are those that were superusers or staff, which is no role and opens the admin.

    `began_at` is when the ledger's first entry was recorded: what was so before, nobody can know from it. `unreadable`
    are entries about roles or rights whose text somebody has broken; verification says which and how.
    """

    on: date
    began_at: datetime | None
    roles: Sequence[Holding]
    accounts: Sequence[Holding]
    rights: Sequence[Holding]
    unreadable: Sequence[UUID] = ()

    @property
    def is_before_the_ledger(self) -> bool:
        return self.began_at is None or self.on < self.began_at.astimezone(UTC).date()

    @property
    def all(self) -> list[Holding]:
        return [*self.roles, *self.accounts, *self.rights]

    @property
    def unsaid(self) -> list[Holding]:
        """Where the tables of today say otherwise than the entries."""
        return [each for each in self.all if each.is_unsaid]


@dataclass(frozen=True)
class _Change:
    """One entry: the pair it is about, and whether it was given or taken. `name` is the holder's label then."""

    pair: Pair
    is_held: bool
    step: Step
    name: str


def access_on(day: date) -> AccessReport:
    """The report on one day in UTC. Seven queries, whatever was recorded."""
    start = datetime.combine(day, time.min, tzinfo=UTC)
    actions = (LedgerAction.ROLE_CHANGED, LedgerAction.ACCOUNT_CHANGED, LedgerAction.GROUP_CHANGED)
    entries = list(LedgerEntry.objects.filter(action__in=actions).select_related("actor").order_by("pk"))
    places = places_of([entry.pk for entry in entries])
    told = [_Told(_step(entry, places), entry.action, facts_in(entry)) for entry in entries]
    people = _people(told)
    roles = _holdings(_changes(told, LedgerAction.ROLE_CHANGED, people), _roles_now())
    accounts = _holdings(_changes(told, LedgerAction.ACCOUNT_CHANGED, people), _accounts_now())
    rights = _holdings(_right_changes(told), _rights_now())
    return AccessReport(
        on=day,
        began_at=LedgerEntry.objects.order_by("pk").values_list("recorded_at", flat=True).first(),
        roles=_on(roles, start),
        accounts=_on(accounts, start),
        rights=_on(rights, start),
        unreadable=[each.step.entry_id for each in told if not each.facts],
    )


@dataclass(frozen=True)
class _Told:
    step: Step
    action: str
    facts: Mapping[str, Scalar]


def _people(told: Iterable[_Told]) -> Mapping[object, Actor]:
    """Whose roles and flags the entries tell of, by the number they are named with."""
    return Actor.objects.in_bulk({number for each in told if isinstance(number := each.facts.get("subject"), int)})


def _changes(told: Iterable[_Told], action: LedgerAction, people: Mapping[object, Actor]) -> list[_Change]:
    """By the user's key, since a person who gets another name stays who they are."""
    wanted = (each for each in told if each.facts and each.action == action)
    return [_change(each, people.get(each.facts.get("subject"))) for each in wanted]


def _change(told: _Told, subject: Actor | None) -> _Change:
    number = f"actor {told.facts.get('subject')}"
    held = told.facts.get("role") or _said_of(told.facts.get("flag"))
    pair = (subject.subject_id if subject else number, str(held))
    return _Change(pair, told.facts.get("is_held") is True, told.step, subject.label if subject else number)


def _right_changes(told: Iterable[_Told]) -> list[_Change]:
    of_rights = [each for each in told if each.facts and each.action == LedgerAction.GROUP_CHANGED]
    return [
        _Change((role, str(each.facts.get("right"))), each.facts.get("is_held") is True, each.step, role)
        for each in of_rights
        for role in [str(each.facts.get("role"))]
    ]


def _step(entry: LedgerEntry, places: Mapping[UUID, int]) -> Step:
    return Step(entry.pk, places.get(entry.pk), entry.recorded_at, entry.actor.label)


def _roles_now() -> dict[Pair, str]:
    """What is held now, with the holder's name. A disabled account holds nothing, as its entries say."""
    held = User.groups.through.objects.filter(user__is_active=True)
    named = held.values_list("user_id", "user__username", "group__name")
    return {(str(user), role): username for user, username, role in named}


def _accounts_now() -> dict[Pair, str]:
    """Who is superuser or staff now. A disabled account is neither."""
    chosen = User.objects.filter(Q(is_superuser=True) | Q(is_staff=True), is_active=True)
    held = [(user, flag) for user in chosen for flag in FLAGS if getattr(user, flag)]
    return {(str(user.pk), _said_of(flag)): user.get_username() for user, flag in held}


def _said_of(flag: object) -> str:
    """superuser or staff."""
    return str(flag).removeprefix("is_")


def _rights_now() -> dict[Pair, str]:
    held = Group.permissions.through.objects.values_list(
        "group__name", "permission__content_type__app_label", "permission__codename"
    )
    return {(role, f"{app}.{codename}"): role for role, app, codename in held}


def _holdings(changes: Iterable[_Change], held_now: Mapping[Pair, str]) -> list[Holding]:
    """Every stretch of time for which the entries, or the tables of now, say that something was held."""
    by_pair: dict[Pair, list[_Change]] = defaultdict(list)
    for change in changes:
        by_pair[change.pair].append(change)
    holdings: list[Holding] = []
    for pair in {**by_pair, **dict.fromkeys(held_now)}:
        holdings += _stretches(pair, by_pair[pair], now_name=held_now.get(pair))
    return sorted(
        holdings, key=lambda each: (each.holder.casefold(), each.held, each.since.at if each.since else _EVER)
    )


def _stretches(pair: Pair, changes: Sequence[_Change], *, now_name: str | None) -> list[Holding]:
    """In the order of the entries. What was given twice began the first time; what was taken unasked had begun."""
    found: list[Holding] = []
    is_held_now = now_name is not None
    since: _Change | None = None
    for change in changes:
        if change.is_held:
            since = since or change
            continue
        found.append(Holding(change.name, pair[1], since.step if since else None, change.step, is_held_now))
        since = None
    if since:
        found.append(Holding(since.name, pair[1], since.step, None, is_held_now))
    elif is_held_now:
        found.append(Holding(now_name or "", pair[1], None, None, is_held_now))
    return found


def _on(holdings: Iterable[Holding], start: datetime) -> list[Holding]:
    """Those that touch the day. A role taken at its very first moment was not held on it any more, but is told of."""
    return [each for each in holdings if each.touches(start, start + timedelta(days=1))]
