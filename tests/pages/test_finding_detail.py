"""One finding: what it says, every step so far, and the steps a person's role allows, with and without script."""

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from recordings import findings, services
from recordings.choices import Resolution
from recordings.models import Finding
from recordings.services import Requester
from tests import cast
from tests.pages import calls_cast
from tests.pages.conftest import HTMX, SignIn

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stopped_clock")]

A_DAY = timedelta(days=1)


@pytest.fixture
def finding(now: datetime) -> Finding:
    return Finding.objects.get(call=calls_cast.capturing_untold(now=now))


@pytest.fixture
def silent(now: datetime) -> Finding:
    cast.heartbeat(at=now - timedelta(minutes=10), capture="capturing")
    findings.sweep(now)
    return Finding.objects.get(rule="R20")


def url_of(finding: Finding, step: str = "finding_detail") -> str:
    return reverse(step, args=[finding.pk])


def page_of(client: Client, finding: Finding) -> str:
    response = client.get(url_of(finding))
    assert response.status_code == 200
    return " ".join(response.text.split())


def by(person: User) -> Requester:
    return Requester.at_screen(person)


def test_the_page_says_what_is_stuck_what_is_not_known_and_what_to_do(
    finding: Finding, mira: User, signed_in: SignIn
) -> None:
    page = page_of(signed_in(mira), finding)
    for words in (
        "Teams was never told",
        "rule R1.",
        "Not known",
        "What to do",
        "Can still act",
        "Correct it on",
        "reload the page",
    ):
        assert words in page
    assert f"{reverse('call_detail', args=['call-untold'])}#correct" in page


def test_a_finding_about_a_recorder_has_its_page_too(silent: Finding, olga: User, signed_in: SignIn) -> None:
    page = page_of(signed_in(olga), silent)
    for words in ("rec-01", "has said nothing for", "Cannot act", "Close without evidence"):
        assert words in page


def test_there_is_no_page_of_no_finding(olga: User, signed_in: SignIn) -> None:
    assert signed_in(olga).get("/findings/4711/").status_code == 404


def test_every_step_stands_there_with_who_and_in_what_words(
    finding: Finding, olga: User, mira: User, now: datetime, signed_in: SignIn
) -> None:
    services.acknowledge(finding, by=by(olga), now=now)
    given = services.assign(finding, to=mira, by=by(olga), now=now)
    services.comment(given, text="Asked <the> vendor.", by=by(mira), now=now)
    asleep = services.snooze(given, until=now + A_DAY, reason="they look", by=by(mira), now=now)
    services.snooze(asleep, until=None, by=by(mira), now=now)
    services.resolve(finding, root_cause="maintenance", reason="patch night", by=by(mira), now=now)
    page = page_of(signed_in(olga), finding)
    for words in (
        "Finding opened",
        "Finding acknowledged",
        "To: mira",
        "Asked &lt;the&gt; vendor.",
        "Until: 2026-11-19 14:32 UTC",
        "they look",
        "Finding woken",
        "How: Closed by a person, without evidence",
        "Cause: Maintenance window",
        "patch night",
    ):
        assert words in page, words


# Steps


def test_acknowledging_is_one_button(finding: Finding, olga: User, signed_in: SignIn) -> None:
    client = signed_in(olga)
    response = client.post(url_of(finding, "acknowledge_finding"), follow=True)
    assert response.redirect_chain == [(url_of(finding), 302)]
    assert "You have acknowledged the finding." in response.text
    assert url_of(finding, "acknowledge_finding") not in response.text


def test_the_second_to_acknowledge_reads_who_was_first(
    finding: Finding, olga: User, mira: User, now: datetime, signed_in: SignIn
) -> None:
    services.acknowledge(finding, by=by(mira), now=now)
    response = signed_in(olga).post(url_of(finding, "acknowledge_finding"))
    assert response.status_code == 422
    assert "mira has acknowledged this finding already. Nothing was changed." in response.text


def test_assigning_offers_those_who_may_handle_and_nobody_else(
    finding: Finding, olga: User, mira: User, ada: User, sam: User, signed_in: SignIn
) -> None:
    client = signed_in(olga)
    page = page_of(client, finding)
    assert '<option value="mira"' in page
    assert '<option value="ada"' not in page
    assert "assigned to mira." in client.post(url_of(finding, "assign_finding"), {"to": "mira"}, follow=True).text
    for stranger in ("ada", "sam", "ghost"):
        refused = client.post(url_of(finding, "assign_finding"), {"to": stranger})
        assert refused.status_code == 422
        assert "Choose somebody whose role handles findings." in refused.text
    finding.refresh_from_db()
    assert finding.assignee == mira


def test_what_was_decided_on_an_old_page_is_refused_with_what_is_so_now(
    finding: Finding, olga: User, mira: User, tom: User, now: datetime, signed_in: SignIn
) -> None:
    services.assign(finding, to=mira, by=by(olga), now=now)
    response = signed_in(tom).post(url_of(finding, "assign_finding"), {"to": "tom", "seen": "-"})
    assert response.status_code == 422
    assert "In the meantime this finding was assigned to mira." in response.text
    finding.refresh_from_db()
    assert finding.assignee == mira


def test_a_comment_that_is_too_long_comes_back_as_it_was_written(
    finding: Finding, olga: User, signed_in: SignIn
) -> None:
    client = signed_in(olga)
    too_long = "a word " * 200
    response = client.post(url_of(finding, "comment_finding"), {"text": too_long})
    assert response.status_code == 422
    assert too_long.strip() in response.text
    assert 'id="text-error"' in response.text
    assert "in the ledger" in client.post(url_of(finding, "comment_finding"), {"text": "short"}, follow=True).text


def test_putting_off_until_a_time_in_utc_and_waking(finding: Finding, olga: User, signed_in: SignIn) -> None:
    client, url = signed_in(olga), url_of(finding, "snooze_finding")
    response = client.post(url, {"until": "2026-11-20T08:00", "reason": "vendor"}, follow=True)
    assert "put off until 2026-11-20 08:00 UTC" in response.text
    assert "Wake it now" in response.text
    assert "awake again" in client.post(url, {"wake": "1"}, follow=True).text
    finding.refresh_from_db()
    assert finding.wakes_after is None


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ({"until": "2026-11-17T08:00", "reason": "x"}, "in the future"),
        ({"until": "2027-11-17T08:00", "reason": "x"}, "30 days at most"),
        ({"until": "9999-12-31T23:59", "reason": "x"}, "30 days at most"),
        ({"until": "soon", "reason": "x"}, "Write the time as"),
        ({"until": "", "reason": "x"}, "Say until when."),
        ({"until": "2026-11-20T08:00", "reason": " "}, "Say why."),
    ],
)
def test_a_time_that_does_not_do_is_named_and_nothing_is_changed(
    finding: Finding, olga: User, signed_in: SignIn, words: dict[str, str], why: str
) -> None:
    response = signed_in(olga).post(url_of(finding, "snooze_finding"), words)
    assert response.status_code == 422
    assert why in response.text
    finding.refresh_from_db()
    assert finding.wakes_after is None


def test_closing_names_the_cause(finding: Finding, olga: User, signed_in: SignIn) -> None:
    client, url = signed_in(olga), url_of(finding, "resolve_finding")
    assert "needs words" in client.post(url, {"root_cause": "other"}).text
    assert client.post(url, {"root_cause": "magic"}).status_code == 422
    response = client.post(url, {"root_cause": "falsePositive", "reason": "a lab"}, follow=True)
    page = " ".join(response.text.split())
    for words in ("The finding is closed.", "False positive", "a lab", "How it was closed"):
        assert words in page
    assert url not in page


def test_of_one_that_closed_by_itself_only_the_cause_is_named(
    finding: Finding, olga: User, now: datetime, signed_in: SignIn
) -> None:
    earlier = now - timedelta(minutes=1)
    Finding.objects.update(resolved_at=earlier, resolution="selfRecovered", resolved_by=by(olga).actor)
    client = signed_in(olga)
    assert "Name its root cause" in page_of(client, finding)
    response = client.post(url_of(finding, "resolve_finding"), {"root_cause": "network"}, follow=True)
    assert "it had closed by itself" in response.text
    finding.refresh_from_db()
    assert (finding.resolution, finding.root_cause) == (Resolution.SELF_RECOVERED, "network")


def test_with_script_the_page_is_swapped_in_place_and_says_so(finding: Finding, olga: User, signed_in: SignIn) -> None:
    client, url = signed_in(olga), url_of(finding, "comment_finding")
    done = client.post(url, {"text": "seen"}, headers=HTMX)
    assert done.status_code == 200
    assert done.text.lstrip().startswith('<div class="stack" id="finding">')
    assert 'id="live" hx-swap-oob="innerHTML">Your comment is in the ledger.' in done.text
    refused = client.post(url, {"text": ""}, headers=HTMX)
    assert refused.status_code == 422
    assert refused.text.lstrip().startswith('<div class="stack" id="finding">')


def test_who_only_looks_sees_no_form_and_cannot_post(finding: Finding, ada: User, signed_in: SignIn) -> None:
    client = signed_in(ada)
    page = page_of(client, finding)
    assert "You can look, but not handle findings" in page
    for step in ("acknowledge", "assign", "comment", "snooze", "resolve"):
        url = url_of(finding, f"{step}_finding")
        assert url not in page
        assert client.post(url).status_code == 403
    finding.refresh_from_db()
    assert finding.is_open


def test_a_get_of_a_step_leads_to_the_page_and_does_nothing(finding: Finding, olga: User, signed_in: SignIn) -> None:
    client = signed_in(olga)
    for step in ("acknowledge", "assign", "comment", "snooze", "resolve"):
        assert client.get(url_of(finding, f"{step}_finding")).headers["Location"] == url_of(finding)
    finding.refresh_from_db()
    assert finding.acknowledged_at is None


# Evidence


@pytest.mark.parametrize(
    ("evidence", "is_link"),
    [
        ("https://tickets.contoso.example/INC-7?a=1&b=2", True),
        ("http://tickets.contoso.example/", True),
        ("javascript:alert(1)", False),
        ("https://", False),
        ("see https://tickets.contoso.example/", False),
        ("//tickets.contoso.example/", False),
        ("https://[broken", False),
        ("INC-7", False),
    ],
)
def test_only_an_http_address_is_a_link(
    evidence: str, is_link: bool, mira: User, now: datetime, signed_in: SignIn
) -> None:
    ended = calls_cast.told_after_end(now=now)
    services.attest(ended, by=by(mira), reason="x", root_cause="network", evidence=evidence, now=now)
    page = page_of(signed_in(mira), ended)
    assert ('rel="noopener noreferrer"' in page) is is_link
    assert 'href="javascript' not in page


def test_a_file_is_named_with_its_size_and_sha256(mira: User, now: datetime, signed_in: SignIn) -> None:
    ended = calls_cast.told_after_end(now=now)
    file = ("rec-01.log", b"x" * 2048)
    closed = services.attest(ended, by=by(mira), reason="x", root_cause="network", file=file, now=now)
    page = page_of(signed_in(mira), ended)
    assert closed.evidence_file is not None
    for words in ("rec-01.log", "2.0 KB", closed.evidence_file.sha256[:8], "by mira"):
        assert words in page, words
    assert reverse("evidence_download", args=[closed.evidence_file.pk]) in page
