"""What stands beside the calls: a tenant Microsoft may refuse, times nobody watched, and what of Graph may be used."""

from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models.functions import Coalesce

from recordings import rules
from recordings.models.people import Recorder

# While Microsoft refuses the whole tenant, On Record by itself tries again so often.
ASK_AGAIN = timedelta(seconds=60)


class TenantQuerySet(models.QuerySet["Tenant"]):
    def blocked(self) -> Self:
        return self.filter(blocked_at__isnull=False)

    def resting(self, now: datetime) -> Self:
        """Blocked, and asked so lately (aware UTC) that nothing but a person's own click goes there now."""
        return self.blocked().filter(refused_at__gt=now - ASK_AGAIN)


class Tenant(models.Model):
    """How Microsoft treats our app in one tenant, the subject of rules R12 and R21. Written by `ingest` only."""

    tenant_id = models.CharField(max_length=64, unique=True)
    blocked_at = models.DateTimeField(null=True, blank=True)
    blocked_code = models.CharField(max_length=64, blank=True)
    blocked_message = models.CharField(max_length=1024, blank=True)
    refused_at = models.DateTimeField(null=True, blank=True)
    served_at = models.DateTimeField(null=True, blank=True)
    # A copy of the ClockSkew that goes on, so that the facts come with the row.
    clock_skewed_at = models.DateTimeField(null=True, blank=True)
    clock_seconds = models.FloatField(default=0.0)
    due_after = models.DateTimeField(null=True, blank=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["due_after"], name="tenant_due", condition=models.Q(due_after__isnull=False))]

    def __str__(self) -> str:
        return self.tenant_id

    def facts(self) -> rules.TenantFacts:
        """What the rules need of this tenant."""
        return rules.TenantFacts(
            blocked_at=self.blocked_at,
            code=self.blocked_code,
            message=self.blocked_message,
            clock_skewed_at=self.clock_skewed_at,
            clock_seconds=self.clock_seconds,
        )


class BlindSpotQuerySet(models.QuerySet["BlindSpot"]):
    def covering(self, start: datetime | None, end: datetime | None) -> Self:
        """Those that touch the time from `start` to `end` (aware UTC); None leaves that side open."""
        spots = self.all()
        if end:
            spots = spots.filter(from_at__lte=end)
        if start:
            spots = spots.filter(models.Q(until_at__isnull=True) | models.Q(until_at__gte=start))
        return spots.order_by("from_at", "id")

    def of(self, recorder: Recorder | int | None) -> Self:
        """Those of the recorder, and our own; of no recorder, our own only."""
        return self.filter(models.Q(recorder=recorder) | models.Q(recorder=None))


class BlindSpot(models.Model):
    """A time in which we could not know: a silent recorder, or, without a recorder, our own ingest down."""

    recorder = models.ForeignKey(Recorder, null=True, blank=True, on_delete=models.PROTECT)
    from_at = models.DateTimeField()
    until_at = models.DateTimeField(null=True, blank=True)
    why = models.CharField(max_length=255)

    objects = BlindSpotQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["from_at"], name="blind_spot_from")]
        constraints = [
            # NULLs are never alike, so a site's own spot counts as that of a recorder no row can have.
            models.UniqueConstraint(
                Coalesce("recorder", 0), condition=models.Q(until_at__isnull=True), name="one_open_blind_spot"
            )
        ]

    def __str__(self) -> str:
        return f"blind spot of {self.whose} from {self.from_at:%Y-%m-%d %H:%M:%S}"

    @property
    def whose(self) -> str:
        """Who was silent, or could not listen. Read it of rows that came with their recorder."""
        return str(self.recorder or "On Record")

    def touches(self, start: datetime, end: datetime | None, *, recorder_id: int | None) -> bool:
        """Whether it says something about what that recorder did from `start` to `end`; None is still going on."""
        if self.recorder_id not in (None, recorder_id):
            return False
        return (end is None or self.from_at <= end) and (self.until_at is None or self.until_at >= start)


class ClockSkewQuerySet(models.QuerySet["ClockSkew"]):
    def covering(self, start: datetime | None, end: datetime | None) -> Self:
        """Those that touch the time from `start` to `end` (aware UTC); None leaves that side open."""
        skews = self.filter(from_at__lte=end) if end else self.all()
        if start:
            skews = skews.filter(models.Q(until_at__isnull=True) | models.Q(until_at__gte=start))
        return skews.order_by("from_at", "id")


class ClockSkew(models.Model):
    """A time in which our clock and Microsoft's were apart: times written then may be off by so much."""

    from_at = models.DateTimeField()
    until_at = models.DateTimeField(null=True, blank=True)
    # Ours minus Graph's, of the answer that was furthest off.
    seconds = models.FloatField()
    seen_at = models.DateTimeField()
    due_after = models.DateTimeField(null=True, blank=True)

    objects = ClockSkewQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["from_at"], name="clock_skew_from"),
            models.Index(fields=["due_after"], name="clock_due", condition=models.Q(due_after__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"clock {self.seconds:+.1f} s from {self.from_at:%Y-%m-%d %H:%M:%S}"

    def touches(self, start: datetime, end: datetime | None) -> bool:
        """Whether times written from `start` to `end` may be off; None is still going on."""
        return (end is None or self.from_at <= end) and (self.until_at is None or self.until_at >= start)


class Beat(models.Model):
    """The last time a part of On Record itself was known to be up."""

    name = models.CharField(max_length=32, unique=True)
    beat_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name


class RequestBudget(models.Model):
    """A token bucket that all workers share: how many requests Graph may get from us, and until when it gets none."""

    name = models.CharField(max_length=64, unique=True)
    tokens = models.FloatField()
    refilled_at = models.DateTimeField()
    closed_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
