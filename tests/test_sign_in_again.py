"""A session that ended while a page was open: no sign-in form lands in a fragment, and the person comes back."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("stood_on", "goes_to"),
    [
        ("http://testserver/calls/call-1/?x=1", "/login/?next=%2Fcalls%2Fcall-1%2F%3Fx%3D1"),
        ("https://evil.example/calls/", "/login/"),
        ("", "/login/"),
    ],
)
def test_htmx_is_sent_to_sign_in_and_back_to_its_page(client: Client, stood_on: str, goes_to: str) -> None:
    response = client.get("/calls/", headers={"HX-Request": "true", "HX-Current-URL": stood_on})
    assert response["HX-Redirect"] == goes_to
    assert response.content == b""


def test_a_plain_request_is_redirected_as_ever(client: Client) -> None:
    response = client.get("/calls/")
    assert (response.status_code, response["Location"]) == (302, "/login/?next=/calls/")
