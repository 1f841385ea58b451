"""Verification and exports, as an auditor meets them."""

from recordings.choices.worded import Worded


class VerificationStatus(Worded):
    WAITING = "waiting", "mute", "o-pending", "Waiting"
    RUNNING = "running", "info", "o-running", "Running"
    PASSED = "passed", "ok", "seal", "Nothing was altered"
    ALARMED = "alarmed", "bad", "v-critical", "Altered"
    BROKEN = "broken", "warn", "o-failed", "Could not be finished"


class Alarm(Worded):
    """What verification can find. The value is the stable code."""

    BODY_CHANGED = "bodyChanged", "bad", "v-critical", "The text of an entry was changed after it was sealed"
    COLUMN_CHANGED = "columnChanged", "bad", "v-critical", "A column of an entry differs from its text"
    ENTRY_MISSING = "entryMissing", "bad", "v-critical", "A sealed entry is missing"
    ENTRY_INSERTED = "entryInserted", "bad", "v-critical", "An entry is there that was never put in line for a seal"
    ENTRY_MISDATED = "entryMisdated", "bad", "v-critical", "An entry is dated otherwise than when it was written"
    ENTRY_DOUBLED = "entryDoubled", "bad", "v-critical", "An entry has, or waits for, a second place"
    LEAVES_CHANGED = "leavesChanged", "bad", "v-critical", "The stored places of entries were changed"
    NODE_CHANGED = "nodeChanged", "bad", "v-critical", "A stored part of the tree was changed"
    SEAL_REPLACED = "sealReplaced", "bad", "v-critical", "A seal does not fit the entries under it"
    SEAL_UNSIGNED = "sealUnsigned", "bad", "v-critical", "A seal's signature is not valid"
    SEAL_MISSING = "sealMissing", "bad", "v-critical", "A seal is missing"
    SEAL_MISDATED = "sealMisdated", "bad", "v-critical", "A seal is dated otherwise than when it was made"
    KEY_FOREIGN = "keyForeign", "bad", "v-critical", "Seals are under a key that is not this worker's"
    ROW_DIFFERS = "rowDiffers", "bad", "v-critical", "A record differs from the entry about it"
    ROW_MISSING = "rowMissing", "bad", "v-critical", "A record is missing of which there is an entry"
    ROW_UNTOLD = "rowUntold", "bad", "v-critical", "A record has no entry"
    NOT_CONSISTENT = "notConsistent", "bad", "v-critical", "The ledger is not the one a checkpoint from elsewhere saw"


class ExportSheet(Worded):
    HISTORY = "history", "mute", "operations", "History"
    CALLS = "calls", "mute", "calls", "Calls"
    OPERATIONS = "operations", "mute", "operations", "Corrections"
    FINDINGS = "findings", "mute", "findings", "Findings"
    LEDGER = "ledger", "mute", "seal", "Ledger"
    PACK = "pack", "mute", "seal", "Evidence pack"


class ExportFormat(Worded):
    EXACT = "exact", "mute", "exports", "CSV, exact"
    SPREADSHEET = "spreadsheet", "mute", "exports", "CSV, safe to open in a spreadsheet"
    JSONL = "jsonl", "mute", "exports", "JSON Lines"


class ExportStatus(Worded):
    WAITING = "waiting", "mute", "o-pending", "Waiting"
    RUNNING = "running", "info", "o-running", "Running"
    READY = "ready", "ok", "o-completed", "Ready"
    FAILED = "failed", "bad", "o-failed", "Failed"
    EXPIRED = "expired", "mute", "o-expired", "Expired"
