"""Why a status is stuck, how bad that is, and how it ended."""

from recordings.choices.worded import Worded


class Severity(Worded):
    CRITICAL = "critical", "bad", "v-critical", "Critical"
    HIGH = "high", "bad", "v-high", "High"
    MEDIUM = "medium", "warn", "v-medium", "Medium"
    LOW = "low", "mute", "v-low", "Low"


SEVERITY_ORDER = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)


class Rule(Worded):
    """Why a status is stuck. The value is the stable code an auditor quotes; the room rules holds the conditions.

    R1 to R19 are the codes of the reference on Graph; a code that is missing here is no rule of ours. R14, several legs
    of one person, is none either: Graph says that it is no error, so the pages show such legs together.
    """

    CAPTURING_UNTOLD = "R1", "bad", "v-critical", "Capturing, but Teams was not told"
    TOLD_NOT_CAPTURING = "R2", "bad", "v-high", "Told recording, but not capturing"
    TOLD_OTHERWISE = "R3", "bad", "v-critical", "Capturing, but Teams was told otherwise"
    OPERATION_UNSETTLED = "R4", "warn", "v-medium", "Correction not settled"
    OPERATION_FAILED = "R5", "bad", "v-high", "Correction failed, and nothing put it right"
    TOLD_AFTER_END = "R7", "bad", "v-high", "Still told recording after the call ended"
    NO_SIGN_OF_LIFE = "R8", "warn", "v-medium", "No sign of life"
    ORPHAN_LEG = "R9", "bad", "v-high", "The call goes on without its recorder"
    DROPPED = "R10", "bad", "v-high", "Recorder dropped in mid-call"
    STATUS_REFUSED = "R11", "warn", "v-medium", "Microsoft takes no status for this call"
    TENANT_BLOCKED = "R12", "bad", "v-critical", "Microsoft refuses the whole tenant"
    NEVER_ESTABLISHED = "R13", "warn", "v-medium", "Never established"
    FLAPPING = "R17", "warn", "v-medium", "Told status goes back and forth"
    OVER_AGE = "R19", "mute", "v-low", "Older than any call"
    SILENT_RECORDER = "R20", "bad", "v-high", "Recorder has gone silent"
    CLOCK_SKEWED = "R21", "warn", "o-pending", "Our clock and Microsoft's are apart"


class Subject(Worded):
    """What a finding is about."""

    CALL = "call", "mute", "calls", "Call"
    RECORDER = "recorder", "mute", "r-recording", "Recorder"
    TENANT = "tenant", "mute", "operations", "Tenant"


class Resolution(Worded):
    """How a finding was closed. Counted apart: a confirmation is not an attestation."""

    CONFIRMED_BY_GRAPH = "confirmedByGraph", "ok", "o-completed", "Confirmed by Graph"
    CONFIRMED_BY_RECORDER = "confirmedByRecorder", "ok", "o-completed", "Confirmed by the recorder"
    REFUSED_BY_GRAPH = "refusedByGraph", "warn", "o-failed", "Refused by Graph"
    LEFT_UNRESOLVED = "leftUnresolved", "warn", "o-unresolved", "Outcome left open"
    ATTESTED = "attested", "info", "seal", "Attested by a person"
    SELF_RECOVERED = "selfRecovered", "mute", "o-completed", "Recovered by itself"
    CALL_ENDED = "callEnded", "mute", "c-terminated", "The call ended first"
    FALSE_POSITIVE = "falsePositive", "mute", "o-cancelled", "False positive"
    CLOSED_BY_PERSON = "closedByPerson", "info", "person", "Closed by a person, without evidence"


# A person's word closes a condition that may go on: it stays closed until the condition begins anew.
SETTLED_BY_PERSON = (Resolution.ATTESTED, Resolution.FALSE_POSITIVE, Resolution.CLOSED_BY_PERSON)


class RootCause(Worded):
    RECORDER_CRASH = "recorderCrash", "mute", "warn", "Recorder crashed"
    SERVICE_BEHIND = "serviceBehind", "mute", "warn", "Service was behind"
    MAINTENANCE = "maintenance", "mute", "warn", "Maintenance window"
    NETWORK = "network", "mute", "warn", "Network"
    POLICY_NOT_ASSIGNED = "policyNotAssigned", "mute", "warn", "Policy not assigned"
    TEST_CALL = "testCall", "mute", "warn", "Test call"
    FALSE_POSITIVE = "falsePositive", "mute", "warn", "False positive"
    OTHER = "other", "mute", "warn", "Other (say so in the reason)"
