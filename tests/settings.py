"""The product's own settings, as a developer's machine would have them; only the password hasher is made cheap."""

import os

os.environ.setdefault("DEBUG", "1")
os.environ.setdefault("ENV_FILE", "/dev/null")

from dashboard.settings import *  # noqa: F403
from sandbox.defaults import TENANT_ID

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
GRAPH_TENANT_ID = TENANT_ID
# Nothing is collected for a test; static files are found where they are written.
WHITENOISE_AUTOREFRESH = True
# The threads of a live server would keep their connections, and the test database could not be dropped.
DATABASES["default"]["CONN_MAX_AGE"] = 0  # noqa: F405
