"""Well-known names of the stand-in. None of them opens anything anywhere else."""

TENANT_ID = "5a11d0c5-0000-4000-8000-000000000001"
OTHER_TENANT_ID = "5a11d0c5-0000-4000-8000-000000000002"
TENANTS = (TENANT_ID, OTHER_TENANT_ID)

CLIENT_ID = "b0700000-0000-4000-8000-000000000001"
CLIENT_SECRET = "sandbox-secret"  # noqa: S105  a constant that any reader may know
ROLES = ("Calls.AccessMedia.All", "Calls.JoinGroupCall.All")

HOST = "127.0.0.1"
PORT = 8443
DIRECTORY = "var/sandbox"

CALLBACK_ISSUER = "https://api.botframework.com"
CALLBACK_TOKEN_LIFETIME = 65 * 60
BOT_CALLBACK_URI = "https://bot.invalid/api/calls"

MAX_BODY = 1_000_000
MAX_CLIENT_CONTEXT = 256
IDLE_TIMEOUT = 30.0
HANDSHAKE_TIMEOUT = 5.0
