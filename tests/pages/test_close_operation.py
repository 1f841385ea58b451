"""Closing a correction whose outcome nobody can find out."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from recordings.choices import OperationStatus
from recordings.models import Operation
from tests import cast
from tests.pages.corrections import completed, unknown

pytestmark = pytest.mark.django_db


@pytest.fixture
def lost(mira: User) -> Operation:
    return unknown(cast.call("call-1", at=timezone.now()), by=mira, now=timezone.now())


def test_the_page_says_what_closing_means(client: Client, mira: User, lost: Operation) -> None:
    client.force_login(mira)
    page = " ".join(client.get(reverse("close_operation", args=[lost.pk])).content.decode().split())
    assert "Teams may have been told “Failed”, or not." in page
    assert "the desk checked" in page


def test_a_reason_closes_it_and_leads_back_to_the_call(client: Client, mira: User, lost: Operation) -> None:
    client.force_login(mira)
    response = client.post(reverse("close_operation", args=[lost.pk]), {"reason": "Microsoft never answered"})
    assert response.headers["Location"] == reverse("call_detail", args=["call-1"])
    lost.refresh_from_db()
    assert lost.status == OperationStatus.UNRESOLVED


@pytest.mark.parametrize("reason", ["", "   ", "x" * 1001])
def test_without_a_reason_that_can_be_kept_nothing_is_closed(
    client: Client, mira: User, lost: Operation, reason: str
) -> None:
    client.force_login(mira)
    response = client.post(reverse("close_operation", args=[lost.pk]), {"reason": reason})
    assert response.status_code == 422
    assert 'aria-invalid="true"' in response.content.decode()
    lost.refresh_from_db()
    assert lost.status == OperationStatus.UNKNOWN


def test_a_settled_correction_is_not_closed_and_the_typed_text_is_kept(client: Client, mira: User) -> None:
    done = completed(cast.call("call-1", at=timezone.now()), by=mira, now=timezone.now())
    client.force_login(mira)
    response = client.post(reverse("close_operation", args=[done.pk]), {"reason": "my long explanation"})
    page = response.content.decode()
    assert response.status_code == 422
    assert "Its outcome is not open" in page
    assert "my long explanation" in page


def test_closing_needs_the_right_to_correct(client: Client, ada: User, lost: Operation) -> None:
    client.force_login(ada)
    assert client.get(reverse("close_operation", args=[lost.pk])).status_code == 403
    assert client.post(reverse("close_operation", args=[lost.pk]), {"reason": "x"}).status_code == 403
    lost.refresh_from_db()
    assert lost.status == OperationStatus.UNKNOWN


def test_an_unknown_operation_is_not_found(client: Client, mira: User) -> None:
    client.force_login(mira)
    url = reverse("close_operation", args=["01890000-0000-7000-8000-000000000000"])
    response = client.get(url)
    assert response.status_code == 404
    assert "There is no such page" in response.content.decode()
