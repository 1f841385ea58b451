"""manage.py forget_person: a name goes, and everything that was done stays provable."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.management.base import CommandError

from recordings import exports, ledger, services
from recordings.choices import ExportFormat, ExportSheet, ExportStatus
from recordings.exports.jobs.claiming import LeaseLost, claim, finish, store_part
from recordings.models import Actor, Call, Export, ExportPart, LedgerEntry
from recordings.models.people import ERASED
from recordings.services import Requester
from tests import cast, ledgers
from tests.commands.running import run
from tests.pages import calls_cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def now() -> datetime:
    """Verification holds the time in each entry's key, which is the real one, against what the entry says."""
    return datetime.now(UTC)


@pytest.fixture
def dana(now: datetime) -> Call:
    """A call of Dana's, who has an id, that names her in its title, too."""
    call = cast.call(at=now, told="recording", ended_at=now)
    Call.objects.filter(pk=call.pk).update(
        recorded_user_id="user-dana", recorded_user_name="Dana Kessler", subject="1:1 with dana kessler"
    )
    call.refresh_from_db()
    return call


@pytest.fixture
def left(mira: User, now: datetime) -> User:
    """Mira, who attested something, and whose account is disabled."""
    ended = calls_cast.told_after_end(now=now)
    services.attest(ended, by=Requester.at_screen(mira), reason="seen", root_cause="network", evidence="log", now=now)
    Actor.objects.shell(mira)
    content_type = ContentType.objects.get_for_model(User)
    LogEntry.objects.create(
        user=mira, content_type=content_type, object_id=str(mira.pk), object_repr="mira", action_flag=CHANGE
    )
    mira.is_active = False
    mira.save()
    return mira


def export_of(by: User, now: datetime, sentence: str = "") -> Export:
    export = Export.objects.create(
        status=ExportStatus.READY,
        sheet=ExportSheet.CALLS,
        format=ExportFormat.EXACT,
        reason="x",
        query="q=Dana+Kessler",
        sentence=sentence,
        requested_by=Actor.objects.person(by),
        requested_at=now,
        expires_after=now,
    )
    ExportPart.objects.create(export=export, number=0, content=b"Dana Kessler")
    return export


def everything_altered(now: datetime) -> list[str]:
    """What verification alarms of, with all that there is under a seal."""
    ledger.seal(now, key=ledgers.signing_key())
    _, report = ledger.verify_now(Actor.objects.job("test"), clock=lambda: now)
    assert report.checked
    return [str(alarm) for alarm in report.alarms]


def test_without_apply_it_only_says_what_it_would_do(dana: Call) -> None:
    said = run("forget_person", "--called", "user-dana").out
    assert "1 as the recorded person" in said
    assert "1 in titles" in said
    assert "Nothing was changed." in said
    dana.refresh_from_db()
    assert dana.recorded_user_name == "Dana Kessler"
    assert not LedgerEntry.objects.filter(action="person.forgotten").exists()


@pytest.mark.parametrize("person", ["user-dana", "USER-DANA", "Dana Kessler", "dana kessler"])
def test_a_called_persons_name_goes_and_the_id_stays(person: str, dana: Call) -> None:
    run("forget_person", "--called", person, "--apply")
    dana.refresh_from_db()
    assert (dana.recorded_user_id, dana.recorded_user_name, dana.subject) == ("user-dana", ERASED, ERASED)


def test_the_entry_says_that_a_name_was_erased_and_not_which(dana: Call) -> None:
    run("forget_person", "--called", "user-dana", "--apply")
    entry = LedgerEntry.objects.get(action="person.forgotten")
    assert ledger.body_of(entry).items() >= {"kind": "called", "rows": 2}.items()
    assert "dana" not in entry.body.lower()


def test_who_is_not_known_is_refused(dana: Call) -> None:
    with pytest.raises(CommandError, match=r"No call names this person.*Nothing was changed"):
        run("forget_person", "--called", "user-omar", "--apply")


def test_files_that_may_hold_the_name_are_gone(dana: Call, ada: User, now: datetime) -> None:
    export = export_of(ada, now, sentence="Calls with Dana Kessler")
    run("forget_person", "--called", "user-dana", "--apply")
    export.refresh_from_db()
    assert (export.status, export.query, export.sentence) == (ExportStatus.EXPIRED, "", ERASED)
    assert not ExportPart.objects.exists()
    assert LedgerEntry.objects.filter(action="export.expired").count() == 1


def asked(by: User, now: datetime, **words: Any) -> Export:
    wanted = exports.Wanted(ExportSheet.CALLS, ExportFormat.EXACT, "the auditor asked", **words)
    return exports.request_export(wanted, actor=Actor.objects.person(by), user=by, now=now)


NAMED = {"query": "q=Dana+Kessler", "sentence": "Search: Dana Kessler"}


def test_an_export_that_is_made_meanwhile_does_not_bring_the_name_back(dana: Call, ada: User, now: datetime) -> None:
    export = asked(ada, now, **NAMED)
    running = claim(now)
    assert running == export
    store_part(running, 0, b"Dana Kessler", now=now)
    said = run("forget_person", "--called", "user-dana", "--apply").out
    assert "1 exports were under way." in said
    with pytest.raises(LeaseLost):
        finish(running, size=12, sha256="x", now=now)
    export.refresh_from_db()
    assert (export.status, export.query, export.sentence) == (ExportStatus.FAILED, "", ERASED)
    assert not ExportPart.objects.exists()
    assert claim(now) is None, "without its filter it would be an export of every call"


def test_an_export_of_other_rows_is_made_anew(dana: Call, ada: User, now: datetime) -> None:
    """It may have read the name already."""
    waiting, export = asked(ada, now, query="told=recording"), asked(ada, now)
    Export.objects.filter(pk=waiting.pk).update(requested_at=now + timedelta(seconds=1))
    running = claim(now)
    assert running == export
    store_part(running, 0, b"Dana Kessler", now=now)
    run("forget_person", "--called", "user-dana", "--apply")
    with pytest.raises(LeaseLost):
        store_part(running, 1, b"Dana Kessler", now=now)
    assert not ExportPart.objects.exists()
    assert list(Export.objects.values_list("status", "tries", "leased_until")) == [(ExportStatus.WAITING, 0, None)] * 2
    assert claim(now) == export


def test_what_a_worker_holds_of_an_export_does_not_overwrite_what_was_asked(
    dana: Call, ada: User, now: datetime
) -> None:
    asked(ada, now, **NAMED)
    running = claim(now)
    assert running
    Export.objects.update(query="", sentence=ERASED)
    finish(running, size=1, sha256="x", now=now)
    export = Export.objects.get()
    assert (export.status, export.query, export.sentence) == (ExportStatus.READY, "", ERASED)


@pytest.mark.parametrize("person", ["user-dana", "Dana Kessler"])
def test_a_second_run_looks_after_exports_alone(dana: Call, ada: User, now: datetime, person: str) -> None:
    run("forget_person", "--called", "user-dana", "--apply")
    export = export_of(ada, now, sentence=f"Calls with {person}")
    assert "Nothing names this person" in run("forget_person", "--called", person).out
    said = run("forget_person", "--called", person, "--apply").out
    assert "Nothing names this person, so no name is erased" in said
    export.refresh_from_db()
    assert (export.status, export.sentence) == (ExportStatus.EXPIRED, ERASED)


def test_a_second_run_for_a_user_looks_after_exports_alone(left: User, ada: User, now: datetime) -> None:
    run("forget_person", "--user", "mira", "--apply")
    export = export_of(ada, now, sentence="Asked by: mira")
    said = run("forget_person", "--user", "mira", "--apply").out
    assert "Nothing names this person, so no name is erased" in said
    export.refresh_from_db()
    assert (export.status, export.sentence) == (ExportStatus.EXPIRED, ERASED)


def test_nobody_elses_name_goes(dana: Call, now: datetime) -> None:
    other = cast.call("call-2", at=now)
    Call.objects.filter(pk=other.pk).update(recorded_user_id="user-omar", recorded_user_name="Omar Ruiz")
    before = Call.objects.filter(pk=other.pk).values().get()
    run("forget_person", "--called", "user-dana", "--apply")
    assert Call.objects.filter(pk=other.pk).values().get() == before


def test_a_users_name_goes_from_every_label_and_the_account(left: User) -> None:
    run("forget_person", "--user", "mira", "--apply")
    left.refresh_from_db()
    assert (left.username, left.email, left.has_usable_password()) == (f"erased-{left.pk}", "", False)
    labels = Actor.objects.filter(subject_id=str(left.pk)).exclude(kind="recorder").values_list("pk", "kind", "label")
    assert {kind for _, kind, _ in labels} == {"person", "shell"}
    assert all(label == f"{ERASED} {pk}" for pk, _, label in labels)
    assert LogEntry.objects.get().object_repr == ERASED


def test_the_tree_stays_whole_and_every_record_still_fits(left: User, dana: Call, now: datetime) -> None:
    ledger.seal(now, key=ledgers.signing_key())
    bodies = list(LedgerEntry.objects.order_by("id").values_list("body", flat=True))
    run("forget_person", "--user", "mira", "--apply")
    run("forget_person", "--called", "user-dana", "--apply")
    assert list(LedgerEntry.objects.order_by("id").values_list("body", flat=True))[: len(bodies)] == bodies
    assert everything_altered(now) == []


def test_an_account_that_is_enabled_is_refused(mira: User) -> None:
    with pytest.raises(CommandError, match=r"Disable it first.*Nothing was changed"):
        run("forget_person", "--user", "mira", "--apply")
    with pytest.raises(CommandError, match="no user of this name"):
        run("forget_person", "--user", "nobody", "--apply")


def test_who_was_renamed_is_found_by_the_old_name_too(left: User) -> None:
    User.objects.filter(pk=left.pk).update(username="mira.new")
    run("forget_person", "--user", "mira", "--apply")
    left.refresh_from_db()
    assert left.username == f"erased-{left.pk}"
