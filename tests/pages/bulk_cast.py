"""Calls as they are selected for a bulk job, and what its pages say of them."""

import re
from datetime import datetime, timedelta
from typing import Any

from django.test import Client
from django.urls import reverse

from recordings.models import Call
from tests import cast
from tests.pages import calls_cast

CHOSEN = re.compile(r'name="chosen" value="([^"]+)"')


def stopped(graph_id: str, *, now: datetime) -> Call:
    """Teams shows recording, and the recorder has just said that capture stopped."""
    cast.call(graph_id, at=now - timedelta(minutes=2), capture="started", told="recording")
    cast.heartbeat(graph_id, at=now - timedelta(seconds=5), capture="stopped")
    return Call.objects.get(graph_id=graph_id)


def over(graph_id: str, *, now: datetime) -> Call:
    """The call ended, and Teams is still told recording."""
    calls_cast.told_after_end(graph_id, now=now)
    return Call.objects.get(graph_id=graph_id)


def three_calls(now: datetime) -> list[Call]:
    """One that can be corrected, one that captures, one that is over and still stuck."""
    return [
        stopped("call-stopped", now=now),
        calls_cast.recorded("call-capturing", now=now),
        over("call-over", now=now),
    ]


def keys(calls: list[Call]) -> dict[str, list[int]]:
    return {"call": [call.pk for call in calls]}


def checked(client: Client, calls: list[Call], *, wish: str = "notRecording") -> tuple[Any, str]:
    """The page with the calls sorted, and what it gives back to start exactly these."""
    response = client.post(reverse("bulk_precheck"), {**keys(calls), "status": wish})
    assert response.status_code == 200
    return response, sealed(response)


def sealed(response: Any) -> str:
    found = CHOSEN.search(response.content.decode())
    assert found
    return found[1]


def groups(response: Any) -> dict[str, int]:
    return {group.standing.value: group.count for group in response.context["check"].groups}


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())
