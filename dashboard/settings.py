"""Settings, read from the environment and from `.env`. README.md holds the table; `recordings/checks.py` the checks.

A name with `_FILE` behind it is read from that file instead (container secrets).
"""

import os
from pathlib import Path
from typing import Any

import environ
from django.utils.csp import CSP
from environ.fileaware_mapping import FileAwareMapping

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"


class _AsWritten(FileAwareMapping):
    """Values as they stand. django-environ takes one that begins with `$` for the name of another variable, so a
    secret like `$ecret` would come out empty; each `$` is escaped here, and `escape_proxy` takes the escapes away.

    Every name that is asked for is remembered, so that the ledger can say which setting changed."""

    asked: set[str] = set()

    def __getitem__(self, key: str) -> str:
        self.asked.add(key)
        return str(super().__getitem__(key)).replace("$", r"\$")


env = environ.FileAwareEnv()
env.ENVIRON, env.escape_proxy = _AsWritten(), True
environ.Env.read_env(os.environ.get("ENV_FILE", str(BASE_DIR / ".env")))

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="for-development-only-" * 3 if DEBUG else "")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if DEBUG else [])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
PUBLIC_URL = env.str("PUBLIC_URL", default="")
BEHIND_TLS_PROXY = env.bool("BEHIND_TLS_PROXY", default=False)

INSTALLED_APPS = [
    "recordings",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "django_filters",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "dashboard.middleware.sign_in_again",
]

ROOT_URLCONF = "dashboard.urls"
WSGI_APPLICATION = "dashboard.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.csp",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]


def _database(url: str) -> dict[str, Any]:
    """Django's settings for one database URL. SQLite is made safe for many threads and for power loss."""
    database: dict[str, Any] = env.db_url_config(url)
    if database["ENGINE"].endswith("sqlite3"):
        database["OPTIONS"] = {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA recursive_triggers=ON;",
        }
        return database
    database["CONN_MAX_AGE"] = 60
    database["CONN_HEALTH_CHECKS"] = True
    return database


DATABASES = {"default": _database(env.str("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'onrecord.sqlite3'}"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# People
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "login"
SESSION_COOKIE_AGE = 8 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"

# The browser's own guards. Cookies are bound to TLS wherever the site is.
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF, CSP.NONCE],
    "style-src": [CSP.SELF, CSP.NONCE],
    "img-src": [CSP.SELF],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
    "base-uri": [CSP.NONE],
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https:") or not DEBUG
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_TLS_PROXY else None
SECURE_SSL_REDIRECT = not DEBUG
SECURE_HSTS_SECONDS = 0 if DEBUG else 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not DEBUG
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]

# No secret leaves on an error page, not even on a developer's (invariant 9).
DEFAULT_EXCEPTION_REPORTER_FILTER = "dashboard.error_pages.DiscreetFilter"

# Forms of people; what machines post has a limit of its own in recordings/views/webhooks.py.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
# That bounds everything but files.
FILE_UPLOAD_HANDLERS = ["recordings.views.uploads.BoundedUploadHandler"]

LANGUAGE_CODE = "en-gb"
FORMAT_MODULE_PATH = ["dashboard.formats"]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# Background work is written against django.tasks; `manage.py work` runs the worker of the chosen engine.
TASKS_ENGINE = env.str("TASKS_ENGINE", default="embedded")
# procrastinate's migrations and models are PostgreSQL's own, so its app is there only where it can work. What cannot
# work is refused at start (onrecord.E011); until then dj-queue stands in, so that `migrate` and the check itself run.
if TASKS_ENGINE == "distributed" and DATABASES["default"]["ENGINE"].endswith("postgresql"):
    INSTALLED_APPS.append("procrastinate.contrib.django")
    TASKS = {"default": {"BACKEND": "dashboard.engines.procrastinate_backend.ProcrastinateBackend"}}
    TASKS_WORKER = "dashboard.engines.distributed.work"
else:
    INSTALLED_APPS.append("dj_queue")
    TASKS = {"default": {"BACKEND": "dj_queue.backend.DjQueueBackend"}}
    TASKS_WORKER = "dashboard.engines.embedded.work"

# Microsoft Graph: see recordings/graph/clouds.py for what an empty value means.
GRAPH_CLOUD = env.str("GRAPH_CLOUD", default="global")
GRAPH_BASE_URL = env.str("GRAPH_BASE_URL", default="")
GRAPH_AUTHORITY = env.str("GRAPH_AUTHORITY", default="")
GRAPH_SCOPE = env.str("GRAPH_SCOPE", default="")
GRAPH_TENANT_ID = env.str("GRAPH_TENANT_ID", default="")
GRAPH_CLIENT_ID = env.str("GRAPH_CLIENT_ID", default="")
GRAPH_CLIENT_SECRET = env.str("GRAPH_CLIENT_SECRET", default="")
GRAPH_CLIENT_CERTIFICATE = env.str("GRAPH_CLIENT_CERTIFICATE", default="")
GRAPH_CLIENT_CERTIFICATE_PASSWORD = env.str("GRAPH_CLIENT_CERTIFICATE_PASSWORD", default="")
GRAPH_CLIENT_ASSERTION_FILE = os.environ.get("GRAPH_CLIENT_ASSERTION_FILE", "")
GRAPH_CA_BUNDLE = env.str("GRAPH_CA_BUNDLE", default="")
GRAPH_PROXY = env.str("GRAPH_PROXY", default="")
GRAPH_TIMEOUT = env.str("GRAPH_TIMEOUT", default="5,10")
GRAPH_DEADLINE = env.float("GRAPH_DEADLINE", default=15.0)
GRAPH_MAX_ATTEMPTS = env.int("GRAPH_MAX_ATTEMPTS", default=4)
GRAPH_RATE = env.float("GRAPH_RATE", default=50.0)
GRAPH_BURST = env.int("GRAPH_BURST", default=100)
BULK_WIDTH = env.int("BULK_WIDTH", default=32)
CALLBACK_AUDIENCE = env.str("CALLBACK_AUDIENCE", default="")
CALLBACK_ISSUERS = env.list("CALLBACK_ISSUERS", default=[])
CALLBACK_JWKS_URL = env.str("CALLBACK_JWKS_URL", default="")
ALLOW_STAND_IN = env.bool("ALLOW_STAND_IN", default=False)

# The ledger's seals. The key is read by the worker and `manage.py seal`, never by the site: give it to them alone.
LEDGER_SIGNING_KEY = env.str("LEDGER_SIGNING_KEY", default="")
LEDGER_ORIGIN = env.str("LEDGER_ORIGIN", default="")
LEDGER_SEAL_SECONDS = env.float("LEDGER_SEAL_SECONDS", default=5.0)
LEDGER_VERIFY_SECONDS = env.float("LEDGER_VERIFY_SECONDS", default=86400.0)
LEDGER_WITNESSES = env.list("LEDGER_WITNESSES", default=[])

# Rules: seconds of grace; the defaults stand in recordings/rules/facts.py.
REQUIRE_APPROVAL = env.str("REQUIRE_APPROVAL", default="unproven")
APPROVAL_EXPIRES = env.float("APPROVAL_EXPIRES", default=1800.0)
CLAIM_FRESH = env.float("CLAIM_FRESH", default=60.0)
STUCK_AFTER_END = env.float("STUCK_AFTER_END", default=30.0)
STUCK_BEFORE_START = env.float("STUCK_BEFORE_START", default=30.0)
STUCK_BEFORE_STOP = env.float("STUCK_BEFORE_STOP", default=30.0)
STUCK_TOLD_OTHERWISE = env.float("STUCK_TOLD_OTHERWISE", default=30.0)
STUCK_OPERATION = env.float("STUCK_OPERATION", default=60.0)
STUCK_FAILED = env.float("STUCK_FAILED", default=30.0)
STUCK_NO_SIGN = env.float("STUCK_NO_SIGN", default=900.0)
STUCK_ORPHAN = env.float("STUCK_ORPHAN", default=900.0)
STUCK_DROPPED = env.float("STUCK_DROPPED", default=60.0)
STUCK_REFUSED = env.float("STUCK_REFUSED", default=0.0)
STUCK_TENANT = env.float("STUCK_TENANT", default=0.0)
STUCK_INCOMING = env.float("STUCK_INCOMING", default=15.0)
STUCK_ESTABLISHING = env.float("STUCK_ESTABLISHING", default=60.0)
STUCK_FLAPPING_WINDOW = env.float("STUCK_FLAPPING_WINDOW", default=600.0)
STUCK_FLAPPING_CHANGES = env.int("STUCK_FLAPPING_CHANGES", default=4)
STUCK_OVER_AGE = env.float("STUCK_OVER_AGE", default=86400.0)
STUCK_SILENT_RECORDER = env.float("STUCK_SILENT_RECORDER", default=120.0)
REOPEN_WITHIN = env.float("REOPEN_WITHIN", default=3600.0)
SETTLE_GRACE = env.float("SETTLE_GRACE", default=60.0)
SYNC_AFTER = env.float("SYNC_AFTER", default=60.0)
SYNC_CALLS = env.int("SYNC_CALLS", default=50)
EXPORT_KEPT_SECONDS = env.float("EXPORT_KEPT_SECONDS", default=604800.0)
WATCH_URL = env.str("WATCH_URL", default="")

# All names above, also those that are not set. A change of one is recorded when a process starts.
FROM_ENVIRONMENT = sorted({*_AsWritten.asked, "GRAPH_CLIENT_ASSERTION_FILE"})

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    # The debug lines of the first three quote headers and bodies, tokens included (invariant 9); the others tell of
    # every job that there is nothing to tell.
    "loggers": {
        name: {"level": "WARNING"}
        for name in ("urllib3", "msal", "requests", "django.tasks", "dj_queue", "procrastinate")
    },
}
