"""One URL, the whole page or a part of it: what htmx asks for."""

from django.http import HttpRequest


def asks_for_part(request: HttpRequest) -> bool:
    """Whether htmx asks for a fragment; a boosted link and a step back in the history want the whole page."""
    asked_by_htmx = request.headers.get("HX-Request") == "true"
    wants_the_page = ("HX-Boosted", "HX-History-Restore-Request")
    return asked_by_htmx and not any(request.headers.get(name) == "true" for name in wants_the_page)


def is_poll(request: HttpRequest) -> bool:
    """Whether the page asks by itself for what has changed (`?poll=1`), rather than a person."""
    return asks_for_part(request) and "poll" in request.GET
