"""Why a call leg ended: (code, subcode) of resultInfo to (title, meaning, next step).

Reference: https://learn.microsoft.com/graph/api/call-delete and microsoftgraph/microsoft-graph-comms-samples,
issues 664, 667, 742 and 771; which of them is suspicious is our own reading.
"""

from collections.abc import Mapping

Words = tuple[str, str, str]

_NOTHING = "Nothing to do if the recorder reports the same end."
_GAP = "Look for the part of the conversation that was not recorded, and record the gap."
_NEVER = "Nothing was recorded. If the user did talk, look for another leg of the same conversation."

_OTHER_ENDED: Words = ("Ended by the other side", "The other party ended the call.", _NOTHING)
_OVER: Words = ("Conversation over", "The conversation ended, or nobody was left in it.", _NOTHING)
_BY_BOT: Words = (
    "Ended by the recorder",
    "The recorder hung up.",
    "Check that it stopped recording before it hung up.",
)
_REMOVED: Words = (
    "Recorder removed",
    "A participant removed the recorder from the call. The conversation may have gone on unrecorded.",
    _GAP,
)
_UNREACHED: Words = ("Never connected", "The call was not answered, not reachable or not routable.", _NEVER)
_PHONE: Words = ("Phone call ended", "The person on the phone ended the call.", _NOTHING)
_MEDIA: Words = ("Media connection lost", "Audio and video no longer reached the recorder.", _GAP)
_NO_SETUP: Words = ("Media could not be set up", "The recorder never received audio or video.", _NEVER)

RESULTS: Mapping[tuple[int | None, int | None], Words] = {
    **dict.fromkeys(((200, 4097), (200, 4521), (200, 18503)), _OTHER_ENDED),
    **dict.fromkeys(((200, 5000), (200, 5300)), _REMOVED),
    **dict.fromkeys(((200, sub) for sub in (5001, 5002, 5003, 5007, 5010, 5012, 5013, 5014, 5020, 5030)), _OVER),
    (200, 5855): ("Left waiting in the lobby", "Nobody let the recorder in.", _NEVER),
    **dict.fromkeys(((200, 7000), (200, 10550)), _BY_BOT),
    (200, 7015): ("Transferred", "The call was transferred and goes on as another leg.", "Look for the new leg."),
    **dict.fromkeys(((200, 540000), (200, 560000)), _PHONE),
    (408, 8537): (
        "Recorder went silent",
        "The recorder stopped sending signs of life, so Microsoft ended its leg: it has probably crashed.",
        _GAP,
    ),
    **dict.fromkeys(((408, 1106), (408, 10057), (480, 10037), (480, 10076), (480, 10134), (480, 10199)), _UNREACHED),
    (408, 8544): ("Recorder did not answer", "The recorder did not answer the invitation in time.", _NEVER),
    (410, 301005): _MEDIA,
    (500, 1005): _MEDIA,
    (500, 1999): (
        "Dropped by Microsoft",
        "An error at Microsoft ended the recorder's leg; the people may have gone on talking.",
        _GAP,
    ),
    (500, 7106): _NO_SETUP,
}
# A subcode means one thing, whatever code stands before it: 7106 also comes as "DiagCode: 3002#7106" or 3003#7106.
RESULTS_BY_SUBCODE: Mapping[str, Words] = {
    **{str(subcode): words for (_, subcode), words in RESULTS.items()},
    **dict.fromkeys(("3002", "3003"), _NO_SETUP),
}
# for pairs not listed, by the hundreds of the code
RESULTS_BY_CODE: Mapping[int, Words] = {
    2: ("Ended normally", "Microsoft reports a normal end.", _NOTHING),
    4: ("Ended with a refusal", "Microsoft reports a problem of the call or of the recorder.", _GAP),
    5: ("Ended by an error at Microsoft", "Microsoft reports an error of its own.", _GAP),
}
