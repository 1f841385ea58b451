"""Whatever stands in an address, nobody gets an error page of ours: what is not understood is named or left out."""

from urllib.parse import quote

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from recordings.filters import CallFilter, OperationFilter
from tests import cast

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
NONSENSE = (
    "\x00",
    "a\x00b",
    "99999999999999999999999999",
    "-1",
    "9999-12-31",
    "0001-01-01",
    "10000-01-01",
    "\ufffd" * 300,
    "9223372036854775808.9223372036854775808",
    "-62135596800000000.1",
    "00000000-0000-0000-0000-000000000000",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+23:59",
    "2026-99-99T00:00:00Z",
)
PLACES: dict[str, set[str]] = {
    "/": {"poll"},
    "/calls/": {*CallFilter.base_filters, "before", "poll"},
    "/calls/call-1/": {"poll", "status"},
    "/calls/call-1/correct/": {"status"},
    "/operations/": {*OperationFilter.base_filters, "before", "poll", "since", "from_key"},
    "/find/": {"q"},
    "/login/": {"next"},
    "/export/history.csv": {*CallFilter.base_filters, "call", "event_from", "event_to", "action", "flavour"},
    "/export/calls.csv": {*CallFilter.base_filters, "flavour"},
    "/export/operations.csv": {*OperationFilter.base_filters, "flavour"},
}


@pytest.fixture
def everybody(tom: User) -> Client:
    """Somebody who may do everything, on a site with one call."""
    cast.call(at=timezone.now(), capture="stopped", told="recording")
    tom.groups.set(Group.objects.all())
    client = Client(raise_request_exception=False)
    client.force_login(tom)
    return client


def status_of(client: Client, url: str, headers: dict[str, str]) -> int:
    response = client.get(url, headers=headers)
    if response.streaming:
        b"".join(response)  # an error in here is raised
    return response.status_code


@pytest.mark.parametrize(("place", "word"), [(place, word) for place in PLACES for word in sorted(PLACES[place])])
def test_no_word_of_an_address_breaks_a_page(everybody: Client, place: str, word: str) -> None:
    for nonsense in NONSENSE:
        for more, headers in (("", {}), ("", HTMX), ("&poll=1&since=2026-11-18T00:00:00Z", HTMX)):
            url = f"{place}?{word}={quote(nonsense)}{more}"
            assert status_of(everybody, url, headers) < 500, url


@pytest.mark.parametrize(
    "path",
    [
        "/findings/99999999999999999999999999/attest/",
        "/calls/x%00/",
        f"/calls/{'a' * 3000}/",
        "/operations/zz/check/",
        "/approvals/%00/",
    ],
)
def test_no_address_breaks_a_page(everybody: Client, path: str) -> None:
    assert status_of(everybody, path, {}) in (400, 404)
