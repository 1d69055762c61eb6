"""One settings file, driven by the environment. Every variable is in .env.example and docs/deploy.md.

Development needs none of them: `./run` starts the embedded servers and writes their addresses to
`var/env.json`, from which this file takes what the environment leaves out.
"""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import dj_database_url
from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured
from environs import Env

from annotate import __version__
from labeling.checks import unsafe

BASE_DIR = Path(__file__).resolve().parent.parent
env = Env()
VERSION = __version__

VAR_DIR = Path(env.str("ANNOTATE_VAR", str(BASE_DIR / "var"))).resolve()


def _attached() -> dict[str, str]:
    """Addresses and key of the embedded servers, as the supervisor wrote them; empty without one."""
    path = VAR_DIR / "env.json"
    return json.loads(path.read_text()) if path.exists() else {}


_running = _attached()


def _setting(name: str, default: str = "") -> str:
    """The environment wins, then the running embedded instance, then the default."""
    return str(env.str(name, "") or _running.get(name, "") or default)


PRODUCTION = env.bool("PRODUCTION", False)
DEBUG = env.bool("DEBUG", False)
SECRET_KEY = _setting("SECRET_KEY", "" if PRODUCTION else "development-only-key-of-no-value-outside-this-machine")
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", [])
ALLOWED_HOSTS: list[str] = env.list(
    "ALLOWED_HOSTS", [] if PRODUCTION else ["localhost", "127.0.0.1", "[::1]", "testserver"]
)
PUBLIC_URL = _setting("PUBLIC_URL", "http://127.0.0.1:8000")
HTTPS = PUBLIC_URL.startswith("https://")

# --- applications ---------------------------------------------------------------------------------
INSTALLED_APPS = [
    "labeling.apps.LabelingConfig",
    "exports.apps.ExportsConfig",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django_htmx",
    "template_partials",
    "rest_framework",
    "drf_spectacular",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "labeling.web.language.speak_the_language",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "labeling.web.middleware.sign_in_on_a_page",
    "labeling.web.middleware.private_pages",
]
ROOT_URLCONF = "annotate.urls"
WSGI_APPLICATION = "annotate.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "labeling.web.context.chrome",
            ],
        },
    }
]

# --- PostgreSQL -----------------------------------------------------------------------------------
DATABASE_URL = _setting("DATABASE_URL", "" if PRODUCTION else "postgresql://annotate@localhost/annotate")
DB_POOL_SIZE = env.int("DB_POOL_SIZE", 4)


def _database(url: str) -> dict[str, Any]:
    """The parts of an address of PostgreSQL; there is one dialect of SQL here. Empty is refused at the end."""
    try:
        if url and urlsplit(url).scheme in ("postgresql", "postgres"):
            return dict(dj_database_url.parse(url))
    except ValueError:
        pass  # no address at all
    if PRODUCTION and not url:
        return {}
    raise ImproperlyConfigured("DATABASE_URL is not an address like postgresql://user:password@host/name.")


DATABASES: dict[str, dict[str, Any]] = {
    "default": _database(DATABASE_URL)
    | {
        "CONN_MAX_AGE": 0,
        "OPTIONS": {
            # An acknowledged judgment must survive a crash of the server, whatever its configuration says.
            "options": "-c synchronous_commit=on -c idle_in_transaction_session_timeout=300000",
        },
    }
}
if DB_POOL_SIZE:
    DATABASES["default"]["OPTIONS"]["pool"] = {"min_size": 1, "max_size": DB_POOL_SIZE, "timeout": 10}
DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = env.bool("PGBOUNCER", False)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis: broker and cache ----------------------------------------------------------------------
REDIS_URL = _setting("REDIS_URL", "" if PRODUCTION else "redis://localhost:6379/0")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": env.str("CACHE_PREFIX", "annotate"),
    }
}


def _kombu(url: str) -> str:
    """redis-py spells a socket unix:///path?db=0, kombu spells it redis+socket:///path?virtual_host=0."""
    return url.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=", 1)


CELERY_BROKER_URL = _kombu(_setting("CELERY_BROKER_URL", REDIS_URL))
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_TIME_LIMIT = 600
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 20
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Above the longest task, or a long one would be delivered a second time while it still runs.
    "visibility_timeout": 3600,
    # kombu looks for messages of dead workers every interval x throttle seconds; its default is 100.
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "global_keyprefix": env.str("CELERY_PREFIX", ""),
    # A broker that swallows packets must not hold a request for its default of 20 seconds.
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
}
CELERY_BEAT_SCHEDULE = {
    "expire-leases": {"task": "labeling.tasks.expire_leases", "schedule": 10.0},
    "settle-queues": {"task": "labeling.tasks.settle_queues", "schedule": 5.0, "options": {"expires": 5}},
    "settle-queues-anew": {"task": "labeling.tasks.settle_queues_anew", "schedule": crontab(hour=3, minute=10)},
    "nudge-imports": {"task": "labeling.tasks.nudge_imports", "schedule": 15.0},
    "forget-uploads": {"task": "labeling.tasks.forget_unconfirmed_uploads", "schedule": 3600.0},
    "nudge-exports": {"task": "exports.tasks.nudge_exports", "schedule": 15.0},
    "nudge-pushes": {"task": "exports.tasks.nudge_pushes", "schedule": 15.0},
    # Each finds all that is due, so a message that nobody had time for is out of date when the next one comes.
    "deliver-webhooks": {"task": "labeling.tasks.deliver_webhooks", "schedule": 5.0, "options": {"expires": 5}},
    "keep-overviews": {"task": "labeling.tasks.keep_overviews", "schedule": 10.0, "options": {"expires": 10}},
    "watch-queues": {"task": "labeling.tasks.watch_queues", "schedule": 15.0, "options": {"expires": 15}},
    "nudge-analyses": {"task": "labeling.tasks.nudge_analyses", "schedule": 15.0, "options": {"expires": 15}},
    "analyse-all": {"task": "labeling.tasks.analyse_all", "schedule": crontab(hour=3, minute=20)},
    "tend-gold": {"task": "labeling.tasks.tend_gold", "schedule": 60.0, "options": {"expires": 60}},
    "look-for-disagreements": {
        "task": "labeling.tasks.look_for_disagreements",
        "schedule": 20.0,
        "options": {"expires": 20},
    },
    "nudge-plans": {"task": "labeling.tasks.nudge_plans", "schedule": 60.0, "options": {"expires": 60}},
    "set-beside-plans": {"task": "labeling.tasks.set_beside_plans", "schedule": 600.0, "options": {"expires": 600}},
    "look-through-everything": {"task": "labeling.tasks.look_through_everything", "schedule": 24 * 3600.0},
    "forget-deliveries": {"task": "labeling.tasks.forget_old_deliveries", "schedule": 3600.0},
}

# --- files ----------------------------------------------------------------------------------------
STORAGE_URL = env.str("STORAGE_URL", "" if PRODUCTION else str(VAR_DIR / "storage"))


def storage_of(url: str) -> dict[str, Any]:
    """A folder, or `s3://bucket/prefix`; `?addressing=path` is for servers that know no host name for each bucket."""
    if not url.startswith("s3://"):
        return {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": url}}
    parts = urlsplit(url)
    options: dict[str, Any] = {"bucket_name": parts.netloc, "location": parts.path.strip("/")}
    options |= {"file_overwrite": True, "default_acl": None}
    options["addressing_style"] = dict(parse_qsl(parts.query)).get("addressing")
    return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}


_static_backend = (
    "whitenoise.storage.CompressedManifestStaticFilesStorage"
    if PRODUCTION
    else "django.contrib.staticfiles.storage.StaticFilesStorage"
)
STORAGES = {"default": storage_of(STORAGE_URL), "staticfiles": {"BACKEND": _static_backend}}
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = not PRODUCTION
UPLOAD_LIMIT = env.int("UPLOAD_LIMIT_MB", 2048) * 1024 * 1024
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]
DATA_UPLOAD_MAX_NUMBER_FIELDS = 400

EXPORT_WORKERS = env.int("EXPORT_WORKERS", 2)

# --- what goes out ---------------------------------------------------------------------------------
# Origins that webhooks and pushes may reach although they are inside, or not https on port 443.
HF_ENDPOINT = env.str("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
ALLOWED_ENDPOINT_ORIGINS: list[str] = [*env.list("ALLOWED_ENDPOINT_ORIGINS", []), HF_ENDPOINT]

# --- people ---------------------------------------------------------------------------------------
AUTH_USER_MODEL = "labeling.User"
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign_in"
PASSWORD_HASHERS = ["labeling.passwords.Argon2id", "django.contrib.auth.hashers.PBKDF2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
PASSWORD_RESET_TIMEOUT = 3600
INVITATION_DAYS = env.int("INVITATION_DAYS", 7)
EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend" if PRODUCTION else "django.core.mail.backends.console.EmailBackend"
)
_mail = env.dj_email_url("EMAIL_URL", "smtp://localhost:25")
EMAIL_HOST, EMAIL_PORT = _mail["EMAIL_HOST"], _mail["EMAIL_PORT"]
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_USER"], _mail["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail["EMAIL_USE_TLS"], _mail["EMAIL_USE_SSL"]
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "Annotate <annotate@localhost>")
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# --- sessions and headers -------------------------------------------------------------------------
# Sessions live in PostgreSQL: losing Redis must not sign every rater out in the middle of a pair.
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "annotate_session"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "annotate_csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "labeling.web.sign_in_again.csrf_failure"
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if HTTPS else []
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", False) else None
SECURE_SSL_REDIRECT = PRODUCTION and HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^livez$"]
SECURE_HSTS_SECONDS = 63072000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
_SELF = ["'self'"]
_NONE = ["'none'"]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {"default-src": _NONE}
    | {f"{name}-src": _SELF for name in ("script", "style", "img", "font", "connect", "manifest")}
    | {f"{name}-src": _NONE for name in ("object", "frame", "worker", "media")}
    | {"form-action": _SELF, "base-uri": _NONE, "frame-ancestors": _NONE}
}
PERMISSIONS_POLICY: dict[str, list[str]] = {
    name: []
    for name in (
        "camera",
        "display-capture",
        "geolocation",
        "gyroscope",
        "magnetometer",
        "microphone",
        "payment",
        "usb",
    )
}

# --- the API --------------------------------------------------------------------------------------
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["labeling.api.tokens.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "labeling.api.wire.OnlyJson",
    "DEFAULT_RENDERER_CLASSES": ["labeling.api.wire.JsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["labeling.api.wire.JsonParser"],
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "labeling.api.problems.problem_details",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Annotate",
    "DESCRIPTION": "Collect human preferences and export them as training data.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SORT_OPERATIONS": False,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "POSTPROCESSING_HOOKS": ["labeling.api.schema.add_problems"],
}

# --- language, time, logs -------------------------------------------------------------------------
LANGUAGE_CODE = "en"
# Each by its own name. docs/translating.md says what a further one needs.
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文"), ("zh-hant", "繁體中文")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["annotate.formats"]
LANGUAGE_COOKIE_NAME = "__Host-language" if HTTPS else "annotate_language"
LANGUAGE_COOKIE_SECURE = HTTPS
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
TIME_ZONE = "UTC"
USE_TZ = True
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO" if PRODUCTION else "WARNING")},
    # At their lower levels these write out addresses and headers, with the keys in them.
    "loggers": {
        name: {"level": "WARNING"}
        for name in ("boto3", "botocore", "s3transfer", "urllib3", "httpx2", "httpcore2", "huggingface_hub")
    },
}

# Web server, worker and management commands all come through here, so none of them starts unsafely.
if PRODUCTION and (_unsafe := unsafe(globals())):
    raise ImproperlyConfigured(" ".join(_unsafe))
