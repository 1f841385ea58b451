"""One URL, the whole page or a part of it: what htmx asks for."""

from django.http import HttpRequest


def asks_for_part(request: HttpRequest) -> bool:
    """Whether htmx asks for a fragment; a boosted link wants the whole page."""
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-Boosted") != "true"


def is_poll(request: HttpRequest) -> bool:
    """Whether the page asks by itself for what has changed (`?poll=1`), rather than a person."""
    return asks_for_part(request) and "poll" in request.GET
