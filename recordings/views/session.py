"""Signing in and out, and what one person sets for one session: the theme, and whether pages update themselves."""

from datetime import timedelta

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from recordings.views.back import own_url, way_back

THEMES = ("auto", "light", "dark")


class SignInForm(AuthenticationForm):
    """One sentence for a wrong name, a wrong password and a disabled account: a stranger learns nothing from it."""

    error_messages = dict.fromkeys(
        ("invalid_login", "inactive"),
        "This user name and password do not match, or the account may not sign in. Try again, or ask who keeps the "
        "accounts here.",
    )


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def login(request: HttpRequest) -> HttpResponse:
    form = SignInForm(request, data=request.POST or None)
    wanted = request.POST.get("next") or request.GET.get("next", "")
    if request.method == "POST" and form.is_valid():
        auth.login(request, form.get_user())
        # An end that no later change of the session moves.
        request.session.set_expiry(timezone.now() + timedelta(seconds=settings.SESSION_COOKIE_AGE))
        return redirect(own_url(request, wanted) or resolve_url(settings.LOGIN_REDIRECT_URL))
    context = {"form": form, "next": own_url(request, wanted)}
    return render(request, "recordings/login.html", context, status=422 if request.method == "POST" else 200)


@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    theme = request.session.get("theme")
    auth.logout(request)
    if theme:
        request.session["theme"] = theme
    return redirect(settings.LOGOUT_REDIRECT_URL)


@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    theme = request.POST.get("theme", "")
    if theme not in THEMES:
        return HttpResponseBadRequest("Choose auto, light or dark. Nothing was changed.", content_type="text/plain")
    request.session["theme"] = theme
    return redirect(way_back(request, otherwise=settings.LOGIN_REDIRECT_URL))


@login_required
@require_POST
def pause_updates(request: HttpRequest) -> HttpResponse:
    asked = request.POST.get("paused", "")
    is_paused = bool(request.session.get("updates_paused", False))
    request.session["updates_paused"] = asked == "1" if asked else not is_paused
    return redirect(way_back(request, otherwise=settings.LOGIN_REDIRECT_URL))
