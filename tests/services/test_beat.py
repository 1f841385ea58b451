"""The worker beats for the site, which it asks where it can, so that a time without ears is noticed."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from django.db import connections
from pytest_django import DjangoAssertNumQueries, Settings
from pytest_django.live_server_helper import LiveServer

from recordings import services
from recordings.models import Beat, BlindSpot
from sandbox.server import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

LATER = timedelta(minutes=3)
# Nothing listens at the port that is reserved for nothing.
NOBODY = "http://127.0.0.1:1/readyz"


def test_the_worker_beats_for_the_site(now: datetime) -> None:
    assert services.beat(now)
    assert Beat.objects.get().beat_at == now


def test_few_ticks_write(now: datetime, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    services.beat(now)
    with django_assert_num_queries(1):
        services.beat(now + timedelta(seconds=9))
    services.beat(now + timedelta(seconds=10))
    assert Beat.objects.get().beat_at == now + timedelta(seconds=10)


def test_a_site_that_answers_is_a_beat(live_server: LiveServer, now: datetime, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    settings.WATCH_URL = f"{live_server.url}/readyz"
    assert services.beat(now)
    assert Beat.objects.get().beat_at == now
    connections.close_all()


def test_a_site_that_is_down_is_a_blind_spot_until_it_is_back(
    now: datetime, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    services.beat(now)
    settings.WATCH_URL = NOBODY
    with caplog.at_level(logging.ERROR):
        assert not services.beat(now + timedelta(minutes=1))
        assert not BlindSpot.objects.exists()
        services.beat(now + LATER)
        services.beat(now + 2 * LATER)
    spot = BlindSpot.objects.get()
    assert (spot.recorder, spot.from_at, spot.until_at) == (None, now, None)
    assert spot.why == "On Record could not be reached, so it took nothing in."
    assert [record.getMessage() for record in caplog.records] == [
        "On Record cannot be reached at WATCH_URL: ConnectionError"
    ]
    settings.WATCH_URL = ""
    services.beat(now + 3 * LATER)
    spot.refresh_from_db()
    assert spot.until_at == now + 3 * LATER


def test_workers_that_beat_at_once_after_a_gap_make_one_spot(now: datetime) -> None:
    services.beat(now)
    start = threading.Barrier(4)

    def work(_: int) -> None:
        start.wait()
        try:
            services.beat(now + LATER)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert [(spot.from_at, spot.until_at) for spot in BlindSpot.objects.all()] == [(now, now + LATER)]


@pytest.mark.parametrize("path", ["/", "/no-such-page"])
def test_a_redirect_or_an_error_is_no_answer(
    live_server: LiveServer, now: datetime, settings: Settings, path: str
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    services.beat(now)
    settings.WATCH_URL = f"{live_server.url}{path}"
    assert not services.beat(now + LATER)
    assert BlindSpot.objects.get().until_at is None
    connections.close_all()


def test_a_certificate_nobody_vouches_for_is_no_answer(sandbox: Sandbox, now: datetime, settings: Settings) -> None:
    """GRAPH_CA_BUNDLE is for Microsoft; the site is trusted as a recorder's machine trusts it."""
    settings.WATCH_URL = f"{sandbox.base_url}/v1/.well-known/keys"
    assert not services.beat(now)
