"""Why the sign-in service gave no token: code to (title, meaning, next step).

Reference: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
"""

from collections.abc import Mapping

from recordings.graph.errors.results import Words

_ADMIN = "Ask who looks after the recorder bot's app registration to "
SIGN_IN_REFUSED: Words = (
    "Sign-in refused",
    "Microsoft's sign-in service refused our app, so nothing was sent. It will go on doing so until somebody acts.",
    _ADMIN + "look up the AADSTS code on Microsoft's page of sign-in errors and mend the app registration.",
)
SIGN_IN_PASSING: Words = (
    "Sign-in is having trouble",
    "The sign-in service has a passing problem, so nothing was sent.",
    "If it lasts, look at Microsoft's page of service health.",
)
# "sign-in" is our own word for an answer that never came or could not be read
SIGN_IN_PASSING_CODES = (
    "sign-in",
    "AADSTS50033",
    "AADSTS90006",
    "AADSTS90024",
    "AADSTS90033",
    "temporarily_unavailable",
)
_FEDERATED: Words = (
    "Federated identity does not match",
    "No federated credential of the app fits the token we presented.",
    _ADMIN + "compare issuer and subject with the app's federated credential.",
)
SIGN_IN_REFUSALS: Mapping[str, Words] = {
    **dict.fromkeys(
        # OAuth's own words (RFC 6749, 5.2), and ours for any other
        ("invalid_client", "unauthorized_client", "invalid_scope", "invalid_request", "sign-in-refused"),
        SIGN_IN_REFUSED,
    ),
    **dict.fromkeys(("AADSTS700211", "AADSTS700212", "AADSTS700213"), _FEDERATED),
    "AADSTS7000215": (
        "Wrong client secret",
        "The sign-in service does not know the secret we hold; often the secret's id was copied instead of its value.",
        _ADMIN + "put the value of a valid client secret into GRAPH_CLIENT_SECRET.",
    ),
    "AADSTS7000222": (
        "Client secret expired",
        "The app's secret is past its date, so no token is given.",
        _ADMIN + "make a new client secret and set GRAPH_CLIENT_SECRET.",
    ),
    "AADSTS7000112": (
        "App disabled",
        "The app is switched off in the tenant.",
        _ADMIN + "have the tenant's administrator enable it.",
    ),
    "AADSTS90002": (
        "Tenant not found",
        "There is no such tenant in this cloud.",
        _ADMIN + "check GRAPH_TENANT_ID and GRAPH_CLOUD.",
    ),
    "AADSTS900023": (
        "Tenant not valid",
        "What is set as the tenant is neither a tenant's id nor one of its names.",
        _ADMIN + "set GRAPH_TENANT_ID to the id of the tenant.",
    ),
    "AADSTS7000229": (
        "App not added to this tenant",
        "The app is registered, but the tenant has not taken it in.",
        _ADMIN + "have an administrator of the tenant consent to the app.",
    ),
    "AADSTS7000218": (
        "No credential given",
        "The sign-in service got neither a secret nor a signed claim from us.",
        _ADMIN + "set GRAPH_CLIENT_SECRET or GRAPH_CLIENT_CERTIFICATE.",
    ),
    "AADSTS700016": (
        "App not known in this tenant",
        "The tenant has no such app: it was not consented to there, or the id is wrong.",
        _ADMIN + "check GRAPH_CLIENT_ID and the admin consent.",
    ),
    "AADSTS700027": (
        "Certificate not accepted",
        "The app's registration does not have the certificate we signed with, or it has expired.",
        _ADMIN + "upload the certificate's public part to the app registration, or set the right one.",
    ),
    "AADSTS700024": (
        "Signature outside its time",
        "Our signed claim is not valid at this time: a clock is wrong, or the federated token is old.",
        _ADMIN + "check the clock of this server and what renews the federated token.",
    ),
    "AADSTS70011": (
        "Wrong scope",
        "The scope we asked for does not exist.",
        _ADMIN + "remove GRAPH_SCOPE, or set it to the Graph root of the cloud followed by /.default.",
    ),
    "AADSTS500011": (
        "Resource not known in this tenant",
        "The scope names a service that the tenant does not have; often the cloud is the wrong one.",
        _ADMIN + "check GRAPH_CLOUD and GRAPH_SCOPE.",
    ),
    "AADSTS50034": (
        "Account not found",
        "The account does not exist in the tenant.",
        _ADMIN + "check GRAPH_TENANT_ID and GRAPH_CLIENT_ID.",
    ),
    "AADSTS53003": (
        "Blocked by Conditional Access",
        "A policy of the tenant blocks our app from signing in from here.",
        _ADMIN + "have the tenant's Conditional Access for workload identities checked.",
    ),
}
