"""Deploy checks: what ``manage.py check --deploy`` refuses in production."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.db import DEFAULT_DB_ALIAS, connections
from django.db import Error as DatabaseError

from dsar.lib import clamd
from dsar.lib.crypto import DecryptionError, MasterKeys

if TYPE_CHECKING:
    from identity.models import IdentityProvider

WEAK_SECRET = "without-a-secret"  # noqa: S105  It is the beginning of the one that is refused.
OUTBOX = "cases.correspondence.outbox."

ROLE = """
SELECT rolsuper, rolbypassrls,
       EXISTS (SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
                AND pg_has_role(current_user, relowner, 'MEMBER'))
  FROM pg_roles WHERE rolname = current_user"""

UNGUARDED = """
SELECT relname FROM pg_class
 WHERE relnamespace = 'public'::regnamespace AND relname = ANY (%s)
   AND NOT (relrowsecurity AND EXISTS (SELECT FROM pg_policy WHERE polrelid = pg_class.oid))
 ORDER BY relname"""


def register_all() -> None:
    """Make the checks known to Django."""
    register(check_secrets, "security", deploy=True)
    register(check_mode, "security", deploy=True)
    register(check_database, "security", deploy=True)
    register(check_scanner, "security", deploy=True)
    register(check_identity_providers, "security", deploy=True)
    register(check_texts, "security", deploy=True)


def check_secrets(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """The keys under which everything is sealed, and the one that signs."""
    return list(_secrets())


def _secrets() -> Iterator[CheckMessage]:
    try:
        MasterKeys.parse(settings.MASTER_KEYS)
    except ValueError as error:
        yield Error(str(error), hint="Set DSAR_MASTER_KEYS to 1:<base64 of 32 random bytes>.", id="DSAR.E001")
    if settings.SECRET_KEY.startswith(WEAK_SECRET):
        yield Error(
            "SECRET_KEY is the default, which everybody knows.", hint="Set SECRET_KEY.", id="DSAR.E002"
        )


def check_mode(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """What belongs to development and to the demonstration."""
    return list(_mode())


def _mode() -> Iterator[CheckMessage]:
    if settings.DEBUG:
        yield Error("DEBUG shows code and data to strangers.", hint="Unset DEBUG.", id="DSAR.E003")
    if settings.EMAIL_BACKEND.startswith(OUTBOX) and not settings.DEMO:
        yield Error(
            "Mail stays in the outbox and reaches nobody.",
            hint="Set EMAIL_BACKEND to django.core.mail.backends.smtp.EmailBackend, and EMAIL_HOST.",
            id="DSAR.E006",
        )


def check_database(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """That PostgreSQL's guards hold back the role which the application signs in as."""
    try:
        return list(_database())
    except DatabaseError:
        return [Error("The database does not answer, so its guards are unknown.", id="DSAR.E008")]


def _database() -> Iterator[CheckMessage]:
    from dsar.guards import tenant_models  # the models are loaded by now

    tables = [model._meta.db_table for model in tenant_models()]
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(ROLE)
        is_superuser, bypasses, owns = cursor.fetchone()
        cursor.execute(UNGUARDED, [tables])
        unguarded = [row[0] for row in cursor.fetchall()]
    yield from _role(is_superuser or bypasses, owns)
    if unguarded:
        yield Error(
            f"Without row-level security: {', '.join(unguarded)}.",
            hint="Run manage.py migrate.",
            id="DSAR.E007",
        )


def _role(stands_above: bool, owns: bool) -> Iterator[CheckMessage]:
    if stands_above:
        yield Error(
            "DATABASE_URL signs in as a superuser or with BYPASSRLS: one controller's rows are open to another.",
            hint="Create a role with NOSUPERUSER NOBYPASSRLS.",
            id="DSAR.E004",
        )
    elif owns:
        yield Error(
            "DATABASE_URL signs in as an owner of the tables, whom row-level security does not hold back.",
            hint="Set DATABASE_OWNER_URL to the owner, for migrations, and DATABASE_URL to a role that owns nothing.",
            id="DSAR.E005",
        )


def check_scanner(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """That the virus scanner answers where one is configured: while it does not, no file is taken."""
    return list(_scanner())


def _scanner() -> Iterator[CheckMessage]:
    if not settings.CLAMD:
        return
    try:
        address = clamd.Address.parse(settings.CLAMD)
    except ValueError as error:
        yield Error(str(error), hint="Set DSAR_CLAMD.", id="DSAR.E009")
        return
    if not clamd.is_there(address, settings.CLAMD_SECONDS):
        yield Error(
            "The virus scanner does not answer, so no file is taken.", hint="Start clamd.", id="DSAR.E010"
        )


def check_identity_providers(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """That nobody is verified by the simulator in earnest."""
    if settings.DEBUG or settings.DEMO:
        return []
    try:
        return list(_simulated())
    except (DatabaseError, ValueError):
        return []  # that the database is away, or a master key cannot be read, is said by its own check


def _simulated() -> Iterator[CheckMessage]:
    from dsar.lib.tenancy import unit_of_work  # the models are loaded by now
    from identity.access import all_controllers
    from identity.models import IdentityProvider

    with unit_of_work(all_controllers()):
        for provider in IdentityProvider.objects.filter(is_active=True).select_related("controller"):
            if _trusts_simulator(provider):
                yield Error(
                    f"The identity provider of {provider.controller.slug} trusts the simulator, which looks at nobody.",
                    hint="Apply a real provider's description and keys, or is_active: false.",
                    id="DSAR.E012",
                )


def _trusts_simulator(provider: "IdentityProvider") -> bool:
    from identity.providers.external.wire import SIMULATED

    try:
        return any(key.startswith(SIMULATED) for key in provider.signing_keys)
    except DecryptionError:
        return False  # keys that do not open trust nobody, and must not hide the next provider's


def check_texts(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """That text messages reach somebody, where the site sends any."""
    return list(_texts())


def _texts() -> Iterator[CheckMessage]:
    from identity.texting import site_gateway  # the models are loaded by now

    if settings.SMS_OUTBOX and not settings.DEMO:
        yield Error(
            "Text messages stay in the outbox and reach nobody, and whoever opens its page reads their codes.",
            hint="Unset DSAR_SMS_OUTBOX, and describe a gateway: docs/sms.md.",
            id="DSAR.E013",
        )
    if settings.SMS_GATEWAY:
        try:
            site_gateway(settings.SMS_GATEWAY)
        except ValueError:
            # pydantic's words would quote what stands there.
            yield Error("DSAR_SMS_GATEWAY describes no gateway.", hint="See docs/sms.md.", id="DSAR.E014")
