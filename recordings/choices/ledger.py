"""Who acts, and every kind of step the ledger keeps."""

from recordings.choices.worded import Worded


class ActorKind(Worded):
    PERSON = "person", "mute", "person", "Person"
    RECORDER = "recorder", "mute", "r-recording", "Recorder"
    GRAPH = "graph", "info", "operations", "Microsoft Graph"
    JOB = "job", "mute", "o-running", "On Record"
    SHELL = "shell", "mute", "shell", "Command line"


class LedgerAction(Worded):
    """Every kind of step the ledger keeps. The label is the event's name in the history export."""

    STATUS_CHANGED = "status.changed", "info", "operations", "Change"
    CORRECTION_REQUESTED = "correction.requested", "info", "operations", "Correction requested"
    CORRECTION_REFUSED = "correction.refused", "warn", "o-cancelled", "Correction refused by On Record"
    CORRECTION_APPROVED = "correction.approved", "ok", "o-completed", "Correction approved"
    CORRECTION_DECLINED = "correction.declined", "mute", "o-declined", "Correction declined"
    CORRECTION_EXPIRED = "correction.expired", "mute", "o-expired", "Approval expired"
    CORRECTION_CANCELLED = "correction.cancelled", "mute", "o-cancelled", "Correction cancelled"
    CORRECTION_SENT = "correction.sent", "info", "operations", "Correction sent"
    CORRECTION_ANSWERED = "correction.answered", "info", "o-completed", "Correction answered"
    CORRECTION_WAITING = "correction.waiting", "info", "o-pending", "Correction waiting"
    CORRECTION_SETTLED = "correction.settled", "ok", "o-completed", "Correction settled"
    CORRECTION_UNRESOLVED = "correction.unresolved", "warn", "o-unresolved", "Correction unresolved"
    FINDING_OPENED = "finding.opened", "bad", "findings", "Finding opened"
    FINDING_REOPENED = "finding.reopened", "bad", "findings", "Finding opened again"
    FINDING_ACKNOWLEDGED = "finding.acknowledged", "info", "findings", "Finding acknowledged"
    FINDING_ASSIGNED = "finding.assigned", "info", "person", "Finding assigned"
    FINDING_COMMENTED = "finding.commented", "mute", "findings", "Comment on a finding"
    FINDING_SNOOZED = "finding.snoozed", "mute", "findings", "Finding put off"
    FINDING_RESOLVED = "finding.resolved", "ok", "findings", "Finding closed"
    FINDING_EXPLAINED = "finding.explained", "info", "findings", "Root cause named"
    FINDING_ATTESTED = "finding.attested", "info", "seal", "Attestation"
    BLIND_SPOT_OPENED = "blindSpot.opened", "warn", "r-unknown", "Blind spot began"
    BLIND_SPOT_CLOSED = "blindSpot.closed", "info", "r-unknown", "Blind spot ended"
    TENANT_BLOCKED = "tenant.blocked", "bad", "operations", "Microsoft refused the tenant"
    TENANT_CLEARED = "tenant.cleared", "ok", "operations", "Microsoft serves the tenant again"
    BULK_STARTED = "bulk.started", "info", "operations", "Bulk job started"
    BULK_STOPPED = "bulk.stopped", "warn", "o-cancelled", "Bulk job stopped"
    BULK_FINISHED = "bulk.finished", "info", "o-completed", "Bulk job finished"
    EXPORT_STARTED = "export.started", "mute", "exports", "Export started"
    EXPORT_FINISHED = "export.finished", "mute", "exports", "Export finished"
    EXPORT_ABORTED = "export.aborted", "warn", "exports", "Export aborted"
    EXPORT_REQUESTED = "export.requested", "mute", "exports", "Export asked for"
    EXPORT_DOWNLOADED = "export.downloaded", "mute", "exports", "Export downloaded"
    EXPORT_EXPIRED = "export.expired", "mute", "exports", "Export expired"
    EVIDENCE_DOWNLOADED = "evidence.downloaded", "mute", "exports", "Evidence downloaded"
    CALL_READ = "call.read", "mute", "calls", "Call's page read"
    HISTORY_READ = "history.read", "mute", "operations", "History read"
    IMPORT_FINISHED = "import.finished", "mute", "exports", "Import finished"
    SIGN_IN = "signin.succeeded", "mute", "person", "Signed in"
    SIGN_IN_FAILED = "signin.failed", "warn", "person", "Sign-in failed"
    ROLE_CHANGED = "role.changed", "mute", "person", "Role changed"
    ACCOUNT_CHANGED = "account.changed", "warn", "person", "Account changed"
    TOKEN_ISSUED = "token.issued", "mute", "person", "Recorder token issued"
    GROUP_CHANGED = "group.changed", "warn", "person", "Role's rights changed"
    SETTINGS_CHANGED = "settings.changed", "warn", "shell", "Settings changed"
    PERSON_FORGOTTEN = "person.forgotten", "mute", "person", "Name erased"
    KEY_FIRST_USED = "key.used", "warn", "key", "Ledger key used for the first time"
    VERIFICATION_FINISHED = "verification.finished", "mute", "seal", "Ledger verified"
    CLOCK_SKEWED = "clock.skewed", "warn", "o-pending", "Clocks apart"
    CLOCK_RIGHT = "clock.right", "mute", "o-pending", "Clocks together again"


# Every step of a finding, by the sweep or by people.
FINDING_ACTIONS = (
    LedgerAction.FINDING_OPENED,
    LedgerAction.FINDING_REOPENED,
    LedgerAction.FINDING_ACKNOWLEDGED,
    LedgerAction.FINDING_ASSIGNED,
    LedgerAction.FINDING_COMMENTED,
    LedgerAction.FINDING_SNOOZED,
    LedgerAction.FINDING_RESOLVED,
    LedgerAction.FINDING_EXPLAINED,
    LedgerAction.FINDING_ATTESTED,
)

HISTORY_ACTIONS = (
    LedgerAction.STATUS_CHANGED,
    LedgerAction.CORRECTION_REQUESTED,
    LedgerAction.CORRECTION_REFUSED,
    LedgerAction.CORRECTION_APPROVED,
    LedgerAction.CORRECTION_DECLINED,
    LedgerAction.CORRECTION_EXPIRED,
    LedgerAction.CORRECTION_CANCELLED,
    LedgerAction.CORRECTION_SENT,
    LedgerAction.CORRECTION_ANSWERED,
    LedgerAction.CORRECTION_WAITING,
    LedgerAction.CORRECTION_SETTLED,
    LedgerAction.CORRECTION_UNRESOLVED,
    *FINDING_ACTIONS,
    LedgerAction.BLIND_SPOT_OPENED,
    LedgerAction.BLIND_SPOT_CLOSED,
    LedgerAction.CLOCK_SKEWED,
    LedgerAction.CLOCK_RIGHT,
    LedgerAction.BULK_STARTED,
    LedgerAction.BULK_STOPPED,
    LedgerAction.BULK_FINISHED,
)
