"""The product's own settings, as a developer's machine would have them; only the password hasher is made cheap."""

import os

from tests.sealing import seal

# Those of a real installation must not leak into the tests, nor into the processes they start.
seal(os.environ)
os.environ["DEBUG"] = "1"
os.environ["ENV_FILE"] = os.devnull

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: E402
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat  # noqa: E402

from dashboard.settings import *  # noqa: E402, F403
from sandbox.defaults import CLIENT_ID, TENANT_ID  # noqa: E402

# The ledger's key, the same in every test: with DEBUG off none is made by itself.
_key = Ed25519PrivateKey.from_private_bytes((1).to_bytes(32))
LEDGER_SIGNING_KEY = _key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
LEDGER_ORIGIN = "onrecord.contoso.example/ledger"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
GRAPH_TENANT_ID, GRAPH_CLIENT_ID = TENANT_ID, CLIENT_ID
# Tests run with DEBUG off and talk to the stand-in.
ALLOW_STAND_IN = True
# Nothing is collected for a test; static files are found where they are written.
WHITENOISE_AUTOREFRESH = True
# The threads of a live server would keep their connections, and the test database could not be dropped.
DATABASES["default"]["CONN_MAX_AGE"] = 0  # noqa: F405
