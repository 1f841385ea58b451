"""The note on every page that shows a time of which nobody knows: no change there is no proof that nothing changed."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import template
from django.db.models import QuerySet
from django_filters import FilterSet

from recordings.models import BlindSpot, Call, Finding

register = template.Library()

NOTE = "recordings/parts/blind_spots.html"
# The latest ones are named; the history export has them all.
MOST_NAMED = 5

type Shown = dict[str, Any]
type Time = tuple[datetime | None, datetime | None]


@register.inclusion_tag(NOTE)
def blind_spots_since(hours: int, now: datetime) -> Shown:
    """Those of anybody in the last `hours`."""
    return _note(BlindSpot.objects.covering(now - timedelta(hours=hours), None), now)


@register.inclusion_tag(NOTE)
def blind_spots_of_list(chosen: FilterSet, now: datetime, shown: Time = (None, None)) -> Shown:
    """Those of the days a list was asked for; without any, of the time its rows cover, else of this moment."""
    words = getattr(chosen.form, "cleaned_data", {})
    since, until = _moment(words.get("from"), time.min), _moment(words.get("to"), time.max)
    if since is None and until is None:
        since, until = shown[0] or now, shown[1]
    spots = BlindSpot.objects.covering(since, until)
    recorder = words.get("recorder")
    return _note(spots.of(recorder) if recorder else spots, now)


@register.inclusion_tag(NOTE)
def blind_spots_of_call(call: Call, now: datetime) -> Shown:
    """Those of the call's recorder, and our own, in the life of the call."""
    return _note(BlindSpot.objects.covering(call.began_at, call.over_at).of(call.recorder_id), now)


@register.inclusion_tag(NOTE)
def blind_spots_of_finding(finding: Finding, now: datetime) -> Shown:
    """Those of the subject's time: of the whole call, or for as long as a recorder or tenant is in trouble."""
    if finding.call:
        return blind_spots_of_call(finding.call, now)
    return _note(BlindSpot.objects.covering(finding.since_at, finding.resolved_at).of(finding.recorder_id), now)


@register.inclusion_tag(NOTE)
def blind_spots_named(spots: list[BlindSpot], now: datetime) -> Shown:
    """Those the page has read already, in the order of time."""
    return _shown(spots[::-1], now)


def _note(spots: QuerySet[BlindSpot], now: datetime) -> Shown:
    return _shown(list(spots.order_by("-from_at", "-id")[: MOST_NAMED + 1]), now)


def _shown(latest: list[BlindSpot], now: datetime) -> Shown:
    return {"spots": latest[:MOST_NAMED], "has_more": len(latest) > MOST_NAMED, "now": now}


def _moment(day: date | None, at: time) -> datetime | None:
    return datetime.combine(day, at, tzinfo=UTC) if day else None
