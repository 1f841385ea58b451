"""A hook that cannot do its work says so in one sentence, and no error page shows what a machine sent with it."""

from typing import Any

import pytest
from django.db import DatabaseError
from django.utils import timezone
from pytest_django import Settings

from recordings.models import Recorder
from tests import cast
from tests.ingest.posting import GRAPH, RECORDER, Machine, error_of, stored

pytestmark = pytest.mark.django_db

# Far from what fails: a developer's error page shows the source around that.
TOKEN, PROXY_PASSWORD = "a-token-nobody-may-see", "proxys-password"


@pytest.mark.parametrize(
    "changed",
    [
        {"GRAPH_CLIENT_ID": "", "CALLBACK_AUDIENCE": ""},
        {"GRAPH_TENANT_ID": ""},
        {"GRAPH_CLOUD": "moon"},
        {"GRAPH_CLOUD": "dod", "CALLBACK_ISSUERS": [], "CALLBACK_JWKS_URL": ""},
    ],
)
def test_a_site_that_is_not_configured_takes_no_notification_and_says_so(
    settings: Settings, changed: dict[str, Any]
) -> None:
    for name, value in changed.items():
        setattr(settings, name, value)
    before = stored()
    answer = Machine(GRAPH, "x.y.z").post({"value": []})
    assert answer.status_code == 503
    assert error_of(answer) == "This site is not configured to take notifications. Nothing was stored."
    assert stored() == before


@pytest.mark.parametrize("debug", [True, False])
def test_no_error_page_shows_a_recorders_token(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, debug: bool, caplog: pytest.LogCaptureFixture
) -> None:
    settings.DEBUG, settings.GRAPH_PROXY = debug, f"http://proxy:{PROXY_PASSWORD}@proxy.example"

    def fail(*args: object, **words: object) -> None:
        raise DatabaseError("down")

    monkeypatch.setattr(Recorder.objects, "filter", fail)
    answer = Machine(RECORDER, TOKEN).post(cast.event("heartbeat", at=timezone.now(), calls=[]))
    assert answer.status_code == 500
    for secret in (TOKEN, PROXY_PASSWORD):
        assert secret not in answer.text
        assert secret not in caplog.text
