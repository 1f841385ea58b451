"""What stands around every page: navigation with counts, the banner, whether updates run."""

from dataclasses import dataclass
from typing import Any

from django import template
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from recordings import permissions
from recordings.choices import Look
from recordings.graph.clouds import is_microsoft_host
from recordings.models import Call, Finding, Operation

register = template.Library()

THEMES = (Look("auto", "System", "", "screen"), Look("light", "Light", "", "sun"), Look("dark", "Dark", "", "moon"))

# By Django's level tag: how the result of what the reader did looks.
_TOASTS = {
    "error": ("bad", "o-failed"),
    "warning": ("warn", "o-unknown"),
    "info": ("info", "o-pending"),
    "success": ("ok", "o-completed"),
}


@dataclass(frozen=True)
class NavItem:
    """One link of the navigation; `count` 0 is not shown."""

    url: str
    icon: str
    label: str
    count: int = 0
    counted: str = ""
    tone: str = ""
    is_current: bool = False


@register.simple_tag(takes_context=True)
def nav_items(context: template.Context) -> list[NavItem]:
    """The links with what waits behind each: a count for each, read from a small index.

    Approvals are counted for those who can do something about them, and only those that they can.
    """
    request = context["request"]
    stuck = Finding.objects.open().count()
    may_decide = permissions.may(request.user, permissions.APPROVE)
    to_decide = Operation.objects.to_decide(request.user.pk, now=timezone.now()).count() if may_decide else 0
    here = _here(request)
    return [
        NavItem(reverse("overview"), "overview", "Overview", is_current=here == "overview"),
        NavItem(
            reverse("call_list"),
            "calls",
            "Calls",
            count=Call.objects.live().count(),
            counted="in progress",
            is_current=here == "calls",
        ),
        NavItem(
            reverse("finding_list"),
            "findings",
            "Findings",
            count=stuck,
            counted="open",
            tone="bad" if stuck else "",
            is_current=here == "findings",
        ),
        NavItem(
            reverse("operation_list"),
            "operations",
            "Operations",
            count=Operation.objects.live().count(),
            counted="in progress",
            is_current=here == "operations",
        ),
        NavItem(
            reverse("approval_list"),
            "o-awaitingApproval",
            "Approvals",
            count=to_decide,
            counted="waiting for you",
            tone="warn" if to_decide else "",
            is_current=here == "approvals",
        ),
        *_evidence(request, here),
    ]


def _evidence(request: HttpRequest, here: str) -> list[NavItem]:
    links = [NavItem(reverse("ledger_list"), "seal", "Ledger", is_current=here == "ledger")]
    if permissions.may(request.user, permissions.EXPORT):
        links.append(NavItem(reverse("export_list"), "exports", "Exports", is_current=here == "exports"))
    return links


# By the first word of a URL's name, where that is not the room's own.
_ROOMS = {
    "call": "calls",
    "correct": "calls",
    "finding": "findings",
    "acknowledge": "findings",
    "assign": "findings",
    "comment": "findings",
    "snooze": "findings",
    "resolve": "findings",
    "attest": "findings",
    "operation": "operations",
    "check": "operations",
    "close": "operations",
    "bulk": "operations",
    "approval": "approvals",
    "export": "exports",
    "ledger": "ledger",
    "seal": "ledger",
    "access": "ledger",
}


def _here(request: HttpRequest) -> str:
    name = (request.resolver_match.url_name if request.resolver_match else "") or ""
    return _ROOMS.get(name.split("_", maxsplit=1)[0], name)


@register.inclusion_tag("recordings/parts/banner.html")
def stand_in_banner() -> dict[str, bool]:
    """Says on every page, the admin's too, that this is not Microsoft (invariant 9)."""
    return {"shown": _is_stand_in()}


def _is_stand_in() -> bool:
    hosts = (settings.GRAPH_BASE_URL, settings.GRAPH_AUTHORITY)
    return bool(settings.ALLOW_STAND_IN) and any(url and not is_microsoft_host(url) for url in hosts)


@register.simple_tag(takes_context=True)
def theme(context: template.Context) -> str:
    """The side of the colours this person chose; `auto` follows the system."""
    chosen = _session(context).get("theme")
    return chosen if chosen in [known.value for known in THEMES] else "auto"


@register.simple_tag(takes_context=True)
def here(context: template.Context) -> str:
    """The address of this page, for a form that leads back to it; of an answer to a POST, the page before it."""
    request = context.get("request")
    if request is None:
        return ""
    path: str = request.get_full_path()
    return path if request.method in ("GET", "HEAD") else request.headers.get("Referer", path)


@register.simple_tag
def themes() -> tuple[Look, ...]:
    return THEMES


@register.simple_tag(takes_context=True)
def updates_paused(context: template.Context) -> bool:
    return bool(_session(context).get("updates_paused", False))


@register.inclusion_tag("recordings/parts/toast.html")
def toast(level: str, text: str) -> dict[str, str]:
    """What became of what the reader just did; `level` is one of Django's message tags."""
    tone, icon = _TOASTS.get(level, _TOASTS["info"])
    return {"tone": tone, "icon_id": icon, "text": text}


def _session(context: template.Context) -> Any:
    return getattr(context.get("request"), "session", {})
