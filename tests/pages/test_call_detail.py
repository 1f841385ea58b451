"""Reading one call: what is captured, told and evident is kept apart."""

import re
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from recordings import services
from recordings.choices import AttemptOutcome, OperationStatus
from recordings.models import Call, Finding, LeafBatch, LedgerEntry, Operation
from recordings.operations import Outcome
from recordings.services import Requester
from tests import cast
from tests.pages import calls_cast
from tests.pages.conftest import HTMX, SignIn
from tests.pages.corrections import asked, completed, tried, unknown

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stopped_clock")]

# Session, person, rights; 3 for the navigation; call, operations, tries, decisions, findings, changes, their entries,
# other legs.
QUERIES = 17


def page_of(call: Call | None) -> str:
    assert call is not None
    return reverse("call_detail", args=[call.graph_id])


def words_of(text: str) -> str:
    return " ".join(text.split())


def test_the_three_are_shown_apart_with_whose_word_each_is(now: datetime, olga: User, signed_in: SignIn) -> None:
    call = calls_cast.recorded(now=now)
    page = words_of(signed_in(olga).get(page_of(call)).text)
    assert "The recorder's word, last given" in page
    assert "Confirmed to the recorder, by its own account" in page
    assert "Last sign of life" in page
    assert "%" not in page.split("<h2")[2].split("<svg")[0]


def test_silence_of_the_recorder_never_turns_told_into_unknown(now: datetime, olga: User, signed_in: SignIn) -> None:
    call = cast.call(at=now - timedelta(hours=5), capture="started", told="recording")
    page = signed_in(olga).get(page_of(call)).context["page"]
    assert page.call.told_look.label == "Recording"


def test_a_correction_confirmed_by_graph_names_graph(now: datetime, mira: User, signed_in: SignIn) -> None:
    call = calls_cast.recorded(now=now)
    operation = completed(call, by=mira, now=now)
    page = words_of(signed_in(mira).get(page_of(call)).text)
    assert f'id="op-{operation.pk}"' in page
    assert "612 ms" in page
    assert "request-of-graph-1" in page.replace('<span class="id-m">', "").replace("</span>", "")


def test_nothing_of_graph_is_shown_before_graph_answered(now: datetime, mira: User, signed_in: SignIn) -> None:
    call = calls_cast.recorded(now=now)
    operation = asked(call, by=mira, now=now)
    page = signed_in(mira).get(page_of(call)).text
    assert "Graph operation id" not in page
    assert operation.client_context not in page
    assert "Client context sent" not in page


def test_a_try_that_cannot_work_again_says_so(now: datetime, mira: User, signed_in: SignIn) -> None:
    call = calls_cast.recorded(now=now)
    refused = Outcome(AttemptOutcome.REFUSED, http_status=403, code="7504", request_id="r-1", latency_seconds=0.4)
    tried(asked(call, by=mira, now=now), refused, to=OperationStatus.FAILED, now=now)
    page = words_of(signed_in(mira).get(page_of(call)).text)
    assert "HTTP 403" in page
    assert "code 7504" in page
    assert "Trying again cannot work." in page
    assert "Retry" not in page


def test_a_server_error_of_graph_reads_unknown_and_its_repeat_is_marked(
    now: datetime, mira: User, signed_in: SignIn
) -> None:
    call = calls_cast.recorded(now=now)
    overloaded = Outcome(AttemptOutcome.UNKNOWN, http_status=503, code="UnknownError", latency_seconds=9.4)
    operation = tried(asked(call, by=mira, now=now), overloaded, to=OperationStatus.UNKNOWN, now=now)
    tried(operation, overloaded, to=OperationStatus.UNKNOWN, now=now)
    page = words_of(signed_in(mira).get(page_of(call)).text)
    assert page.count(">repeat</b>") == 1
    assert Operation.objects.get().status_look.label == "Unknown"
    assert "A correction of this call is in progress." in page


def test_a_finding_says_what_is_not_known_and_what_to_do(now: datetime, mira: User, signed_in: SignIn) -> None:
    call = calls_cast.capturing_untold(now=now)
    page = words_of(signed_in(mira).get(page_of(call)).text)
    assert "Not known: Whether the people on the call saw a notice from another recorder." in page
    assert "Tell Teams recording while the recorder says it is capturing" in page


def test_an_ended_call_offers_an_attestation_in_place_of_a_correction(
    now: datetime, mira: User, signed_in: SignIn
) -> None:
    finding = calls_cast.told_after_end(now=now)
    page = words_of(signed_in(mira).get(page_of(finding.call)).text)
    assert "What Teams was told of this call can no longer change." in page
    assert page.count(reverse("attest_finding", args=[finding.pk])) == 2
    assert 'disabled aria-describedby="why-off"' in page
    assert 'name="reason"' not in page


def test_who_may_only_look_is_told_so_before_the_form(now: datetime, ada: User, signed_in: SignIn) -> None:
    call = calls_cast.capturing_untold(now=now)
    page = words_of(signed_in(ada).get(page_of(call)).text)
    assert "You can look, but not correct." in page
    assert 'disabled aria-describedby="why-off"' in page


def test_a_poll_brings_the_regions_while_the_call_goes_on(now: datetime, olga: User, signed_in: SignIn) -> None:
    call = calls_cast.recorded(now=now)
    response = signed_in(olga).get(page_of(call), {"poll": 1}, headers=HTMX)
    assert response.status_code == 200
    assert "<html" not in response.text
    for region in (
        "clock",
        "call-lasted",
        "call-status",
        "timeline",
        "findings",
        "changes",
        "ops",
        "correct",
        "details",
    ):
        assert response.text.count(f'id="{region}"') == 1


def test_the_poll_of_a_call_that_is_over_ends(now: datetime, olga: User, signed_in: SignIn) -> None:
    finding = calls_cast.told_after_end(now=now)
    client = signed_in(olga)
    assert client.get(page_of(finding.call), {"poll": 1}, headers=HTMX).status_code == 286
    assert "data-poll" not in client.get(page_of(finding.call)).text


def test_the_poll_of_an_ended_call_goes_on_while_a_correction_is_open(
    now: datetime, mira: User, signed_in: SignIn
) -> None:
    call = calls_cast.recorded(now=now)
    unknown(call, by=mira, now=now)
    cast.tell("call.ended", call.graph_id, at=now)
    assert signed_in(mira).get(page_of(call), {"poll": 1}, headers=HTMX).status_code == 200


def test_a_call_nobody_told_of_is_not_found(olga: User, signed_in: SignIn) -> None:
    assert signed_in(olga).get(reverse("call_detail", args=["no-such-call"])).status_code == 404


def test_words_of_others_cannot_become_markup(now: datetime, olga: User, signed_in: SignIn) -> None:
    cast.call(at=now)
    cast.tell("capture.failed", "call-1", at=now, reason="<script>alert(1)</script>")
    page = signed_in(olga).get(reverse("call_detail", args=["call-1"])).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_call_asks_the_database_as_often_with_many_changes_as_with_few(
    now: datetime, mira: User, signed_in: SignIn, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    call = calls_cast.capturing_untold(now=now)
    for _ in range(3):
        completed(call, by=mira, now=now)
    client = signed_in(mira)
    client.get(page_of(call))
    with django_assert_num_queries(QUERIES):
        client.get(page_of(call))


def test_a_paused_page_does_not_promise_updates(now: datetime, olga: User, signed_in: SignIn) -> None:
    call = calls_cast.recorded(now=now)
    client = signed_in(olga)
    assert "Updates every 5 s" in client.get(page_of(call)).text
    client.post(reverse("pause_updates"), {"paused": "1"})
    assert "Updates are paused" in client.get(page_of(call)).text
    assert "Updates every 5 s" not in client.get(page_of(call)).text


def changes_in(page: str) -> str:
    return words_of(page.split('id="changes"')[1].split("</section>", maxsplit=1)[0])


def test_changes_stand_in_the_order_they_happened_and_say_when_one_was_heard_late(
    now: datetime, olga: User, signed_in: SignIn
) -> None:
    call = cast.call(at=now - timedelta(minutes=30), capture="started")
    cast.tell("capture.failed", call.graph_id, at=now - timedelta(minutes=10))
    calls_cast.told_late(call, at=now - timedelta(minutes=20), heard_at=now)
    response = signed_in(olga).get(page_of(call))
    times = [row.change.occurred_at for row in response.context["page"].rows]
    assert times == sorted(times, reverse=True)
    assert changes_in(response.text).count("later") == 1
    assert "heard 20 min later" in changes_in(response.text)


def test_a_call_lasts_from_the_first_thing_known_of_it(now: datetime, olga: User, signed_in: SignIn) -> None:
    call = cast.call(at=now)
    calls_cast.told_late(call, at=now - timedelta(minutes=12), heard_at=now)
    assert "12 min so far" in words_of(signed_in(olga).get(page_of(call)).text)


def test_a_call_of_which_no_length_is_known_claims_none(now: datetime, olga: User, signed_in: SignIn) -> None:
    call = Call.objects.create(graph_id="call-new", tenant_id="t", created_at=now)
    page = signed_in(olga).get(page_of(call))
    assert page.context["page"].lasted == ""
    assert "so far" not in page.text


def test_each_change_says_whether_its_ledger_entry_is_sealed(now: datetime, olga: User, signed_in: SignIn) -> None:
    call = calls_cast.recorded(now=now)
    client = signed_in(olga)
    assert changes_in(client.get(page_of(call)).text).count("Not sealed yet") == 3
    told = next(entry for entry in LedgerEntry.objects.filter(call=call) if '"new":"recording"' in entry.body)
    LeafBatch.objects.create(
        first_index=1204, first_entry=told.pk, count=1, entry_ids=told.pk.bytes, leaf_hashes=b"x" * 32
    )
    sealed = client.get(page_of(call))
    assert "3 changes, 1 sealed" in changes_in(sealed.text)
    assert [row.change.new for row in sealed.context["page"].rows if row.is_sealed] == ["recording"]
    assert "Sealed, no. 1,204" in sealed.text


def test_a_printed_call_says_who_printed_it_when_and_where_the_proofs_are(
    now: datetime, olga: User, signed_in: SignIn
) -> None:
    call = calls_cast.recorded(now=now)
    page = words_of(signed_in(olga).get(page_of(call)).text)
    printed = page.split('id="printed"')[1].split("</p>", maxsplit=1)[0]
    assert f"{now.day} {now:%b %Y %H:%M:%S}</time> UTC. Printed by olga" in printed
    assert "the evidence pack of the call has the seal and the proofs" in printed


def test_times_of_today_carry_their_date_for_paper(now: datetime, olga: User, signed_in: SignIn) -> None:
    call = calls_cast.recorded(now=now)
    times = re.findall(r"<time ([^>]*)>([^<]*)</time>", signed_in(olga).get(page_of(call)).text)
    assert times
    assert all("data-day=" in facts or f"{now.year}" in words for facts, words in times)


def captured_in(page: str) -> list[str]:
    """The tone of each chip that says what is captured."""
    return re.findall(
        r'class="chip(?: chip-box)? t-(\w+)">(?:<span class="k">Captured</span>)?<svg[^>]*>'
        r'<use href="#r-recording"/></svg>(?:<span>)?Capturing',
        page.split('id="timeline"', maxsplit=1)[0],
    )


def test_a_recorder_that_spoke_just_now_captures(now: datetime, olga: User, signed_in: SignIn) -> None:
    page = signed_in(olga).get(page_of(calls_cast.recorded(now=now))).text
    assert captured_in(page) == ["ok"]
    assert "last said" not in page


def test_the_word_of_a_recorder_fallen_silent_does_not_look_like_one_of_now(
    now: datetime, olga: User, signed_in: SignIn
) -> None:
    call = cast.call(at=now - timedelta(minutes=10), capture="started", told="recording")
    page = signed_in(olga).get(page_of(call)).text
    assert captured_in(page) == ["mute"]
    assert re.search(r"Capturing<span class=\"rel\">, last said 1\d min", page)


def test_nothing_is_captured_of_a_leg_that_is_over(now: datetime, olga: User, signed_in: SignIn) -> None:
    call = calls_cast.recorded(now=now)
    cast.tell("call.ended", call.graph_id, at=now)
    page = signed_in(olga).get(page_of(call)).text
    assert captured_in(page) == ["mute"]


def test_the_red_frame_after_the_end_is_explained_in_words(now: datetime, olga: User, signed_in: SignIn) -> None:
    finding = calls_cast.told_after_end(now=now)
    page = words_of(signed_in(olga).get(page_of(finding.call)).text)
    legend = page.split('<p class="legend">')[1].split("</p>")[0]
    assert "Still told recording, 5 min 0 s after the end" in legend


def test_other_legs_of_the_conversation_are_named_and_one_of_the_same_person_is_no_error(
    now: datetime, olga: User, signed_in: SignIn
) -> None:
    call = calls_cast.recorded(now=now)
    for graph_id, person in (("call-same-person", "user-dana"), ("call-somebody", "user-eli")):
        other = calls_cast.recorded(graph_id, now=now)
        Call.objects.filter(pk=other.pk).update(call_chain_id=call.call_chain_id, recorded_user_id=person)
    calls_cast.recorded("call-elsewhere", now=now)
    page = words_of(signed_in(olga).get(page_of(call)).text)
    assert "Other legs of this conversation" in page
    assert page.count("the same person: a second leg is no error") == 1
    for graph_id in ("call-same-person", "call-somebody"):
        assert reverse("call_detail", args=[graph_id]) in page
    assert reverse("call_detail", args=["call-elsewhere"]) not in page


def test_a_call_alone_in_its_conversation_has_no_such_section(now: datetime, olga: User, signed_in: SignIn) -> None:
    call = calls_cast.recorded(now=now)
    assert "Other legs of this conversation" not in signed_in(olga).get(page_of(call)).text


def test_a_finding_on_the_call_leads_to_its_page_and_says_who_has_it(
    now: datetime, olga: User, mira: User, signed_in: SignIn
) -> None:
    call = calls_cast.capturing_untold(now=now)
    finding = Finding.objects.get(call=call)
    by = Requester.at_screen(olga)
    services.assign(services.acknowledge(finding, by=by, now=now), to=mira, by=by, now=now)
    page = words_of(signed_in(olga).get(page_of(call)).text)
    assert reverse("finding_detail", args=[finding.pk]) in page
    assert "Acknowledged by olga" in page
    assert "Assigned to mira" in page
