"""Asking for an evidence pack on the page of a call or a finding."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from recordings.choices import ExportSheet, ExportStatus
from recordings.models import Call, Export, Finding, Seal
from tests.exports.background import make, seal
from tests.pages import calls_cast

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ledger_key")]

WISH = {"reason": "the court asked", "checkpoint": ""}


@pytest.fixture(autouse=True)
def stopped_clock(now: datetime) -> Iterator[None]:
    with time_machine.travel(now, tick=False):
        yield


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def call(now: datetime) -> Call:
    call = calls_cast.capturing_untold(now=now - timedelta(minutes=5))
    seal(now - timedelta(minutes=1))
    return call


def url_of(call: Call) -> str:
    return reverse("call_pack", args=[call.graph_id])


def test_the_button_on_the_call_leads_to_a_pack_among_the_exports(call: Call, now: datetime, olga: User) -> None:
    client = client_of(olga)
    assert f'href="{url_of(call)}"' in client.get(reverse("call_detail", args=[call.graph_id])).text
    assert "the newest" in client.get(url_of(call)).text.lower()
    answer = client.post(url_of(call), WISH, follow=True)
    assert answer.redirect_chain == [(reverse("export_list"), 302)]
    assert "Evidence pack" in answer.text
    export = Export.objects.get()
    assert (export.sheet, export.query, export.status) == (ExportSheet.PACK, "call=call-untold", ExportStatus.WAITING)
    make(now)
    file = client.get(reverse("export_download", args=[export.pk]))
    assert b"".join(file).startswith(b"PK")
    assert "pack-" in file["Content-Disposition"]


def test_the_button_on_a_finding_leads_to_its_pack(call: Call, olga: User) -> None:
    finding = Finding.objects.get(call=call)
    client, url = client_of(olga), reverse("finding_pack", args=[finding.pk])
    assert f'href="{url}"' in client.get(reverse("finding_detail", args=[finding.pk])).text
    client.post(url, WISH)
    assert Export.objects.get().query == f"finding={finding.pk}"


def test_an_earlier_checkpoint_can_be_named_in_the_address(call: Call, now: datetime, olga: User) -> None:
    size = Seal.objects.order_by("-size").values_list("size", flat=True)[0]
    calls_cast.recorded(now=now)
    seal(now)
    client = client_of(olga)
    assert f'value="{size}"' in client.get(f"{url_of(call)}?checkpoint={size}").text
    client.post(url_of(call), WISH | {"checkpoint": str(size)})
    assert Export.objects.get().seal_id == size


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"reason": " "}, "Say what the pack is for."),
        ({"reason": "x" * 501}, "Keep the reason to 500 characters."),
        ({"checkpoint": "eleven"}, "There is no checkpoint of size"),
        ({"checkpoint": "9" * 21}, "The size of a checkpoint is a number"),
    ],
)
def test_what_is_not_understood_is_named_and_nothing_is_asked_for(
    words: dict[str, str], sentence: str, call: Call, olga: User
) -> None:
    answer = client_of(olga).post(url_of(call), WISH | words)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert not Export.objects.exists()


def test_before_the_first_seal_the_page_says_so(now: datetime, olga: User) -> None:
    call = calls_cast.recorded(now=now)
    client = client_of(olga)
    assert "was not sealed yet" in client.get(url_of(call)).text
    assert client.post(url_of(call), WISH).status_code == 422


def test_who_may_not_export_finds_no_pack(call: Call, sam: User) -> None:
    assert client_of(sam).get(url_of(call)).status_code == 403
    assert client_of(sam).post(url_of(call), WISH).status_code == 403


def test_a_call_that_is_none_is_not_found(call: Call, olga: User) -> None:
    assert client_of(olga).get(reverse("call_pack", args=["no-such-call"])).status_code == 404
    assert client_of(olga).get(reverse("finding_pack", args=[999])).status_code == 404
