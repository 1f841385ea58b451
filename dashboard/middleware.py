"""Project-wide request handling without a domain word."""

from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect

type Handler = Callable[[HttpRequest], HttpResponse]


def sign_in_again(get_response: Handler) -> Handler:
    """Send an htmx request of an expired session to the sign-in page, instead of swapping that page into a fragment."""

    def handle(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        asked_by_htmx = request.headers.get("HX-Request") == "true"
        if not asked_by_htmx or response.status_code not in (301, 302):
            return response
        if urlsplit(response.headers["Location"]).path != resolve_url(settings.LOGIN_URL):
            return response
        return HttpResponseClientRedirect(f"{resolve_url(settings.LOGIN_URL)}{_and_back(request)}")

    return handle


def _and_back(request: HttpRequest) -> str:
    """The page the person stood on, as the sign-in page's `next`; never another host's."""
    at = request.headers.get("HX-Current-URL", "")
    if not url_has_allowed_host_and_scheme(at, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return ""
    parts = urlsplit(at)
    return "?" + urlencode({"next": f"{parts.path}?{parts.query}" if parts.query else parts.path})
