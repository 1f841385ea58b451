"""Where a form leads back to: the page it was sent from, and only ever a page of this site."""

from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme


def own_url(request: HttpRequest, url: str) -> str:
    """`url` if it leads to this site, else an empty text: nobody is sent on to a stranger's page."""
    hosts = {request.get_host()}
    return url if url_has_allowed_host_and_scheme(url, hosts, require_https=request.is_secure()) else ""


def way_back(request: HttpRequest, *, otherwise: str) -> str:
    """The form's own `next`, or the page it was on, or else the URL named `otherwise`."""
    came_from = request.POST.get("next") or request.headers.get("Referer", "")
    return own_url(request, came_from) or resolve_url(otherwise)
