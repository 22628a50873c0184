"""Settings of the DSAR desk. The environment is read through ``dsar.env`` alone."""

import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from dsar import env, servers

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = env.flag("DEBUG")
SECRET_KEY = env.text("SECRET_KEY", "") or "without-a-secret-nothing-is-signed"
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
BASE_URL = env.text("DSAR_BASE_URL", "http://localhost:8000").rstrip("/")
HTTPS = BASE_URL.startswith("https://")

INSTALLED_APPS = [
    "dsar",
    "dsar.audit",
    "dsar.vault",
    "dsar.jobs",
    "identity",
    "cases",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "django_otp",
    "django_otp_webauthn",
    "csp",
    "django_htmx",
    "template_partials.apps.SimpleAppConfig",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "dsar.middleware.HealthMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "identity.middleware.StaffAccessMiddleware",
    "identity.middleware.LimitsMiddleware",
    "dsar.middleware.ForgottenMiddleware",
    "identity.middleware.UnitOfWorkMiddleware",
]

ROOT_URLCONF = "dsar.urls"
WSGI_APPLICATION = "dsar.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "template_partials.loader.Loader",
                    [
                        (
                            "django.template.loaders.cached.Loader",
                            [
                                "django.template.loaders.filesystem.Loader",
                                "django.template.loaders.app_directories.Loader",
                            ],
                        )
                    ],
                )
            ],
            "builtins": ["template_partials.templatetags.partials", "django.templatetags.i18n"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "identity.context.surface",
                "cases.surface_nav.shell",
            ],
        },
    }
]

# The application signs in as a role that owns nothing; "owner" is for migrations alone.
_DATABASE = {"CONN_MAX_AGE": env.number("DATABASE_CONN_MAX_AGE", 60), "CONN_HEALTH_CHECKS": True}
_DATABASE_URL = env.text("DATABASE_URL", "postgresql:///dsar")
DATABASES = {
    "default": servers.database(_DATABASE_URL, **_DATABASE),
    "owner": servers.database(env.text("DATABASE_OWNER_URL", _DATABASE_URL), TEST={"MIRROR": "default"}),
}
DATABASE_ROUTERS: list[str] = []
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.text("REDIS_URL", "redis://localhost:6379")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": servers.cache(REDIS_URL),
    }
}

# Keys that wrap every data key: "1:<base64 of 32 bytes>,2:…"; the highest number is used for new ones.
MASTER_KEYS = env.text("DSAR_MASTER_KEYS", "")
DATA_DIR = Path(env.text("DSAR_DATA_DIR", str(BASE_DIR / ".dev" / "files")))
# Days that the office knows and the holidays package does not: docs/operations.md.
_OVERRIDES = env.text("DSAR_CALENDAR_OVERRIDES", "")
CALENDAR_OVERRIDES = Path(_OVERRIDES) if _OVERRIDES else None

AUTH_USER_MODEL = "identity.User"
AUTHENTICATION_BACKENDS = ["identity.signin.PasswordBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "identity:sign-in"
LOGIN_REDIRECT_URL = "/"
# Everything else is for staff who have passed both factors. An entry that ends in a slash opens what is below it.
PUBLIC_PATHS: tuple[str, ...] = (
    "/healthz",
    "/static/",
    "/p/",
    "/staff/sign-in/",
    "/staff/sign-on/",
    "/staff/sign-out/",
    "/staff/invitation/",
    "/calendar/",
    "/api/suppression/",
)
INVITATION_DAYS = env.number("DSAR_INVITATION_DAYS", 7)
OTP_TOTP_ISSUER = "DSAR desk"
# A passkey belongs to this host name: under another one, none of them works.
OTP_WEBAUTHN_RP_ID = urlsplit(BASE_URL).hostname or "localhost"
OTP_WEBAUTHN_RP_NAME = OTP_TOTP_ISSUER
OTP_WEBAUTHN_ALLOWED_ORIGINS = [BASE_URL]
OTP_WEBAUTHN_HELPER_CLASS = "identity.passkeys.Helper"
# Browsers offer no passkeys to a desk that is reached without TLS, but for localhost; the other ways in work there.
SILENCED_SYSTEM_CHECKS = ["otp_webauthn.E031"]
# Acts of weight ask for the second factor again when it was given longer ago than this.
STEP_UP_SECONDS = env.number("DSAR_STEP_UP_MINUTES", 15) * 60
# The longest that an emergency access stays open.
EMERGENCY_MINUTES = env.number("DSAR_EMERGENCY_MINUTES", 60)
# So many proxies stand before us, and each adds the address that it saw: only what they wrote is believed.
TRUSTED_PROXIES = env.number("TRUSTED_PROXIES", 0)
# The header in which the outermost of them tells a visitor's country, such as CF-IPCountry; none: nobody tells.
COUNTRY_HEADER = env.text("DSAR_COUNTRY_HEADER", "")
TOO_MANY_VIEW = "cases.portal.errors.too_many"

SESSION_ENGINE = "identity.session_store"
SESSION_COOKIE_AGE = SESSION_ABSOLUTE_SECONDS = 12 * 60 * 60
SESSION_IDLE_SECONDS = env.number("DSAR_IDLE_SECONDS", 30 * 60)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "cases.portal.errors.csrf_failure"
SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", HTTPS)
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.flag("TRUST_FORWARDED_PROTO") else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
    }
}

LANGUAGE_CODE = "en-gb"
LANGUAGES = [("en-gb", _("English")), ("de", _("German")), ("fr", _("French"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = Path(env.text("STATIC_ROOT", str(BASE_DIR / ".dev" / "static")))
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000

# ClamAV's daemon, as unix:/path or tcp:host:port; without one files from outside are judged but not scanned.
CLAMD = env.text("DSAR_CLAMD", "")
CLAMD_SECONDS = env.number("DSAR_CLAMD_SECONDS", 20)
# Reads the machine-readable zone of identity documents where it is installed; without it reviewers type it.
TESSERACT = env.text("DSAR_TESSERACT", shutil.which("tesseract") or "")

# The demo keeps mail in its outbox page; a real site names an SMTP server.
EMAIL_BACKEND = env.text("EMAIL_BACKEND", "cases.correspondence.outbox.EmailBackend")
EMAIL_HOST = env.text("EMAIL_HOST", "localhost")
EMAIL_PORT = env.number("EMAIL_PORT", 25)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS")
EMAIL_TIMEOUT = 15
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "privacy@localhost")
OUTBOX = env.flag("DSAR_OUTBOX", DEBUG)
if OUTBOX:
    # Whoever plays the customer of a demonstration reads their mail here.
    PUBLIC_PATHS += ("/outbox/",)

# Text messages: the site's own gateway, where a controller has none (docs/sms.md); without any the demo's outbox.
SMS_GATEWAY = env.text("DSAR_SMS_GATEWAY", "")
SMS_TOKEN = env.text("DSAR_SMS_TOKEN", "")
SMS_OUTBOX = env.flag("DSAR_SMS_OUTBOX", OUTBOX)

DEMO = env.flag("DSAR_DEMO")

CELERY_BROKER_URL = servers.broker(REDIS_URL)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL", "INFO")},
    # Django logs a request's path with its errors; ours carry ids and references, never tokens or names.
    "loggers": {
        # It logs the address of each request, which may name a person.
        "httpx2": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        "pikepdf": {"level": "WARNING"},
    },
}
