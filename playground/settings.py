"""Every setting of the project, in one file that works with nothing set.

What people may set comes from the environment (the table in README.md); the rest is decided here.
Combinations that would be unsafe stop the start with one sentence (``UnusableSetting``).
"""

import os
import secrets
import tomllib
from pathlib import Path
from typing import Any

import django_stubs_ext
from csp.constants import NONE, SELF

from playground.environment import (
    LOOPBACK_HOSTS,
    Environment,
    UnusableSetting,
    bracketed,
    database,
    encryption_keys,
    fresh_encryption_key,
    hostname,
    kept_secret,
)
from playground.key_file import KeyFile
from playground.logs import logging_settings
from playground.mail import mail_server
from playground.sharing import caches, channel_layers
from playground.storage import add_headers

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION: str = tomllib.loads((BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
env = Environment(os.environ)

# Where it runs and how it is reached.
HOST = env.text("HOST", "127.0.0.1")
PORT = env.number("PORT", 8000, lowest=1, highest=65535)
LISTENS_ON_LOOPBACK = HOST in ("localhost", "::1", "[::1]") or HOST.startswith("127.")
if not LISTENS_ON_LOOPBACK and not env.text("PUBLIC_URL"):
    raise UnusableSetting(f"HOST={HOST} opens the server to others: set PUBLIC_URL to the address people will use.")
PUBLIC_URL = env.origin("PUBLIC_URL", f"http://{bracketed(HOST)}:{PORT}")
BEHIND_TLS = PUBLIC_URL.startswith("https://")
DEBUG = env.flag("DEBUG", default=False)
if DEBUG and not LISTENS_ON_LOOPBACK:
    raise UnusableSetting(f"DEBUG shows internals to every visitor: turn it off or listen on 127.0.0.1, not on {HOST}.")
DRAIN_SECONDS = env.number("DRAIN_SECONDS", 20, lowest=0, highest=3600)
DATA_DIR = env.directory("DATA_DIR", BASE_DIR / "var")

# Secrets: given, or made once and kept, so that a restart keeps sessions and stored keys readable.
SECRET_KEY = env.text("SECRET_KEY") or kept_secret(DATA_DIR / "secret_key", secrets.token_urlsafe(48))
if len(SECRET_KEY) < 50 or len(set(SECRET_KEY)) < 5:
    raise UnusableSetting("SECRET_KEY must be at least 50 random characters; leave it unset to have one made.")
ENCRYPTION_KEYS = encryption_keys(
    env.words("ENCRYPTION_KEYS")
    or kept_secret(DATA_DIR / "encryption_key", fresh_encryption_key()).replace(",", " ").split()
)
# Where they are kept if the environment does not set them; ``rotate_encryption_key`` changes it while others run.
ENCRYPTION_KEY_FILE = None if env.words("ENCRYPTION_KEYS") else KeyFile(DATA_DIR / "encryption_key")

# Being watched.
METRICS_TOKEN = env.text("METRICS_TOKEN")
LOG_FORMAT = env.choice("LOG_FORMAT", ("line", "json"))
LOG_REQUESTS = env.flag("LOG_REQUESTS", default=False)

# Models.
HF_TOKEN = env.text("HF_TOKEN") or env.text("HUGGINGFACE_API_KEY")
HF_ROUTER_URL = env.url("HF_ROUTER_URL", "https://router.huggingface.co/v1")
HF_HUB_URL = env.url("HF_HUB_URL", "https://huggingface.co")
HF_OAUTH_CLIENT_ID = env.text("HF_OAUTH_CLIENT_ID")
HF_OAUTH_CLIENT_SECRET = env.text("HF_OAUTH_CLIENT_SECRET")
if bool(HF_OAUTH_CLIENT_ID) != bool(HF_OAUTH_CLIENT_SECRET):
    raise UnusableSetting("HF_OAUTH_CLIENT_ID and HF_OAUTH_CLIENT_SECRET belong together: set both or neither.")
LOCAL_MODEL = env.flag("LOCAL_MODEL", default=True)
LOCAL_MODEL_PATH = env.file("LOCAL_MODEL_PATH")

# Who may come in.
SIGNUP = env.choice("SIGNUP", ("invitation", "open"))
REQUIRE_ADMIN_MFA = env.flag("REQUIRE_ADMIN_MFA", default=False)
# Ceilings for one person.
MAX_ACTIVE_RUNS = env.number("MAX_ACTIVE_RUNS", 24, lowest=1, highest=10_000)
MAX_STORED_MB = env.number("MAX_STORED_MB", 2_000, lowest=1, highest=10_000_000)
MAX_CHATS = env.number("MAX_CHATS", 50_000, lowest=1, highest=10_000_000)
MAX_SOCKETS = env.number("MAX_SOCKETS", 40, lowest=1, highest=100_000)
# What limits reckon with where an answer has no bound and a model no price (US dollars per million tokens).
ASSUMED_ANSWER_TOKENS = env.number("ASSUMED_ANSWER_TOKENS", 4096, lowest=1, highest=10_000_000)
ASSUMED_PRICE = env.number("ASSUMED_PRICE", 10, lowest=0, highest=1_000_000)
ALLOWED_HOSTS = [*dict.fromkeys([*env.words("ALLOWED_HOSTS"), hostname(PUBLIC_URL), *LOOPBACK_HOSTS])]
if "*" in ALLOWED_HOSTS:
    raise UnusableSetting("ALLOWED_HOSTS must name its hosts: with * any web page could reach this server as its own.")
CSRF_TRUSTED_ORIGINS = [*dict.fromkeys([PUBLIC_URL, *env.words("CSRF_TRUSTED_ORIGINS")])]

INSTALLED_APPS = [
    "chat.apps.ChatConfig",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "csp",
    "django_htmx",
    "lucide",
    "servestatic",
]

MIDDLEWARE = [
    # First, so that a static file costs one dictionary look-up and no thread.
    "servestatic.middleware.ServeStaticMiddleware",
    *(["playground.request_log.log_requests"] if LOG_REQUESTS else []),
    "django.middleware.gzip.GZipMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "chat.sign_in.middleware.RequireSecondFactor",
    "chat.sign_in.middleware.RequireFreshSignIn",
]

ROOT_URLCONF = "playground.urls"
ASGI_APPLICATION = "playground.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["chat.templatetags.inclusion"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "chat.conversations.sidebar.chats_beside",
                "chat.notices.banner.notices",
            ],
        },
    },
]

DATABASES = {"default": database(env.text("DATABASE_URL"), DATA_DIR)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Several processes, or several machines, act as one with Redis between them.
REDIS_URL = env.redis("REDIS_URL")
CHANNEL_LAYERS: dict[str, Any] = channel_layers(REDIS_URL, SECRET_KEY) if REDIS_URL else {}
if REDIS_URL:
    CACHES = caches(REDIS_URL, SECRET_KEY)

# Telling administrators, beside the banner on their pages: by mail, and by one signed request to an address.
EMAIL_URL = env.text("EMAIL_URL")
(
    EMAIL_BACKEND,
    EMAIL_HOST,
    EMAIL_PORT,
    EMAIL_HOST_USER,
    EMAIL_HOST_PASSWORD,
    EMAIL_USE_TLS,
    EMAIL_USE_SSL,
) = mail_server(EMAIL_URL)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", f"playground@{hostname(PUBLIC_URL)}")
WEBHOOK_URL = env.web_address("WEBHOOK_URL")
WEBHOOK_SECRET = env.text("WEBHOOK_SECRET")
if WEBHOOK_URL and len(WEBHOOK_SECRET) < 16:
    raise UnusableSetting("WEBHOOK_URL needs WEBHOOK_SECRET, at least 16 characters that its receiver knows too.")

# Accounts. People are let in by one-time links and invitations, never by mail.
AUTH_USER_MODEL = "chat.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "chat.sign_in.adapter.SignInAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = LOGIN_URL
# So many seconds after a sign-in administrators may change things, and anybody how they sign in.
ACCOUNT_REAUTHENTICATION_TIMEOUT = 900
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "signup": "10/m/ip",
    "change_password": "5/m/user",
    "reauthenticate": "10/m/user",
    # The Hub's whoami is rationed per address: nobody may use up the share of all others.
    "check_key": "10/m/user",
}
ACCOUNT_FORMS = {
    "login": "chat.accounts.forms.SignInForm",
    "signup": "chat.accounts.forms.SignUpForm",
    "change_password": "chat.accounts.forms.ChangePasswordForm",
    "set_password": "chat.accounts.forms.SetPasswordForm",
    "reauthenticate": "chat.accounts.forms.ReauthenticateForm",
}
MFA_ADAPTER = "chat.sign_in.factors.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
# Addresses are never verified here, and prove nothing.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_FORMS = {
    "authenticate": "chat.accounts.factor_forms.CodeForm",
    "reauthenticate": "chat.accounts.factor_forms.CodeAgainForm",
    "activate_totp": "chat.accounts.factor_forms.ActivateAppForm",
    "add_webauthn": "chat.accounts.factor_forms.AddPasskeyForm",
    "edit_webauthn": "chat.accounts.factor_forms.RenamePasskeyForm",
}
SOCIALACCOUNT_ADAPTER = "chat.sign_in.hub.HubAdapter"
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
SOCIALACCOUNT_REQUESTS_TIMEOUT = 10
SOCIALACCOUNT_FORMS = {"signup": "chat.accounts.forms.NameForm"}
# Error pages and reports hide secrets even with DEBUG on.
DEFAULT_EXCEPTION_REPORTER_FILTER = "chat.keys.reporting.SecretFilter"

# Cookies and transport. Names of their own, because every port of a host shares one cookie jar.
COOKIE_PREFIX = "__Host-" if BEHIND_TLS else ""
SESSION_COOKIE_NAME = f"{COOKIE_PREFIX}playground_session"
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}playground_csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_TLS
CSRF_COOKIE_HTTPONLY = True
# Whoever these proxies say has come is counted by sign-in throttling; without them all people would be one.
ALLAUTH_TRUSTED_PROXY_COUNT = env.number("TRUSTED_PROXIES", 1 if BEHIND_TLS else 0, lowest=0, highest=10)
if BEHIND_TLS:
    # One proxy in front ends TLS; it must overwrite these two headers (README.md).
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        # Browsers apply it to where a form's answer leads as well.
        "form-action": [SELF, *([HF_HUB_URL] if HF_OAUTH_CLIENT_ID else [])],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    },
}

# Static files: compressed once, under names that change with their content.
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "playground.storage.StaticStorage"},
}
SERVESTATIC_ALLOW_ALL_ORIGINS = False
SERVESTATIC_ADD_HEADERS_FUNCTION = add_headers

LANGUAGE_CODE = "en"
USE_TZ = True
TIME_ZONE = env.time_zone("TIME_ZONE", "UTC")

# Logs go to stderr and hold neither prompts nor secrets: no request bodies, no outgoing addresses.
LOGGING = logging_settings(LOG_FORMAT)
