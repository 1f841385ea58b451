"""Whose word a change is, said once."""

from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from recordings.choices import ChangedField, Source
from recordings.models import Actor, StatusChange
from tests import cast
from tests.pages.conftest import SignIn

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stopped_clock")]


def test_a_change_by_graph_is_not_twice_the_word_of_graph(now: datetime, olga: User, signed_in: SignIn) -> None:
    StatusChange.objects.create(
        call=cast.call("call-1", at=now, capture="started"),
        field=ChangedField.STATE,
        old="establishing",
        new="established",
        source=Source.GRAPH,
        actor=Actor.objects.graph(),
        occurred_at=now,
        recorded_at=now,
    )
    page = signed_in(olga).get(reverse("call_detail", args=["call-1"])).text
    words = [cell.split("</td>")[0] for cell in page.split('data-label="Whose word"')[1:]]
    assert [cell.count("Microsoft Graph") for cell in words if "Microsoft Graph" in cell] == [1]
    assert any("rec-01" in cell and "Recorder" in cell for cell in words)
