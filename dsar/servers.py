"""Turn DATABASE_URL and REDIS_URL into what Django and Celery want."""

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

PREPARE_AFTER = 5  # calls of the same statement on one connection


def database(url: str, **extra: Any) -> dict[str, Any]:
    """Django's settings for ``postgresql://user:password@host:port/name?host=/socket/dir``."""
    parts = urlsplit(url)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", parts.hostname or ""),
        "PORT": query.pop("port", str(parts.port or "")),
        # PostgreSQL then plans a statement once per connection, not at each call: a third of an intake's time.
        "OPTIONS": {"server_side_binding": True, "prepare_threshold": PREPARE_AFTER, **query},
        **extra,
    }


def broker(redis_url: str, database_number: int = 0) -> str:
    """Celery's form of a Redis URL; a socket's path is spelled differently there."""
    parts = urlsplit(redis_url)
    if parts.scheme == "unix":
        return f"redis+socket://{parts.path}?virtual_host={database_number}"
    return redis_url


def cache(redis_url: str, database_number: int = 1) -> str:
    """Django's form of a Redis URL, in a database of its own."""
    parts = urlsplit(redis_url)
    if parts.scheme == "unix":
        return f"unix://{parts.path}?db={database_number}"
    return f"{parts.scheme}://{parts.netloc}/{database_number}"
