"""Rules about what stands beside the calls: a recorder that has gone silent, and a tenant that Microsoft refuses."""

from datetime import datetime

from recordings.choices import Rule, Severity
from recordings.rules.facts import Graces, RecorderFacts, TenantFacts
from recordings.rules.verdict import Explained, Verdict, clock, duration


def silent_recorder(facts: RecorderFacts, graces: Graces) -> Verdict | None:
    """R20: a recorder that speaks sends heartbeats, so its silence is a fault or a blind spot (S9). Ours, not Graph's.

    One that never spoke is not in use yet, and while we could not listen, nobody was silent.
    """
    if facts.last_word_at is None or facts.is_disabled:
        return None
    due = max(facts.last_word_at, facts.listening_since or facts.last_word_at) + graces.silent_recorder
    return Verdict(Rule.SILENT_RECORDER, Severity.HIGH, facts.last_word_at, due)


def say_silent_recorder(facts: RecorderFacts, verdict: Verdict, now: datetime) -> Explained:
    return Explained(
        f"The recorder has said nothing for {duration(now - verdict.since)}; its last word came at"
        f" {clock(facts.last_word_at)}.",
        "What it captured in that time. Pages and exports of this time say that nobody watched.",
        "Look at the recorder, its network and its token. Its calls go on without a word of it.",
    )


def clock_skewed(facts: TenantFacts, graces: Graces) -> Verdict | None:
    """R21: several answers bore a Date (RFC 9110, 6.6.1) that our clock cannot have. Ours, not Graph's; no grace."""
    del graces
    if facts.clock_skewed_at is None:
        return None
    return Verdict(Rule.CLOCK_SKEWED, Severity.MEDIUM, facts.clock_skewed_at, facts.clock_skewed_at)


def say_clock_skewed(facts: TenantFacts, verdict: Verdict, now: datetime) -> Explained:
    side = "ahead of" if facts.clock_seconds > 0 else "behind"
    return Explained(
        f"The clock of this site is about {abs(facts.clock_seconds):.0f} s {side} Microsoft's, for"
        f" {duration(now - verdict.since)}.",
        "Which of the two is wrong, and when exactly something happened: times stand as they were written.",
        "Have the time service (NTP) of the machines of site and worker checked. The finding closes by itself.",
    )


def tenant_blocked(facts: TenantFacts, graces: Graces) -> Verdict | None:
    """R12: with 7503, 7504, 7505 or a refused sign-in no status can be set for any call of the tenant (S18)."""
    if facts.blocked_at is None:
        return None
    return Verdict(Rule.TENANT_BLOCKED, Severity.CRITICAL, facts.blocked_at, facts.blocked_at + graces.tenant)


def say_tenant_blocked(facts: TenantFacts, verdict: Verdict, now: datetime) -> Explained:
    said = f": {facts.message.rstrip('.')}" if facts.message else ""
    code = f" ({facts.code})" if facts.code else ""
    who = "Our own credential has not been usable" if facts.code == "configuration" else "Microsoft has refused our app"
    return Explained(
        f"{who} in this tenant for {duration(now - verdict.since)}{code}{said}.",
        "Whether the recorder's own app is refused, too.",
        "Have the app's registration, its credential and the tenant's consent checked. No correction can work before.",
    )
