"""What a code means, in words for a compliance officer, and whether trying again can ever work.

What On Record itself does next depends on the correction that met the code, so `corrections` says that.

Sources: https://learn.microsoft.com/graph/errors and https://learn.microsoft.com/graph/api/call-delete; the calling
codes from the issues of microsoftgraph/microsoft-graph-comms-samples.
"""

from dataclasses import dataclass

from recordings.graph.errors.results import RESULTS_BY_CODE, RESULTS_BY_SUBCODE
from recordings.graph.errors.signin import SIGN_IN_PASSING, SIGN_IN_PASSING_CODES, SIGN_IN_REFUSALS, SIGN_IN_REFUSED


@dataclass(frozen=True)
class Explanation:
    """A title, what it means, what a person does next, and whether a retry can ever work as things stand."""

    title: str
    meaning: str
    next_step: str
    retry_can_work: bool


def explain(http_status: int | None, code: str, subcode: int | None = None) -> Explanation:
    """The words for an error: by its code, else by its DiagCode, else by its HTTP status. Never raises."""
    for key in (code, str(subcode)):
        if key in _CODES:
            return _CODES[key]
    if code.startswith("AADSTS"):
        return _SIGN_IN
    ended = next((RESULTS_BY_SUBCODE[key] for key in (str(subcode), code) if key in RESULTS_BY_SUBCODE), None)
    if ended and not _may_pass(http_status):
        return Explanation(*ended, retry_can_work=False)
    if http_status in _STATUSES:
        return _STATUSES[http_status]
    return _by_class(http_status)


def explain_result(code: int | None, subcode: int | None) -> Explanation:
    """The words for the resultInfo of a call: why it ended. A call that has ended takes no retry.

    Reference: https://learn.microsoft.com/graph/api/call-delete
    """
    title, meaning, next_step = RESULTS_BY_SUBCODE.get(str(subcode)) or RESULTS_BY_CODE.get(
        (code or 0) // 100, _NO_RESULT
    )
    return Explanation(title, meaning, next_step, retry_can_work=False)


def explain_operation_result(code: int | None, subcode: int | None) -> Explanation:
    """The words for the resultInfo of an operation that Graph took and then failed: nothing is open any more.

    Reference: https://learn.microsoft.com/graph/api/resources/resultinfo (2xx success, 4xx client, 5xx server)
    """
    named = next((str(word) for word in (subcode, code) if str(word) in KNOWN_CODES), "")
    if named:
        return explain(None, named)
    if code is None or code < 300:
        return _FAILED_WITHOUT_REASON
    return _FAILED_AT_IT if _may_pass(code) else explain(code, "")


def _may_pass(http_status: int | None) -> bool:
    """Whether the status alone says that it is trouble of the moment, whatever code stands beside it."""
    return http_status is not None and (http_status in (408, 429) or http_status >= 500)


def _by_class(http_status: int | None) -> Explanation:
    if http_status is None:
        return _NO_ANSWER
    if http_status >= 500:
        return _STATUSES[500]
    return _REDIRECTED if 300 <= http_status < 400 else _STATUSES[400] if http_status >= 400 else _UNREADABLE


_ADMIN = "Ask who looks after the recorder bot's app registration to "
_IF_IT_LASTS = "If it lasts, look at Microsoft's page of service health."
_NETWORK = "If it lasts, have the network between this server and Microsoft checked."

_NO_RESULT = (
    "No reason given",
    "Microsoft said that it ended, but not why.",
    "Compare with the recorder's own report.",
)
_NO_ANSWER = Explanation("No answer", "The request was made, but no usable answer is known.", _NETWORK, True)
_REDIRECTED = Explanation(
    "Answered by something else",
    "A proxy or sign-in portal between us and Microsoft sent the request elsewhere. Microsoft did not act.",
    _ADMIN + "let this server reach Microsoft Graph directly, or to set GRAPH_PROXY.",
    False,
)
_UNREADABLE = Explanation(
    "Unreadable answer",
    "Microsoft answered, but the answer could not be read.",
    "If it lasts, have checked whether a proxy between this server and Microsoft changes the answers.",
    True,
)
_SIGN_IN = Explanation(*SIGN_IN_REFUSED, retry_can_work=False)
_FAILED_AT_IT = Explanation(
    "Microsoft could not carry it out",
    "Microsoft took the correction and then failed at it, by an error of its own. Teams was not told.",
    "Look at the call: if the status is still wrong, correct it once more. " + _IF_IT_LASTS,
    True,
)
_FAILED_WITHOUT_REASON = Explanation(
    "Failed, without a reason given",
    "Microsoft took the correction and then said that it had failed, but not why. Teams was not told.",
    "Look at the call: if the status is still wrong, correct it once more.",
    True,
)

_STATUSES = {
    400: Explanation(
        "Request refused",
        "Microsoft did not understand or accept the request. It did not act.",
        "Report this with the request id: the same request will be refused again.",
        False,
    ),
    401: Explanation(
        "Token not accepted",
        "Microsoft does not accept our app's token, though On Record renewed it once. It did not act.",
        _ADMIN + "check the app's credential, its tenant and the clock of this server.",
        False,
    ),
    403: Explanation(
        "Not permitted",
        "Our app may not do this in the tenant of the call. Microsoft did not act.",
        _ADMIN + "check the app's permissions (Calls.AccessMedia.All) and the admin consent in that tenant.",
        False,
    ),
    404: Explanation(
        "Call gone",
        "Microsoft has no such call any more: it has ended, or it never was. No status can be set.",
        "Find out how the call ended and close the finding with an attestation.",
        False,
    ),
    408: Explanation("Microsoft took too long", "Microsoft gave up on the request.", _IF_IT_LASTS, True),
    409: Explanation(
        "In conflict with another change",
        "Another change to the call was under way. Microsoft did not act.",
        "Look at the call again; if the status is still wrong, correct it once more.",
        True,
    ),
    412: Explanation(
        "Not possible at this moment",
        "The call was not in a state that allows it, for instance not yet established. Microsoft did not act.",
        "Wait until the call is established; if the status is still wrong, correct it once more.",
        True,
    ),
    429: Explanation(
        "Asked to wait",
        "Too many requests reached Microsoft. It did not act on this one and told us to wait.",
        "If it happens often, make fewer corrections at a time, and find out what else uses the recorder bot's app.",
        True,
    ),
    500: Explanation("Trouble at Microsoft", "Microsoft had an internal error.", _IF_IT_LASTS, True),
    502: Explanation(
        "Trouble on Microsoft's side of the way", "A gateway got no proper answer from Microsoft.", _IF_IT_LASTS, True
    ),
    503: Explanation(
        "Microsoft is overloaded or in maintenance", "Microsoft cannot take requests just now.", _IF_IT_LASTS, True
    ),
    504: Explanation(
        "Microsoft's answer did not come in time", "A gateway gave up waiting for Microsoft.", _IF_IT_LASTS, True
    ),
}

_CODES = {
    "8506": Explanation(
        "Not a compliance recording call",
        "The recorder did not come to this call by a recording policy, so Teams takes no recording status for it.",
        "Make sure that nothing is being recorded there, and have the user's recording policy checked.",
        False,
    ),
    "8522": _STATUSES[404],
    "7503": Explanation(
        "App not registered for calling",
        "Microsoft does not know our app as a calling bot. No status can be set for any call until that is mended.",
        _ADMIN + "enable calling, with a webhook, on the bot's registration.",
        False,
    ),
    "7504": Explanation(
        "No permission in this tenant",
        "The app lacks admin consent in the tenant of the call, or the wrong tenant was asked.",
        _ADMIN + "have an administrator of that tenant consent to the app.",
        False,
    ),
    "7505": Explanation(
        "Wrong tenant",
        "Our token is for another tenant than the call's.",
        _ADMIN + "set GRAPH_TENANT_ID to the tenant of the calls.",
        False,
    ),
    "9999": Explanation(
        "Microsoft's calling service failed",
        "A general failure; the DiagCode in its message tells Microsoft's support more.",
        "Report it to Microsoft's support with the request id, the call id and the time.",
        False,
    ),
    "dns": Explanation(
        "Microsoft's address was not found",
        "This server could not look up the name, so nothing was sent.",
        "If it lasts, have the network and its name service checked.",
        True,
    ),
    "connect": Explanation(
        "Microsoft could not be reached",
        "No connection came about, so nothing was sent.",
        "If it lasts, have the network and the firewall checked.",
        True,
    ),
    "tls": Explanation(
        "The connection could not be trusted",
        "The certificate shown to us is not trusted here, so nothing was sent.",
        _ADMIN + "check GRAPH_CA_BUNDLE and any inspecting proxy.",
        False,
    ),
    "proxy": Explanation(
        "The proxy did not connect us",
        "The way to Microsoft goes through a proxy that refused or failed, so nothing was sent.",
        "If it lasts, have GRAPH_PROXY checked.",
        True,
    ),
    "configuration": Explanation(
        "Our own settings are not usable",
        "The tenant, the app's id, its credential or an address is missing or wrong, so nothing was sent.",
        _ADMIN + "check the GRAPH_ settings.",
        False,
    ),
    "deadline": Explanation(
        "Out of time",
        "The time allowed for this ran out.",
        "If it lasts, have the network checked, and whether GRAPH_DEADLINE is too short.",
        True,
    ),
    "turn": Explanation(
        "Not its turn yet",
        "On Record sends Microsoft only so many requests a second, and none while Microsoft asks for a pause.",
        "Nothing: it is sent as soon as its turn comes. If that happens often, have GRAPH_RATE checked.",
        True,
    ),
    "timeout": Explanation("No answer in time", "The request left, and no answer came in time.", _NETWORK, True),
    "reset": Explanation("Connection lost", "The connection broke before an answer came.", _NETWORK, True),
    "unreadable": _UNREADABLE,
    **{code: Explanation(*words, retry_can_work=False) for code, words in SIGN_IN_REFUSALS.items()},
    **dict.fromkeys(SIGN_IN_PASSING_CODES, Explanation(*SIGN_IN_PASSING, retry_can_work=True)),
}

KNOWN_CODES = frozenset(_CODES) | frozenset(RESULTS_BY_SUBCODE)
