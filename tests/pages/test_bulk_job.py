"""Following a bulk job: its page while it runs and afterwards, stopping it, trying again, and finding it again."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from recordings import findings, services
from recordings.choices import BulkItemStatus, OperationStatus
from recordings.models import BulkItem, BulkJob, Call, Operation
from recordings.services import Requester, Selection
from recordings.views.bulk_page import PAGE_SIZE
from sandbox.server import Sandbox
from tests import cast
from tests.at_graph import UPDATE
from tests.pages.conftest import HTMX, SignIn

pytestmark = pytest.mark.django_db(transaction=True)

# Session, person, rights; the job, its counts, its items and their tries, its retries, the ledger; who read it in
# this hour; navigation.
QUERIES = 18


@pytest.fixture
def now() -> datetime:
    """The moment itself: these tests talk to the stand-in, whose tokens know no other."""

    return timezone.now()


def stopped(sandbox: Sandbox, *names: str, now: datetime) -> list[Call]:
    for name in names:
        sandbox.add_call(call_id=name, state="established")
        cast.call(name, at=now, capture="stopped", told="recording")
        cast.heartbeat(name, at=now, capture="stopped")
    return list(Call.objects.filter(graph_id__in=names))


def started(by: User, *, now: datetime, wish: str = "notRecording", words: str = "all calls") -> BulkJob:
    return services.start_bulk(
        Call.objects.order_by("id"),
        wish=wish,
        reason="the desk checked",
        by=Requester.at_screen(by),
        selection=Selection(words),
        now=now,
    )


def run(job: BulkJob, now: datetime) -> BulkJob:
    services.run_bulk_due(now)
    job.refresh_from_db()
    return job


def page_of(client: Client, job: BulkJob, **query: Any) -> Any:
    response = client.get(reverse("bulk_detail", args=[job.pk]), query)
    assert response.status_code == 200
    return response


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def test_a_new_job_says_what_was_asked_for_by_whom_and_of_which_calls(
    sandbox: Sandbox, mira: User, ada: User, signed_in: SignIn, now: datetime
) -> None:
    stopped(sandbox, "call-1", "call-2", now=now)
    job = started(mira, now=now, words="2 calls, chosen one by one")
    page = text(page_of(signed_in(ada), job))
    assert "Correction of 2 calls" in page
    assert "Tell Teams “Not recording”." in page
    assert "Asked for by mira" in page
    assert "2 calls, chosen one by one" in page
    assert "the desk checked" in page
    assert "0 of 2 finished" in page
    assert "Bulk job started" in page
    assert f"http://testserver{reverse('bulk_detail', args=[job.pk])}" in page


def test_a_running_job_is_asked_for_again_and_a_finished_one_not(
    sandbox: Sandbox, mira: User, signed_in: SignIn, now: datetime
) -> None:
    stopped(sandbox, "call-1", now=now)
    job = started(mira, now=now)
    client = signed_in(mira)
    url = page_of(client, job).context["page"].poll_url
    assert "every 2s" in text(page_of(client, job))
    assert client.get(url, headers=HTMX).status_code == 200
    run(job, now)
    last = client.get(url, headers=HTMX)
    assert last.status_code == 286
    assert "The job is over: 1 of 1 done." in text(last)
    assert 'id="bulk-items"' in text(last)
    assert "every 2s" not in text(page_of(client, job))


def test_paused_updates_hold_for_this_page_too(sandbox: Sandbox, mira: User, signed_in: SignIn, now: datetime) -> None:
    stopped(sandbox, "call-1", now=now)
    job = started(mira, now=now)
    client = signed_in(mira)
    client.post(reverse("pause_updates"), {"paused": "1"})
    assert "data-poll" not in text(page_of(client, job))


def test_each_call_has_its_outcome_and_a_failed_one_its_explanation(
    sandbox: Sandbox, mira: User, signed_in: SignIn, now: datetime
) -> None:
    stopped(sandbox, "call-1", "call-2", now=now)
    sandbox.fault("error", action=UPDATE, call_id="call-2", status=409)
    job = run(started(mira, now=now), now)
    client = signed_in(mira)
    page = page_of(client, job)
    outcomes = {row.item.call.graph_id: row.item.status for row in page.context["page"].rows}
    assert outcomes == {"call-1": BulkItemStatus.DONE, "call-2": BulkItemStatus.FAILED}
    assert [(chip.shown.label, chip.count) for chip in page.context["page"].chips] == [
        ("All", 2),
        ("Done", 1),
        ("Failed", 1),
    ]
    failed = page_of(client, job, status="failed")
    (row,) = failed.context["page"].rows
    assert row.explained
    assert row.explained.title in text(failed)
    operation = Operation.objects.get(call__graph_id="call-2")
    assert f"/calls/call-2/#op-{operation.pk}" in text(failed)


def test_while_an_outcome_is_open_the_page_says_when_the_failed_can_be_tried_again(
    sandbox: Sandbox, mira: User, signed_in: SignIn, now: datetime
) -> None:
    stopped(sandbox, "call-1", "call-2", now=now)
    sandbox.fault("error", action=UPDATE, call_id="call-1", status=409)
    sandbox.fault("error", action=UPDATE, call_id="call-2", status=500)
    page = text(page_of(signed_in(mira), run(started(mira, now=now), now)))
    assert "1 of 2 finished" in page
    assert "What failed can be tried again once the job is over." in page


def test_a_job_is_found_by_its_id(sandbox: Sandbox, mira: User, signed_in: SignIn, now: datetime) -> None:
    stopped(sandbox, "call-1", now=now)
    job = started(mira, now=now)
    found = signed_in(mira).get(reverse("find"), {"q": str(job.pk)})
    assert found.headers["Location"] == reverse("bulk_detail", args=[job.pk])


@pytest.mark.parametrize("query", [{"status": "nonsense"}, {"after": "x"}, {"after": "9" * 30}, {"after": "-1"}])
def test_a_question_that_makes_no_sense_shows_the_whole_job(
    sandbox: Sandbox, mira: User, signed_in: SignIn, now: datetime, query: dict[str, str]
) -> None:
    stopped(sandbox, "call-1", now=now)
    assert len(page_of(signed_in(mira), started(mira, now=now), **query).context["page"].rows) == 1


def test_a_long_job_has_pages_and_asks_no_more_for_many_items_than_for_few(
    sandbox: Sandbox,
    mira: User,
    signed_in: SignIn,
    now: datetime,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    client = signed_in(mira)
    stopped(sandbox, "call-0", "call-1", now=now)
    sandbox.fault("error", action=UPDATE, status=409, times=None)
    few = run(started(mira, now=now), now)
    names = [f"call-{number}" for number in range(PAGE_SIZE + 5)]
    stopped(sandbox, *names[2:], now=now)
    many = run(started(mira, now=now), now)
    client.get("/ledger/")  # from here on the hour's reading of the history is noted, and looking for it is one query
    for job in (few, many):
        with django_assert_num_queries(QUERIES):
            page_of(client, job)
    first = page_of(client, many).context["page"]
    rest = client.get(first.more_url).context["page"]
    seen = [row.item.call.graph_id for page in (first, rest) for row in page.rows]
    assert seen == names
    assert not rest.more_url


def test_stopping_asks_once_more_and_begins_no_further_call(
    sandbox: Sandbox, mira: User, signed_in: SignIn, now: datetime
) -> None:
    stopped(sandbox, "call-1", "call-2", now=now)
    job = started(mira, now=now)
    client = signed_in(mira)
    url = reverse("bulk_stop", args=[job.pk])
    assert url in text(page_of(client, job))
    assert "What was sent stays sent" in text(client.get(url))
    assert client.post(url).headers["Location"] == reverse("bulk_detail", args=[job.pk])
    run(job, now)
    assert set(BulkItem.objects.values_list("status", flat=True)) == {BulkItemStatus.STOPPED}
    page = text(page_of(client, job))
    assert "Stopped: 2 accounted for" in page
    assert "Bulk job stopped" in page
    again = client.post(url)
    assert again.status_code == 422
    assert "This job is over already. Nothing was changed." in text(again)


def test_only_what_failed_and_may_come_right_is_tried_again_and_once(
    sandbox: Sandbox, mira: User, signed_in: SignIn, now: datetime
) -> None:
    stopped(sandbox, "call-1", "call-2", "call-3", now=now)
    sandbox.fault("error", action=UPDATE, call_id="call-1", status=409)
    sandbox.fault("error", action=UPDATE, call_id="call-2", status=404, code="8522")
    job = run(started(mira, now=now), now)
    client = signed_in(mira)
    page = page_of(client, job)
    assert (page.context["page"].can_retry, page.context["page"].cannot_retry) == (1, 1)
    assert "Try the 1 failed again" in text(page)
    url = reverse("bulk_retry", args=[job.pk])
    first, second = client.post(url), client.post(url)
    again = BulkJob.objects.get(retry_of=job)
    assert first.headers["Location"] == second.headers["Location"] == reverse("bulk_detail", args=[again.pk])
    assert [item.call.graph_id for item in again.items.all()] == ["call-1"]
    assert reverse("bulk_detail", args=[again.pk]) in text(page_of(client, job))
    assert reverse("bulk_detail", args=[job.pk]) in text(page_of(client, again))
    run(again, now)
    assert again.items.get().status == BulkItemStatus.DONE


def test_where_nothing_can_be_tried_again_the_page_says_so_and_a_try_changes_nothing(
    sandbox: Sandbox, mira: User, signed_in: SignIn, now: datetime
) -> None:
    stopped(sandbox, "call-1", now=now)
    job = run(started(mira, now=now), now)
    client = signed_in(mira)
    assert "Try the" not in text(page_of(client, job))
    response = client.post(reverse("bulk_retry", args=[job.pk]), follow=True)
    assert "Nothing was sent." in text(response)
    assert BulkJob.objects.count() == 1
    assert client.get(reverse("bulk_retry", args=[job.pk])).headers["Location"] == reverse("bulk_detail", args=[job.pk])


def test_calls_that_ended_and_are_still_stuck_can_be_attested_from_here(
    sandbox: Sandbox, mira: User, ada: User, signed_in: SignIn, now: datetime
) -> None:
    stopped(sandbox, "call-1", "call-2", now=now)
    begun = now - timedelta(minutes=9)
    cast.call("call-over", at=begun, capture="started", told="recording", ended_at=now - timedelta(minutes=8))

    findings.sweep(now)
    job = run(started(mira, now=now), now)
    client = signed_in(mira)
    page = page_of(client, job)
    assert page.context["page"].to_attest == 1
    assert "1 call is over and still stuck." in text(page)
    form = client.post(reverse("bulk_attest"), {"job": str(job.pk)})
    assert form.context["check"].count == form.context["check"].total == 1
    assert f"not put right by bulk job {job.pk}" in text(form)
    assert "still stuck" not in text(page_of(signed_in(ada), job))


def test_who_may_only_look_sees_the_job_and_no_button(
    sandbox: Sandbox, mira: User, ada: User, signed_in: SignIn, now: datetime
) -> None:
    stopped(sandbox, "call-1", now=now)
    job = started(mira, now=now)
    client = signed_in(ada)
    assert reverse("bulk_stop", args=[job.pk]) not in text(page_of(client, job))
    assert client.post(reverse("bulk_stop", args=[job.pk])).status_code == 403
    assert client.post(reverse("bulk_retry", args=[job.pk])).status_code == 403
    job.refresh_from_db()
    assert job.stopped_at is None


def test_a_person_without_a_role_sees_no_job(
    sandbox: Sandbox, mira: User, sam: User, signed_in: SignIn, now: datetime
) -> None:
    stopped(sandbox, "call-1", now=now)
    job = started(mira, now=now)
    client = signed_in(sam)
    for url in (reverse("bulk_list"), reverse("bulk_detail", args=[job.pk]), reverse("bulk_stop", args=[job.pk])):
        assert client.get(url).status_code == 403


@pytest.mark.parametrize("name", ["bulk_detail", "bulk_stop"])
def test_an_unknown_job_is_not_found(mira: User, signed_in: SignIn, name: str) -> None:
    url = reverse(name, args=["01890000-0000-7000-8000-000000000000"])
    assert signed_in(mira).get(url).status_code == 404


def test_jobs_are_found_again_the_last_started_first(
    sandbox: Sandbox,
    mira: User,
    ada: User,
    signed_in: SignIn,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    client = signed_in(ada)
    assert "No bulk job yet" in text(client.get(reverse("bulk_list")))
    stopped(sandbox, "call-1", now=now)
    seen_first = Selection("seen first, started last")
    jobs = [started(mira, now=now - timedelta(minutes=minutes), words=f"{minutes} ago") for minutes in (5, 4, 3)]
    last = services.start_bulk(
        Call.objects.all(), wish="failed", reason="x", by=Requester.at_screen(mira), selection=seen_first, now=now
    )
    monkeypatch.setattr("recordings.views.bulk_jobs.PAGE_SIZE", 2)
    with django_assert_num_queries(8):
        first = client.get(reverse("bulk_list"))
    rest = client.get(first.context["older_url"])
    listed = [row.job for page in (first, rest) for row in page.context["rows"]]
    assert listed == [last, jobs[2], jobs[1], jobs[0]]
    assert "0 %" in text(first)
    assert reverse("bulk_list") in text(client.get(reverse("operation_list")))


def test_what_waits_for_a_second_person_leads_there(
    sandbox: Sandbox, mira: User, signed_in: SignIn, now: datetime, settings: Settings
) -> None:
    settings.REQUIRE_APPROVAL = "always"
    stopped(sandbox, "call-1", now=now)
    job = run(started(mira, now=now), now)
    operation = Operation.objects.get()
    assert operation.status == OperationStatus.AWAITING_APPROVAL
    assert reverse("approval_detail", args=[operation.pk]) in text(page_of(signed_in(mira), job))
