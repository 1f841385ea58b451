"""Who may open a page: sign-in first, then the right; without it a page that says what to do."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from recordings import permissions
from recordings.permissions import NotAllowed

type View[**P] = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def needs[**P](verb: str) -> Callable[[View[P]], View[P]]:
    """`@needs("look")`: the view runs for a signed-in person whose role includes `verb`.

    A NotAllowed that a service raises inside the view ends on the same 403 page. No page is kept by the browser: a
    step back would show a fragment of the same address, and who has signed out would still read names.
    """

    def guard(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            try:
                permissions.require(request.user, verb)
                return view(request, *args, **kwargs)
            except NotAllowed as refusal:
                return no_role(request, refusal)

        return cast(View[P], login_required(never_cache(guarded)))

    return guard


def no_role(request: HttpRequest, refusal: NotAllowed) -> HttpResponse:
    """The 403 page. htmx puts it in place of the page's content, never into the fragment that asked."""
    whole = not request.headers.get("HX-Request")
    template = "recordings/no_role.html" if whole else "recordings/no_role.html#message"
    response = render(request, template, {"refusal": refusal}, status=403)
    if not whole:
        response["HX-Retarget"], response["HX-Reswap"] = "#main", "innerHTML"
    return response
