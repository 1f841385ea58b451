"""The findings queue: what is open, mine, put off and closed, worst first, and how much was closed how."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from recordings import findings, services
from recordings.models import Finding
from recordings.services import Requester
from tests import cast
from tests.pages import calls_cast
from tests.pages.conftest import HTMX, SignIn

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stopped_clock")]

URL = "/findings/"
A_DAY = timedelta(days=1)


def text_of(client: Client, query: str = "", **headers: str) -> str:
    response = client.get(f"{URL}{query}", headers=headers)
    assert response.status_code == 200
    return " ".join(response.text.split())


def listed(client: Client, query: str = "") -> list[Finding]:
    return [row.finding for row in client.get(f"{URL}{query}").context["page"].rows]


@pytest.fixture
def critical(now: datetime) -> Finding:
    return Finding.objects.get(call=calls_cast.capturing_untold("call-untold", now=now))


@pytest.fixture
def ended(now: datetime) -> Finding:
    return calls_cast.told_after_end("call-ended", now=now)


def by(person: User) -> Requester:
    return Requester.at_screen(person)


def test_without_findings_the_page_says_that_nothing_is_stuck(olga: User, signed_in: SignIn) -> None:
    assert "Nothing is stuck" in text_of(signed_in(olga))


def test_who_may_not_look_sees_nothing(sam: User, signed_in: SignIn) -> None:
    assert signed_in(sam).get(URL).status_code == 403


def test_the_worst_comes_first_with_its_sentence(
    critical: Finding, ended: Finding, olga: User, signed_in: SignIn
) -> None:
    client = signed_in(olga)
    assert listed(client) == [critical, ended]
    page = text_of(client)
    assert "rule R1." in page
    assert "Nobody" in page
    assert reverse("finding_detail", args=[critical.pk]) in page


def test_each_phase_holds_its_own(
    critical: Finding, ended: Finding, olga: User, mira: User, now: datetime, signed_in: SignIn
) -> None:
    services.snooze(critical, until=now + A_DAY, reason="vendor", by=by(olga), now=now)
    services.assign(ended, to=mira, by=by(olga), now=now)
    client = signed_in(mira)
    assert listed(client) == [ended]
    assert listed(client, "?phase=mine") == [ended]
    assert listed(client, "?phase=asleep") == [critical]
    assert listed(client, "?phase=closed") == []
    services.resolve(Finding.objects.get(pk=ended.pk), root_cause="network", by=by(mira), now=now)
    assert listed(client, "?phase=closed") == [ended]
    assert "<b>0</b>" in text_of(client)


def test_a_finding_that_was_put_off_comes_back_at_its_time(
    critical: Finding, olga: User, now: datetime, signed_in: SignIn
) -> None:
    services.snooze(critical, until=now + A_DAY, reason="vendor", by=by(olga), now=now)
    Finding.objects.update(wakes_after=now)
    assert listed(signed_in(olga)) == [critical]


def test_a_row_says_who_has_it_and_what_was_done(
    critical: Finding, olga: User, mira: User, now: datetime, signed_in: SignIn
) -> None:
    seen = services.acknowledge(critical, by=by(olga), now=now)
    given = services.assign(seen, to=mira, by=by(olga), now=now)
    services.snooze(given, until=now + A_DAY, reason="vendor", by=by(olga), now=now)
    page = text_of(signed_in(olga), "?phase=asleep")
    for words in ("Acknowledged by olga", "mira", "Put off until"):
        assert words in page


def test_what_opened_again_says_so(critical: Finding, olga: User, now: datetime, signed_in: SignIn) -> None:
    Finding.objects.filter(pk=critical.pk).update(reopened_at=now - timedelta(minutes=3))
    assert "Opened again 3 min 0 s ago" in text_of(signed_in(olga))


def test_the_filter_stands_in_the_address(
    critical: Finding, ended: Finding, olga: User, mira: User, now: datetime, signed_in: SignIn
) -> None:
    services.assign(ended, to=mira, by=by(olga), now=now)
    client = signed_in(olga)
    for query, expected in {
        "?severity=critical": [critical],
        "?rule=R7": [ended],
        "?subject=call": [critical, ended],
        "?subject=recorder": [],
        "?assignee=mira": [ended],
        "?assignee=(nobody)": [critical],
        "?assignee=olga": [],
    }.items():
        assert listed(client, query) == expected, query


def test_a_filter_that_is_not_understood_says_so(critical: Finding, olga: User, signed_in: SignIn) -> None:
    client = signed_in(olga)
    for query in ("?severity=awful", "?rule=R99", "?phase=gone", "?assignee=ghost", "?subject=cat"):
        assert "was not understood" in text_of(client, query), query


@pytest.mark.parametrize("cursor", ["nonsense", "1", "1.2.3.4", "9" * 40, f"0.{'9' * 30}.1", "-1.-1.-1", "0.0.1e9"])
def test_a_cursor_that_is_none_lists_without_an_error(
    critical: Finding, olga: User, cursor: str, signed_in: SignIn
) -> None:
    client = signed_in(olga)
    for phase in ("", "&phase=closed"):
        assert client.get(f"{URL}?before={cursor}{phase}").status_code == 200


def many(count: int, *, now: datetime) -> None:
    """Findings of two severities, some of the same moment."""
    for number in range(count):
        story: dict[str, Any] = {"capture": "started"} if number % 2 else {"capture": "stopped", "told": "recording"}
        cast.call(f"call-{number:03}", at=now - timedelta(minutes=2 + number % 3), **story)
    findings.sweep(now)


@pytest.mark.parametrize("phase", ["", "phase=closed"])
def test_paging_shows_every_finding_once_in_order(phase: str, olga: User, now: datetime, signed_in: SignIn) -> None:
    many(60, now=now)
    if phase:
        Finding.objects.update(resolved_at=now, resolution="selfRecovered", resolved_by=by(olga).actor)
    client = signed_in(olga)
    first = client.get(f"{URL}?{phase}")
    page, older = first.context["page"].rows, first.context["older_url"]
    rest = client.get(older)
    shown = [row.finding for row in (*page, *rest.context["page"].rows)]
    assert (len(page), rest.context["older_url"]) == (50, "")
    assert len(shown) == len(set(shown)) == Finding.objects.count() > 60
    if not phase:
        assert shown == sorted(shown, key=lambda one: (one.severity != "critical", one.since_at, one.pk))


def test_more_findings_ask_no_more_queries(
    olga: User, now: datetime, signed_in: SignIn, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = signed_in(olga)
    many(2, now=now)
    client.get(URL)
    with django_assert_num_queries(13):
        client.get(URL)
    many(30, now=now)
    with django_assert_num_queries(13):
        client.get(URL)


def test_legs_of_one_person_in_one_conversation_are_named_and_are_no_finding(
    critical: Finding, olga: User, now: datetime, signed_in: SignIn
) -> None:
    assert critical.call is not None
    chain = critical.call.call_chain_id
    other = calls_cast.recorded("call-second-leg", now=now)
    type(other).objects.filter(pk=other.pk).update(call_chain_id=chain)
    page = text_of(signed_in(olga))
    assert "1 more leg of this person in the same conversation" in page
    assert f"{reverse('call_list')}?chain={chain}" in page
    assert listed(signed_in(olga)) == [critical]


def test_a_finding_about_a_recorder_or_a_tenant_stands_among_the_others(
    olga: User, now: datetime, signed_in: SignIn
) -> None:
    cast.heartbeat(at=now - timedelta(minutes=10), capture="capturing")
    findings.sweep(now)
    page = text_of(signed_in(olga))
    assert "rec-01" in page
    assert "Recorder has gone silent" in page


def test_the_classes_of_closing_are_counted_apart(
    critical: Finding, ended: Finding, olga: User, mira: User, now: datetime, signed_in: SignIn
) -> None:
    services.resolve(critical, root_cause="falsePositive", by=by(olga), now=now)
    services.attest(ended, by=by(mira), reason="x", root_cause="network", evidence="INC-1", now=now)
    client = signed_in(olga)
    counts = {one.shown.value: one.count for one in client.get(URL).context["closed_lately"]}
    assert counts["falsePositive"] == counts["attested"] == 1
    assert counts["confirmedByGraph"] == counts["closedByPerson"] == 0
    assert len(counts) == 9
    Finding.objects.update(resolved_at=now - 31 * A_DAY)
    assert not any(one.count for one in client.get(URL).context["closed_lately"])


def news_of(client: Client, page: str) -> str:
    match = re.search(r'hx-get="([^"]*poll=[^"]*)"', page)
    assert match
    return " ".join(client.get(match[1].replace("&amp;", "&"), headers=HTMX).text.split())


def test_a_poll_says_that_something_changed_and_moves_no_row(
    critical: Finding, olga: User, mira: User, now: datetime, signed_in: SignIn
) -> None:
    client = signed_in(olga)
    page = client.get(URL).text
    assert "changed" not in news_of(client, page)
    services.acknowledge(critical, by=by(mira), now=now)
    services.comment(critical, text="vendor asked", by=by(mira), now=now)
    news = news_of(client, page)
    assert "1 finding changed." in news
    assert "<table" not in news


def test_a_poll_hears_of_nothing_the_filter_leaves_out(
    critical: Finding, ended: Finding, olga: User, mira: User, now: datetime, signed_in: SignIn
) -> None:
    client = signed_in(olga)
    page = client.get(f"{URL}?severity=critical").text
    services.acknowledge(ended, by=by(mira), now=now)
    assert "changed" not in news_of(client, page)


def test_a_page_that_was_paused_does_not_poll(critical: Finding, olga: User, signed_in: SignIn) -> None:
    client = signed_in(olga)
    client.post(reverse("pause_updates"), {"paused": "1"})
    assert "finding-news" not in client.get(URL).text


def test_htmx_gets_the_list_alone(critical: Finding, olga: User, signed_in: SignIn) -> None:
    part = signed_in(olga).get(URL, headers=HTMX).text
    assert part.lstrip().startswith('<div class="stack" id="finding-page">')


def test_the_navigation_leads_here_and_counts_what_is_open(critical: Finding, olga: User, signed_in: SignIn) -> None:
    page = text_of(signed_in(olga))
    link = page[page.index('<a href="/findings/" aria-current="page">') :]
    assert '1<span class="sr"> open</span>' in link[: link.index("</li>")]
