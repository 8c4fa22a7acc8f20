"""Settings: declarative; readers live in `kernel.env`. Every variable is explained in `.env.example`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from syncconsole.kernel import env, logs
from syncconsole.unfold import UNFOLD  # noqa: F401
from syncconsole.wiring import CHANGE_READERS as WIRED_CHANGE_READERS
from syncconsole.wiring import ORDER_BOOKS as WIRED_ORDER_BOOKS
from syncconsole.wiring import ORDER_PULLS as WIRED_ORDER_PULLS
from syncconsole.wiring import PERSONAL_DATA as WIRED_PERSONAL_DATA
from syncconsole.wiring import RUN_KINDS as WIRED_RUN_KINDS
from syncconsole.wiring import SCOPE_FOLLOWER as WIRED_SCOPE_FOLLOWER

BASE_DIR = Path(__file__).resolve().parent.parent
env.env.read_env(BASE_DIR / ".env")  # the process environment wins over the file

VERSION = "0.1.0"
DEBUG = env.boolean("DEBUG", default=False)
SECURE = env.boolean("SECURE", default=False)
SECRET_KEY = env.text("SECRET_KEY")
FIELD_ENCRYPTION_KEYS = env.words("FIELD_ENCRYPTION_KEYS")
if not FIELD_ENCRYPTION_KEYS:
    raise ImproperlyConfigured("FIELD_ENCRYPTION_KEYS is not set. Secrets of stores are encrypted with it.")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
ALLOWED_API_HOSTS = env.words("ALLOWED_API_HOSTS")
"""Hosts besides `*.myshopify.com` that a store's API base URL may name, e.g. the sandbox's `127.0.0.1`."""
ENVIRONMENT_LABEL = env.text("ENVIRONMENT_LABEL", "")
PUBLIC_URL = env.text("PUBLIC_URL", "http://127.0.0.1:8000")

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.inlines",
    "syncconsole.kernel",
    "syncconsole",
    "connectors",
    "catalog",
    "inventory",
    "orders",
    "syncconsole.apps.ConsoleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "django_celery_beat",
    "django_htmx",
    "axes",
    "csp",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "syncconsole.urls"
WSGI_APPLICATION = "syncconsole.wsgi.application"
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
            ],
        },
    }
]

DATABASES = {"default": env.env.db("DATABASE_URL")}
DATABASES["default"]["CONN_MAX_AGE"] = 60
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
if DATABASES["default"]["ENGINE"] != "django.db.backends.postgresql":
    raise ImproperlyConfigured("DATABASE_URL must name a PostgreSQL database (postgres://…).")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.text("REDIS_URL")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}

AUTH_USER_MODEL = "kernel.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
CSRF_FAILURE_VIEW = "syncconsole.errors.form_expired"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_FORM_FIELD = "username"
AXES_USERNAME_CALLABLE = "syncconsole.kernel.sign_in.account_tried"

LANGUAGE_CODE = "en"
TIME_ZONE = env.text("TIME_ZONE", "Europe/Bucharest")
USE_I18N = True
USE_TZ = True
USE_THOUSAND_SEPARATOR = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if SECURE
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not SECURE
WHITENOISE_AUTOREFRESH = DEBUG
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
MAX_UPLOAD_BYTES = 50 * 1024 * 1024

# Security. The policy is as strict as the admin theme allows: docs/decisions/0003-content-security-policy.md
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = SECURE
CSRF_COOKIE_SECURE = SECURE
SECURE_SSL_REDIRECT = SECURE
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE
SECURE_HSTS_PRELOAD = SECURE
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$"]
if SECURE:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, "'unsafe-inline'", "'unsafe-eval'"],
        "style-src": [SELF, "'unsafe-inline'"],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# Workers: docs/architecture.md, "Workers"
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = False  # a lost advance is found again by the sweep, which counts attempts
CELERY_TASK_TIME_LIMIT = 330
CELERY_TASK_SOFT_TIME_LIMIT = 300
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_MAX_TASKS_PER_CHILD = 500
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 5
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 900,  # longer than the longest task (330 s)
    "global_keyprefix": env.text("REDIS_KEY_PREFIX", "syncconsole:"),
    "socket_connect_timeout": 3,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1, "interval_max": 0.2}
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
# Tasks outside a module called tasks.
CELERY_IMPORTS = ["connectors.notices_tasks", "connectors.webhook_tasks", "connectors.feed_tasks"]
CELERY_BEAT_SCHEDULE: dict[str, Any] = {
    "beat is alive": {"task": "connectors.tasks.tell_beat_is_alive", "schedule": 10.0, "options": {"expires": 60}},
    "resume runs": {"task": "connectors.tasks.resume_runs", "schedule": 15.0, "options": {"expires": 60}},
    "sweep webhooks": {"task": "connectors.webhook_tasks.sweep_deliveries", "schedule": 5.0, "options": {"expires": 5}},
    "check webhook subscriptions": {"task": "connectors.webhook_tasks.check_subscriptions", "schedule": 3600.0},
    "poll feeds": {"task": "connectors.feed_tasks.poll_feeds", "schedule": 30.0, "options": {"expires": 30}},
    "read orders again": {"task": "connectors.feed_tasks.reread_orders", "schedule": crontab(minute=10)},
    "sweep orders": {"task": "orders.tasks.sweep_orders", "schedule": 30.0, "options": {"expires": 30}},
    "sweep fulfilments": {"task": "orders.tasks.sweep_fulfilments", "schedule": 60.0, "options": {"expires": 60}},
    "forget customers": {"task": "orders.tasks.forget_customers", "schedule": crontab(hour=2, minute=30)},
    "prune webhooks": {"task": "connectors.webhook_tasks.prune_deliveries", "schedule": crontab(hour=3, minute=40)},
    "send due notices": {
        "task": "connectors.notices_tasks.send_due_notices",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "start due jobs": {"task": "inventory.tasks.start_due_jobs", "schedule": 30.0, "options": {"expires": 60}},
    "sweep publications": {"task": "inventory.tasks.sweep_publications", "schedule": 3600.0},
    "look at rested levels": {
        "task": "inventory.tasks.look_at_rested",
        "schedule": 120.0,
        "options": {"expires": 120},
    },
    "tell of long holds": {"task": "inventory.tasks.tell_of_long_holds", "schedule": 300.0},
    "look at unstocked levels": {"task": "inventory.tasks.look_at_unstocked", "schedule": crontab(hour=2, minute=40)},
    "check ledger": {"task": "inventory.tasks.check_ledger", "schedule": crontab(hour=4, minute=20)},
}
DJANGO_CELERY_BEAT_TZ_AWARE = True

logs.configure()
LOGGING = logs.django_logging(env.choice("LOG_FORMAT", ["json", "console"], "console"), env.text("LOG_LEVEL", "INFO"))
LOGGING_CONFIG = "logging.config.dictConfig"
RUN_KINDS: dict[str, str] = WIRED_RUN_KINDS
CHANGE_READERS: dict[str, str] = WIRED_CHANGE_READERS
PERSONAL_DATA: dict[str, str] = WIRED_PERSONAL_DATA
ORDER_BOOKS: str = WIRED_ORDER_BOOKS
ORDER_PULLS: str = WIRED_ORDER_PULLS
SCOPE_FOLLOWER: str = WIRED_SCOPE_FOLLOWER
