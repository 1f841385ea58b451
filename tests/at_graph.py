"""What reaches Graph, as the stand-in has written it down."""

from sandbox.server import Sandbox

UPDATE = "updateRecordingStatus"


def posts(sandbox: Sandbox) -> list[dict[str, object]]:
    """Every POST about a call, in order."""
    return [entry for entry in sandbox.log() if entry["method"] == "POST" and "calls" in str(entry["path"])]
