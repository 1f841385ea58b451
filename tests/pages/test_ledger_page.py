"""The ledger's pages: what was recorded, what is sealed and witnessed, and the proof of each entry."""

import base64
import hashlib
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from recordings import ledger, services
from recordings.choices import Alarm, LedgerAction, VerificationStatus
from recordings.ledger import checkpoint, tree
from recordings.ledger.keys import SigningKey, key_from
from recordings.models import Actor, LeafBatch, LedgerEntry, Reading, Seal, Verification
from tests import cast
from tests.ledgers import interrupt_a_verification
from tests.owning import switch_triggers_off
from tests.pages.conftest import HTMX
from tests.pages.corrections import completed

pytestmark = pytest.mark.django_db

URL = "/ledger/"
NAME = "onrecord.local/ledger"
NOBODYS = UUID("0199a000-0000-7000-8000-000000000000")


@pytest.fixture(autouse=True)
def _read_before(ada: User) -> None:
    """Ada has read the history in this hour, so that reading it here adds no entry to what she reads."""
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    for hour_at in (hour, hour + timedelta(hours=1)):
        Reading.objects.create(actor=Actor.objects.person(ada), hour_at=hour_at)


@pytest.fixture
def key() -> SigningKey:
    return key_from(Ed25519PrivateKey.from_private_bytes(b"\7" * 32), name=NAME)


@pytest.fixture
def sealed(key: SigningKey, mira: User) -> Seal:
    """A call that was corrected, and everything about it under one seal."""
    completed(cast.call("call-1", at=timezone.now()), by=mira, now=timezone.now())
    seal = ledger.seal(timezone.now(), key=key)
    assert seal
    return seal


def text_of(client: Client, url: str = URL, status: int = 200) -> str:
    response = client.get(url)
    assert response.status_code == status
    return " ".join(response.content.decode().split())


def shown(client: Client, query: str) -> list[LedgerEntry]:
    return [row.entry for row in client.get(f"{URL}{query}").context["page"].rows]


def entries() -> list[LedgerEntry]:
    return list(LedgerEntry.objects.order_by("-pk"))


def recorded(count: int, by: User) -> None:
    """So many entries more."""
    actor = Actor.objects.person(by)
    with transaction.atomic():
        for number in range(count):
            ledger.record(LedgerAction.HISTORY_READ, actor=actor, now=timezone.now(), filter=f"page={number}")


# -- who may


@pytest.mark.parametrize(
    "url",
    [
        URL,
        "/ledger/checkpoint",
        "/ledger/seals/",
        "/ledger/seals/1/",
        f"/ledger/{NOBODYS}/",
        f"/ledger/{NOBODYS}/proof",
    ],
)
def test_a_stranger_signs_in_and_a_person_without_a_role_is_refused(client: Client, sam: User, url: str) -> None:
    assert client.get(url).headers["Location"] == f"{reverse('login')}?next={url}"
    client.force_login(sam)
    assert client.get(url).status_code == 403


def test_every_role_finds_the_ledger_in_the_navigation(client: Client, ada: User) -> None:
    client.force_login(ada)
    page = text_of(client)
    assert f'<a href="{URL}" aria-current="page">' in page


# -- the head


def test_before_the_first_seal_the_page_says_that_nothing_is_protected(client: Client, ada: User) -> None:
    client.force_login(ada)
    page = text_of(client)
    assert "Nothing is sealed yet" in page
    assert (
        "No witness holds a checkpoint, so whoever owns the database and the key can alter every entry unseen" in page
    )
    assert "This ledger was never verified." in page
    assert text_of(client, "/ledger/checkpoint", status=404).startswith("Nothing is sealed yet")


def test_the_head_names_size_root_key_and_what_waits(client: Client, ada: User, sealed: Seal, key: SigningKey) -> None:
    client.force_login(ada)
    page = text_of(client)
    assert f"{sealed.size} entries sealed" in page
    assert "2 newer entries wait for the next seal" in page  # the key's first use, and ada's sign-in
    assert bytes(sealed.root_hash).hex()[:8] in page
    assert key.fingerprint[:8] in page
    assert f'data-copy="{ledger.verifier_key(NAME, key.public_key)}"' in page
    assert NAME in page


def test_witnessed_until_is_said_with_what_it_means(
    client: Client, ada: User, sealed: Seal, settings: Settings, tmp_path: Path
) -> None:
    client.force_login(ada)
    settings.LEDGER_WITNESSES = [f"file://{tmp_path}"]
    services.hand_to_witnesses(timezone.now())
    page = text_of(client)
    assert "Entries younger than the last witnessed seal can be altered unseen" in page
    assert "By witnesses on this machine only" in page
    settings.LEDGER_WITNESSES = [f"file://worm.contoso.example{tmp_path}"]
    services.hand_to_witnesses(timezone.now())
    page = text_of(client)
    assert "By witnesses on this machine only" not in page
    assert f"file://worm.contoso.example{tmp_path}" in page


def test_a_witness_that_is_away_or_disagrees_is_shown(
    client: Client, ada: User, sealed: Seal, settings: Settings, tmp_path: Path
) -> None:
    client.force_login(ada)
    (tmp_path / f"{sealed.size}.checkpoint").write_text("something else")
    settings.LEDGER_WITNESSES = [f"file://{tmp_path}", f"file://{tmp_path}/absent"]
    services.hand_to_witnesses(timezone.now())
    page = text_of(client)
    assert f"The witness file://{tmp_path} holds something else than this ledger." in page
    assert f"It holds something else under {sealed.size}.checkpoint." in page
    assert f"The witness file://{tmp_path}/absent takes no checkpoints." in page
    assert "No such file or directory" in page


# -- the list


def test_a_row_says_what_who_about_what_and_where_it_stands(
    client: Client, ada: User, mira: User, sealed: Seal
) -> None:
    client.force_login(ada)
    page = text_of(client)
    requested = LedgerEntry.objects.get(action="correction.requested")
    number = ledger.places_of([requested.pk])[requested.pk]
    assert f"No. {number}" in page
    assert "Not sealed yet" in page
    for words in ("Correction requested", "mira", "the desk checked", "Signed in"):
        assert words in page
    assert reverse("call_detail", args=["call-1"]) in page
    assert f"{reverse('call_detail', args=['call-1'])}#op-{requested.operation_id}" in page
    assert "&quot;action&quot;:&quot;correction.requested&quot;" in page


def test_a_role_is_told_by_the_name_of_who_got_it(client: Client, ada: User) -> None:
    client.force_login(ada)
    assert "Auditor given to ada" in text_of(client, f"{URL}?action=role.changed")
    assert "ada is staff" in text_of(client, f"{URL}?action=account.changed")


def test_the_pages_lead_there_and_back_without_a_gap(client: Client, ada: User) -> None:
    recorded(130, ada)
    client.force_login(ada)
    first = client.get(URL)
    second = client.get(first.context["older_url"])
    third = client.get(second.context["older_url"])
    seen = [row.entry for page in (first, second, third) for row in page.context["page"].rows]
    assert seen == entries()
    assert third.context["older_url"] == ""
    assert first.context["newer_url"] == ""
    back = client.get(third.context["newer_url"])
    assert [row.entry for row in back.context["page"].rows] == [row.entry for row in second.context["page"].rows]
    top = client.get(back.context["newer_url"])
    assert [row.entry for row in top.context["page"].rows] == [row.entry for row in first.context["page"].rows]
    assert top.context["newer_url"] == ""


def test_the_filter_stands_in_the_address_and_goes_along(client: Client, ada: User, mira: User, sealed: Seal) -> None:
    recorded(60, ada)
    client.force_login(ada)
    today = f"{timezone.now():%Y-%m-%d}"
    assert {entry.action for entry in shown(client, "?action=history.read")} == {"history.read"}
    assert {entry.actor.label for entry in shown(client, "?actor=mira")} == {"mira"}
    assert {entry.call and entry.call.graph_id for entry in shown(client, "?call=call-1")} == {"call-1"}
    assert shown(client, "?call=call-2") == []
    assert {entry.actor.label for entry in shown(client, "?actor=MIR")} == {"mira"}, "a part of a name will do"
    assert shown(client, "?actor=nobody") == []
    assert len(shown(client, f"?from={today}&to={today}")) == 50
    assert shown(client, "?from=2020-01-01&to=2020-01-02") == []
    older = client.get(f"{URL}?action=history.read").context["older_url"]
    assert "action=history.read" in older
    assert len(client.get(older).context["page"].rows) == 10


@pytest.mark.parametrize("query", ["?from=0001-01-01", "?to=9999-12-31", "?from=1960-01-01&to=9999-12-31"])
def test_days_outside_of_all_time_are_days_as_well(client: Client, ada: User, query: str) -> None:
    client.force_login(ada)
    assert shown(client, query) == entries()


@pytest.mark.parametrize(
    "query", ["?before=nonsense", "?after=nonsense", "?from=yesterday", "?action=nonsense", "?at=%00", "?actor=%00"]
)
def test_what_is_not_understood_breaks_nothing(client: Client, ada: User, query: str) -> None:
    client.force_login(ada)
    assert client.get(f"{URL}{query}").status_code == 200


def test_htmx_gets_the_list_alone(client: Client, ada: User) -> None:
    client.force_login(ada)
    page = " ".join(client.get(URL, headers=HTMX).content.decode().split())
    assert page.startswith('<div class="stack" id="ledger-page">')
    assert "<html" not in page


# -- going to an entry


def test_a_number_or_an_id_leads_to_the_page_that_begins_with_it(client: Client, ada: User, sealed: Seal) -> None:
    client.force_login(ada)
    wanted = LedgerEntry.objects.order_by("pk")[2]
    assert ledger.places_of([wanted.pk])[wanted.pk] == 2
    for place in ("2", " 2 ", str(wanted.pk)):
        assert shown(client, f"?at={place}")[0] == wanted
    assert f'<tr role="row" id="entry-{wanted.pk}" class="sought">' in text_of(client, f"{URL}?at=2")
    newest = entries()[0]
    assert newest.pk not in ledger.places_of([newest.pk])
    assert shown(client, f"?at={newest.pk}")[0] == newest


@pytest.mark.parametrize("place", ["99", "-1", "1e3", "²", "9" * 30, str(NOBODYS), "<b>"])
def test_a_number_nobody_has_is_said_so(client: Client, ada: User, sealed: Seal, place: str) -> None:
    client.force_login(ada)
    answer = client.get(URL, {"at": place})
    assert answer.status_code == 200
    assert "No entry here has the number or the id" in answer.content.decode()
    assert [row.entry for row in answer.context["page"].rows] == entries()


def test_a_number_is_found_in_every_batch_of_leaves(client: Client, ada: User, sealed: Seal, key: SigningKey) -> None:
    recorded(3, ada)
    ledger.seal(timezone.now(), key=key)
    assert LeafBatch.objects.count() > 1
    client.force_login(ada)
    for entry, index in ledger.places_of(LedgerEntry.objects.values_list("pk", flat=True)).items():
        assert shown(client, f"?at={index}")[0].pk == entry


def test_the_search_box_takes_the_id_of_an_entry(client: Client, ada: User, sealed: Seal) -> None:
    client.force_login(ada)
    entry = entries()[3]
    where = client.get(reverse("find"), {"q": str(entry.pk)}).headers["Location"]
    assert where == f"{URL}?at={entry.pk}#entry-{entry.pk}"


# -- one entry


def test_an_entry_shows_its_text_to_the_byte(client: Client, ada: User, sealed: Seal) -> None:
    client.force_login(ada)
    entry = LedgerEntry.objects.get(action="correction.requested")
    body = client.get(f"/ledger/{entry.pk}/body")
    assert body.content == entry.body.encode()
    assert body.headers["Content-Disposition"] == f'attachment; filename="{entry.pk}.json"'
    page = text_of(client, f"/ledger/{entry.pk}/")
    assert hashlib.sha256(b"\0" + entry.body.encode()).hexdigest()[:8] in page
    assert "It leads to the root that was signed" in page


def test_the_proof_is_a_file_anybody_can_check(client: Client, ada: User, sealed: Seal) -> None:
    client.force_login(ada)
    entry = LedgerEntry.objects.get(action="correction.requested")
    proof = client.get(f"/ledger/{entry.pk}/proof")
    assert proof.headers["Content-Type"] == "text/plain; charset=utf-8"
    head, _, checkpoint = proof.content.decode().partition("\n\n")
    form, index, *path = head.split("\n")
    assert form == "c2sp.org/tlog-proof@v1"
    assert checkpoint == sealed.checkpoint
    size, root = checkpoint.split("\n")[1:3]
    leaf = tree.leaf_hash(client.get(f"/ledger/{entry.pk}/body").content)
    hashes = [base64.b64decode(each) for each in path]
    number = int(index.removeprefix("index "))
    assert tree.verify_inclusion(leaf, number, int(size), hashes, base64.b64decode(root))


def test_an_entry_that_is_not_sealed_has_no_proof_yet(client: Client, ada: User) -> None:
    client.force_login(ada)
    entry = entries()[0]
    assert "Until then it can be altered unseen" in text_of(client, f"/ledger/{entry.pk}/")
    assert "not sealed yet" in text_of(client, f"/ledger/{entry.pk}/proof", status=404)


def test_an_entry_that_does_not_exist_is_not_found(client: Client, ada: User) -> None:
    client.force_login(ada)
    for tail in ("", "body", "proof"):
        assert client.get(f"/ledger/{NOBODYS}/{tail}").status_code == 404


@pytest.mark.parametrize("forged", ['{"v":1}', "[]", "nonsense", "[" * 100_000, '{"v":[1]}', '{"v":"\\ud800"}'])
def test_an_altered_entry_is_shown_and_its_proof_fails(client: Client, ada: User, sealed: Seal, forged: str) -> None:
    client.force_login(ada)
    entry = LedgerEntry.objects.get(action="correction.requested")
    switch_triggers_off()
    LedgerEntry.objects.filter(pk=entry.pk).update(body=forged)
    page = text_of(client, f"/ledger/{entry.pk}/")
    assert "The text above does not lead to the root that was signed." in page
    assert ("This text cannot be read as an entry." in page) == (forged != '{"v":1}')
    assert text_of(client)


def test_a_gap_in_the_stored_tree_is_said(client: Client, ada: User, sealed: Seal) -> None:
    client.force_login(ada)
    entry = LedgerEntry.objects.get(action="correction.requested")
    batch = LeafBatch.objects.get()
    switch_triggers_off()
    LeafBatch.objects.filter(pk=0).update(leaf_hashes=bytes(batch.leaf_hashes)[:32])
    assert "The stored tree has a gap" in text_of(client, f"/ledger/{entry.pk}/")
    assert "The stored tree has a gap" in text_of(client, f"/ledger/{entry.pk}/proof", status=409)


# -- seals


def test_the_seals_are_listed_with_their_entries_and_witnesses(
    client: Client, ada: User, sealed: Seal, key: SigningKey, settings: Settings, tmp_path: Path
) -> None:
    settings.LEDGER_WITNESSES = [f"file://{tmp_path}"]
    services.hand_to_witnesses(timezone.now())
    second = ledger.seal(timezone.now(), key=key)
    assert second
    client.force_login(ada)
    page = text_of(client, "/ledger/seals/")
    assert f"{sealed.size} to {second.size - 1}" in page
    assert f"0 to {sealed.size - 1}" in page
    assert page.count(f"file://{tmp_path}") == 1


def test_the_seals_are_paged(client: Client, ada: User, key: SigningKey) -> None:
    for _ in range(53):
        recorded(1, ada)
        ledger.seal(timezone.now(), key=key)
    client.force_login(ada)
    first = client.get("/ledger/seals/")
    second = client.get(first.context["older_url"])
    rows = [*first.context["rows"], *second.context["rows"]]
    assert [row.seal.size for row in rows] == list(Seal.objects.order_by("-size").values_list("size", flat=True))
    assert all(row.last >= row.first for row in rows)
    assert [row.first for row in rows[:-1]] == [row.seal.size for row in rows[1:]]
    assert rows[-1].first == 0
    assert second.context["older_url"] == ""
    assert client.get("/ledger/seals/?before=nonsense").status_code == 200


def test_one_seal_shows_its_checkpoint_and_gives_it_out_byte_for_byte(
    client: Client, ada: User, sealed: Seal, key: SigningKey
) -> None:
    client.force_login(ada)
    page = text_of(client, f"/ledger/seals/{sealed.size}/")
    assert NAME in page
    assert "none has this one" in page
    download = client.get(f"/ledger/seals/{sealed.size}/checkpoint")
    assert download.content == sealed.checkpoint.encode()
    assert download.headers["Content-Disposition"] == f'attachment; filename="{sealed.size}.checkpoint"'
    newest = client.get("/ledger/checkpoint")
    assert newest.content == sealed.checkpoint.encode()
    assert newest.headers["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("size", [99, 10**30])
def test_a_seal_nobody_made_is_not_found(client: Client, ada: User, sealed: Seal, size: int) -> None:
    client.force_login(ada)
    assert client.get(f"/ledger/seals/{size}/").status_code == 404
    assert client.get(f"/ledger/seals/{size}/checkpoint").status_code == 404


# -- verifying


def test_an_auditor_has_the_ledger_verified_and_sees_how_far_it_is(client: Client, ada: User, sealed: Seal) -> None:
    client.force_login(ada)
    assert "Verify now" in text_of(client)
    assert client.post("/ledger/verify/").headers["Location"] == URL
    assert client.post("/ledger/verify/").status_code == 302
    run = Verification.objects.get()
    assert run.requested_by.label == "ada"
    Verification.objects.update(status=VerificationStatus.RUNNING, started_at=timezone.now(), checked=3)
    page = text_of(client)
    assert f"3 of {sealed.size} entries checked, asked for by ada" in page
    assert "Verify now" not in page
    assert "Verifying" in client.get("/ledger/verify/", headers=HTMX).content.decode()


def test_once_it_is_over_the_page_stops_asking_and_shows_the_result(client: Client, ada: User, sealed: Seal) -> None:
    client.force_login(ada)
    client.post("/ledger/verify/")
    ledger.verify_due(timezone.now())
    part = client.get("/ledger/verify/", headers=HTMX)
    assert part.status_code == 286
    page = " ".join(part.content.decode().split())
    assert "Nothing was altered" in page
    assert "hx-trigger" not in page
    assert "Verify now" in page
    assert client.get("/ledger/verify/").headers["Location"] == URL


def test_what_was_altered_is_named_with_its_place(client: Client, ada: User, sealed: Seal) -> None:
    client.force_login(ada)
    entry = LedgerEntry.objects.get(action="correction.requested")
    index = ledger.places_of([entry.pk])[entry.pk]
    switch_triggers_off()
    LedgerEntry.objects.filter(pk=entry.pk).update(body=entry.body.replace("checked", "guessed"))
    client.post("/ledger/verify/")
    ledger.verify_due(timezone.now())
    page = text_of(client)
    assert "The ledger was altered. Change nothing" in page
    assert Alarm.BODY_CHANGED.label in page
    assert f'<a href="{URL}?at={index}">no. {index}</a>' in page


def test_what_a_checkpoint_from_elsewhere_showed_stands_though_a_run_without_one_passes(
    client: Client, ada: User, key: SigningKey, sealed: Seal, tmp_path: Path
) -> None:
    client.force_login(ada)
    other = tmp_path / "other.checkpoint"
    other.write_text(checkpoint.sign(checkpoint.Checkpoint(key.name, sealed.size, bytes(32)), key))
    ledger.verify_now(Actor.objects.shell(), kept=[ledger.kept_at(other)])
    ledger.verify_now(Actor.objects.shell())
    page = text_of(client)
    assert "The ledger is not the one that a checkpoint from elsewhere saw" in page
    assert "other.checkpoint saw other entries among the first" in page
    assert "Nothing was altered" not in page
    assert "ledger-card t-bad" in page
    assert "The ledger is not the one that a checkpoint from elsewhere saw." in client.get("/").content.decode()

    other.write_text(sealed.checkpoint)
    ledger.verify_now(Actor.objects.shell(), kept=[ledger.kept_at(other)])
    page = text_of(client)
    assert "a checkpoint from elsewhere saw" not in page
    assert "Nothing was altered" in page


def test_an_unfinished_run_is_named_beside_the_verdict_before_it(client: Client, ada: User, sealed: Seal) -> None:
    client.force_login(ada)
    interrupt_a_verification()
    page = text_of(client)
    assert "The last verification could not be finished" in page
    assert "This ledger was never verified to its end." in page

    switch_triggers_off()
    entry = LedgerEntry.objects.get(action="correction.requested")
    LedgerEntry.objects.filter(pk=entry.pk).update(body=entry.body.replace("checked", "guessed"))
    ledger.verify_due(timezone.now())
    assert "The last verification could not be finished" not in text_of(client)
    interrupt_a_verification()
    page = text_of(client)
    assert "The last verification could not be finished" in page
    assert "The ledger was altered. Change nothing" in page
    assert "ledger-card t-bad" in page


def test_who_may_not_verify_sees_no_button_and_cannot_ask(client: Client, olga: User, sealed: Seal) -> None:
    client.force_login(olga)
    assert "Verify now" not in text_of(client)
    assert client.post("/ledger/verify/").status_code == 403
    assert not Verification.objects.exists()


# -- what it costs


def test_the_list_asks_as_often_for_many_entries_as_for_few(
    client: Client, ada: User, sealed: Seal, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client.force_login(ada)
    client.get(URL)
    # Session, person, rights, four counts of the navigation; entries, places, who got a role; seal, queue, runs.
    with django_assert_num_queries(16):
        client.get(URL)
    recorded(60, ada)
    with django_assert_num_queries(15):  # nobody got a role on this page
        client.get(URL)


def test_no_list_counts_or_skips(client: Client, ada: User, sealed: Seal) -> None:
    client.force_login(ada)
    with CaptureQueriesContext(connection) as asked:
        client.get(f"{URL}?actor=mira")
        client.get("/ledger/seals/")
    of_ledger = [each["sql"] for each in asked if "ledgerentry" in each["sql"] or "recordings_seal" in each["sql"]]
    assert of_ledger
    assert not [sql for sql in of_ledger if "COUNT(" in sql or "OFFSET" in sql]


def test_an_entry_and_its_proof_take_few_queries(
    client: Client, ada: User, sealed: Seal, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client.force_login(ada)
    entry = LedgerEntry.objects.get(action="correction.requested")
    with django_assert_num_queries(11):
        client.get(f"/ledger/{entry.pk}/")


def test_who_opens_the_ledger_has_read_the_history(client: Client, olga: User) -> None:
    client.force_login(olga)
    for query in ("?action=signin.failed&actor=olga", "", "?action=call.read"):
        client.get(f"{URL}{query}")
    (entry,) = LedgerEntry.objects.filter(action="history.read")
    said = str(ledger.body_of(entry)["filter"])
    assert said.startswith("action=signin.failed&actor=%28text%2C+hmac+"), "a name has no place in the ledger"


@pytest.mark.parametrize("word", ["action", "actor", "call", "from", "to"])
def test_a_name_in_any_field_of_the_filter_is_not_in_the_ledger(client: Client, olga: User, word: str) -> None:
    client.force_login(olga)
    client.get(f"{URL}?{word}=Dana+Kessler")
    entry = LedgerEntry.objects.get(action="history.read")
    assert str(ledger.body_of(entry)["filter"]).startswith(f"{word}=%28text%2C+hmac+")
    assert "Dana" not in entry.body


def test_an_id_a_day_and_a_choice_are(client: Client, olga: User) -> None:
    client.force_login(olga)
    query = "action=signin.failed&call=call-1&from=2026-01-02&to=2026-01-03"
    client.get(f"{URL}?{query}")
    assert ledger.body_of(LedgerEntry.objects.get(action="history.read"))["filter"] == query


def test_so_has_who_opens_one_entry_or_takes_its_text(client: Client, olga: User, tom: User, sealed: Seal) -> None:
    of = entries()[0]
    for user, page in ((olga, f"{URL}{of.pk}/"), (tom, reverse("ledger_body", args=[of.pk]))):
        client.force_login(user)
        assert client.get(page).status_code == 200
        assert LedgerEntry.objects.filter(action="history.read", actor__subject_id=str(user.pk)).count() == 1
