"""Pages stay open where somebody has made the text of entries unreadable: finding that is for verification."""

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse

from recordings import findings
from recordings.models import Call, Finding, LedgerEntry
from tests.owning import switch_triggers_off
from tests.pages import calls_cast
from tests.pages.corrections import completed

pytestmark = pytest.mark.django_db


@pytest.fixture
def call(now: datetime, mira: User) -> Call:
    """Corrected, with a finding that was opened; and then every entry is forged."""
    call = calls_cast.recorded("call-1", now=now - timedelta(hours=9))
    completed(call, by=mira, now=now)
    findings.sweep(now)
    connection.check_constraints()
    switch_triggers_off()
    LedgerEntry.objects.update(body="[" * 100_000)
    return call


@pytest.mark.parametrize(
    "page", ["overview", "call_list", "operation_list", "finding_list", "ledger_list", "access_report"]
)
def test_the_lists_open(client: Client, ada: User, call: Call, page: str) -> None:
    client.force_login(ada)
    assert client.get(reverse(page)).status_code == 200


def test_the_pages_of_the_call_and_of_its_findings_open(client: Client, ada: User, call: Call) -> None:
    client.force_login(ada)
    assert client.get(reverse("call_detail", args=[call.graph_id])).status_code == 200
    for finding in Finding.objects.all():
        assert client.get(reverse("finding_detail", args=[finding.pk])).status_code == 200
    assert Finding.objects.exists()


def test_what_was_known_at_a_moment_is_refused_in_words(client: Client, ada: User, call: Call, now: datetime) -> None:
    client.force_login(ada)
    response = client.get(reverse("call_detail", args=[call.graph_id]), {"as_of": now.isoformat()})
    assert response.status_code == 409
    assert "cannot be read: somebody changed its text" in response.content.decode()
