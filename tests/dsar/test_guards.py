"""Tenancy as PostgreSQL holds it, for every table that the models declare."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.db import DatabaseError, connection, connections, models, transaction
from psycopg import errors

from cases.models import Case
from dsar.guards import tenant_column, tenant_models
from dsar.lib.fsm import StateField, allowed_pairs
from dsar.lib.tenancy import serve
from tests.conftest import as_superuser, empty
from tests.dsar.rows import ALPHA, BETA, NOBODY, insert, make_rows, references, row, row_id

TENANT = tenant_models()
FROM_TO = [(model, field) for model in TENANT for field in references(model)]

# What belongs to no controller, and why. A new model is either a tenant's or is added here with a reason.
SHARED = {
    "identity.User": "staff work for several brands; name and e-mail address, kept while they work here",
    "identity.Team": "a team serves several brands; no personal data",
    "identity.Membership": "who works in which team",
    "identity.TotpDevice": "a member of staff's second factor; the secret is sealed",
    "identity.RecoveryCode": "hashes of a member of staff's codes",
    "identity.CalendarFeed": "the hash of a token by which a member of staff's calendar reads",
    "identity.Session": "signed-in staff: browser family and network prefix; ends by itself",
    "identity.SignOnProvider": "an employer's provider of single sign-on; the client's secret is sealed",
    "identity.SignOnGroup": "which group of a provider gives which membership; no personal data",
    "identity.SignOnIdentity": "the hash of who a member of staff is at a provider",
    "django_otp_webauthn.WebAuthnCredential": "a member of staff's passkey: its public key, and the name they gave it",
    "django_otp_webauthn.WebAuthnAttestation": "kept empty: nobody need know which authenticator it is",
    "django_otp_webauthn.WebAuthnUserHandle": "a random number by which authenticators tell members of staff apart",
    "identity.Attempt": "keyed hashes of networks and of what was claimed, for a day; the brand is in the hash",
    "identity.Invitation": "the hash of a token by which a member of staff sets a password",
    "sessions.Session": "kept empty: sessions are identity.Session",
    "auth.Permission": "Django's own; no personal data",
    "auth.Group": "Django's own; no personal data",
    "contenttypes.ContentType": "Django's own; no personal data",
}


def label(value: Any) -> str:
    return value._meta.label if isinstance(value, type) else str(value.name)


every_table = pytest.mark.parametrize("model", TENANT, ids=label)


@pytest.fixture(scope="module")
def two_brands(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A row of Alpha's and one of Beta's in every table, really there."""
    with django_db_blocker.unblock():
        try:
            with as_superuser() as database:
                make_rows(database, ALPHA, BETA)
            yield
        finally:
            # A row that could not be made must not leave the others behind for the tests that follow.
            empty(str(connections["default"].settings_dict["NAME"]))


@pytest.fixture
def as_alpha(two_brands: None, db: None) -> None:
    """A transaction of the application that serves Alpha alone."""
    serve([ALPHA])


def owned(model: type[models.Model]) -> list[Any]:
    """Whose rows a query without any filter sees."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {tenant_column(model)} FROM {model._meta.db_table}")
        return [found[0] for found in cursor.fetchall()]


def refused(statement: str, values: list[Any]) -> str:
    """The SQLSTATE with which the database says no; empty where it does not."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, values)
    except DatabaseError as error:
        assert isinstance(error.__cause__, psycopg.Error)
        return error.__cause__.sqlstate or ""
    return ""


# -- the role ----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_application_role_stands_under_the_guards() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        )
        powers = cursor.fetchone()

    assert powers == (False, False, False, False)


@pytest.mark.django_db
def test_application_role_owns_nothing() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE pg_has_role(current_user, relowner, 'MEMBER')")
        classes = cursor.fetchall()
        cursor.execute("SELECT proname FROM pg_proc WHERE pg_has_role(current_user, proowner, 'MEMBER')")
        functions = cursor.fetchall()

    assert (classes, functions) == ([], [])


@pytest.mark.django_db
def test_application_role_cannot_make_or_change_tables() -> None:
    statements = [
        "CREATE TABLE mine (id int)",
        "ALTER TABLE cases_case DISABLE ROW LEVEL SECURITY",
        "DROP POLICY served ON cases_case",
        "ALTER TABLE cases_case DISABLE TRIGGER state_guard",
        "SET session_replication_role = replica",
    ]

    assert [refused(statement, []) for statement in statements] == ["42501"] * len(statements)


@pytest.mark.django_db
def test_every_definer_function_puts_temporary_tables_last() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT proname FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace"
            " AND NOT ('search_path=public, pg_temp' = ANY (coalesce(proconfig, '{}'))) ORDER BY proname"
        )
        open_to_shadowing = [found[0] for found in cursor.fetchall()]

    assert open_to_shadowing == []


def test_planner_takes_the_disk_for_one_that_seeks_at_once(two_brands: None) -> None:
    with as_superuser() as database:
        cost = database.execute("SHOW random_page_cost").fetchone()

    assert cost == ("1.1",)


# -- every table -------------------------------------------------------------------------------------


def test_every_model_is_a_tenants_or_is_listed_with_a_reason() -> None:
    managed = {model._meta.label for model in apps.get_models() if model._meta.managed}

    unlisted = managed - {model._meta.label for model in TENANT} - set(SHARED)

    assert unlisted == set()


@every_table
@pytest.mark.django_db
def test_table_has_row_security_and_one_policy(model: type[models.Model]) -> None:
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute("SELECT relrowsecurity FROM pg_class WHERE oid = %s::regclass", [table])
        enabled = cursor.fetchone()
        cursor.execute(
            "SELECT polname, polcmd, polpermissive, polqual IS NOT NULL, polwithcheck IS NOT NULL"
            " FROM pg_policy WHERE polrelid = %s::regclass",
            [table],
        )
        policies = cursor.fetchall()

    assert enabled == (True,)
    assert policies == [("served", "*", True, True, True)]


@every_table
def test_query_without_filter_sees_served_rows_alone(as_alpha: None, model: type[models.Model]) -> None:
    seen = owned(model)

    assert seen == [ALPHA]


@every_table
def test_nothing_served_is_nothing_seen(two_brands: None, db: None, model: type[models.Model]) -> None:
    seen = owned(model)

    assert seen == []


@every_table
def test_others_rows_cannot_be_updated_or_deleted(as_alpha: None, model: type[models.Model]) -> None:
    table, key = model._meta.db_table, model._meta.pk.column
    column, stranger = tenant_column(model), row_id(model, BETA)
    counts = []
    for statement in (
        f"UPDATE {table} SET {column} = {column} WHERE {key} = %s",
        f"DELETE FROM {table} WHERE {key} = %s",
        f"UPDATE {table} SET {column} = %s WHERE {column} = '{BETA}'",
    ):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement, [stranger])
                counts.append(cursor.rowcount)
        except DatabaseError as error:
            # The trail's tables refuse any change at all.
            assert isinstance(error.__cause__, errors.InsufficientPrivilege)
            counts.append(0)

    assert counts == [0, 0, 0]
    with as_superuser() as database:
        kept = database.execute(f"SELECT count(*) FROM {table} WHERE {column} = %s", [BETA]).fetchone()
    assert kept == (1,)


@every_table
def test_row_for_another_controller_cannot_be_inserted(as_alpha: None, model: type[models.Model]) -> None:
    values = row(model, BETA, number=1)

    with pytest.raises(DatabaseError) as refusal, transaction.atomic(), connection.cursor() as cursor:
        insert(cursor, model, values)

    assert isinstance(refusal.value.__cause__, errors.InsufficientPrivilege)


@every_table
def test_own_row_cannot_be_given_to_another(as_alpha: None, model: type[models.Model]) -> None:
    statement = f"UPDATE {model._meta.db_table} SET {tenant_column(model)} = %s"

    assert refused(statement, [BETA]) == "42501"


@pytest.mark.parametrize(("model", "field"), FROM_TO, ids=label)
def test_reference_to_another_controllers_row_is_refused(
    two_brands: None, model: type[models.Model], field: models.Field[Any, Any]
) -> None:
    assert isinstance(field.related_model, type)
    table, target = model._meta.db_table, row_id(field.related_model, BETA)
    with as_superuser() as database, database.transaction(force_rollback=True):
        if field.related_model is not model:
            # Beta's own row may hold the place in a unique index, which would refuse first.
            database.execute(f"DELETE FROM {table} WHERE controller_id = %s", [BETA])

        with pytest.raises(psycopg.errors.ForeignKeyViolation) as refusal, database.transaction():
            database.execute(
                f"UPDATE {table} SET {field.column} = %s WHERE controller_id = %s", [target, ALPHA]
            )
            database.execute(f"SET CONSTRAINTS {composite(database, table, field.column)} IMMEDIATE")

    assert refusal.value.diag.table_name == table


@pytest.mark.parametrize(("model", "field"), FROM_TO, ids=label)
def test_reference_to_no_row_is_refused(
    two_brands: None, model: type[models.Model], field: models.Field[Any, Any]
) -> None:
    table = model._meta.db_table
    with as_superuser() as database, database.transaction(force_rollback=True):
        database.execute("SET CONSTRAINTS ALL DEFERRED")
        with pytest.raises(psycopg.errors.ForeignKeyViolation) as refusal, database.transaction():
            database.execute(
                f"UPDATE {table} SET {field.column} = %s WHERE controller_id = %s", [NOBODY, ALPHA]
            )
            database.execute("SET CONSTRAINTS ALL IMMEDIATE")

    assert refusal.value.diag.table_name == table


@pytest.mark.parametrize(
    ("model", "field"), [pair for pair in FROM_TO if pair[1].related_model is not pair[0]], ids=label
)
def test_row_that_is_referred_to_is_not_deleted(
    two_brands: None, model: type[models.Model], field: models.Field[Any, Any]
) -> None:
    assert isinstance(field.related_model, type)
    table, target = model._meta.db_table, field.related_model
    with as_superuser() as database, database.transaction(force_rollback=True):
        database.execute("SET CONSTRAINTS ALL DEFERRED")
        with pytest.raises(psycopg.errors.ForeignKeyViolation) as refusal, database.transaction():
            database.execute(f"DELETE FROM {target._meta.db_table} WHERE id = %s", [row_id(target, ALPHA)])
            database.execute(f"SET CONSTRAINTS {composite(database, table, field.column)} IMMEDIATE")

    assert refusal.value.diag.table_name == table


@pytest.mark.parametrize(("model", "field"), FROM_TO, ids=label)
def test_reference_is_looked_up_once(
    two_brands: None, model: type[models.Model], field: models.Field[Any, Any]
) -> None:
    """The composite key alone, but where a row may be nobody's: there Django's own holds the reference."""
    controller = model._meta.get_field("controller_id")
    with as_superuser() as database:
        held = keys(database, model._meta.db_table, [str(field.column)])

    assert len(held) == (1 if controller.null else 0)


def test_item_of_no_controller_is_refused_through_its_case(two_brands: None) -> None:
    """Items have no key to the controller itself: very many are written, and the key to the case says it too."""
    with as_superuser() as database, database.transaction(force_rollback=True):
        database.execute("SET CONSTRAINTS ALL DEFERRED")
        with pytest.raises(psycopg.errors.ForeignKeyViolation) as refusal, database.transaction():
            database.execute(
                "UPDATE cases_item SET controller_id = %s WHERE controller_id = %s", [NOBODY, ALPHA]
            )
            database.execute(f"SET CONSTRAINTS {composite(database, 'cases_item', 'case_id')} IMMEDIATE")
        held = keys(database, "cases_case", ["controller_id"])

    assert (refusal.value.diag.table_name, len(held)) == ("cases_item", 1)


def composite(database: Any, table: str, column: str) -> str:
    """The foreign key of exactly this column together with the controller."""
    (name,) = keys(database, table, [column, "controller_id"])
    return name


def keys(database: Any, table: str, columns: list[str]) -> list[str]:
    """The foreign keys of exactly these columns."""
    found = database.execute(
        "SELECT conname FROM pg_constraint JOIN LATERAL (SELECT array_agg(attname::text ORDER BY place) AS columns"
        " FROM unnest(conkey) WITH ORDINALITY AS key (number, place)"
        " JOIN pg_attribute ON attrelid = conrelid AND attnum = number) AS named ON true"
        " WHERE contype = 'f' AND conrelid = %s::regclass AND columns = %s",
        [table, columns],
    ).fetchall()
    return [str(name) for (name,) in found]


# -- the state ---------------------------------------------------------------------------------------

STATEFUL = [
    (model, field)
    for model in apps.get_models()
    for field in model._meta.concrete_fields
    if isinstance(field, StateField)
]


@pytest.mark.parametrize(("model", "field"), STATEFUL, ids=label)
@pytest.mark.django_db
def test_state_guard_knows_the_declared_pairs(model: type[models.Model], field: StateField) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT encode(tgargs, 'escape') FROM pg_trigger WHERE tgname = 'state_guard' AND tgrelid = %s::regclass",
            [model._meta.db_table],
        )
        (arguments,) = cursor.fetchone()
    begins, pairs, _ = arguments.split("\\000")

    assert begins == str(field.default)
    assert [tuple(pair.split(">")) for pair in pairs.split(",")] == allowed_pairs(model, field.name)


@pytest.mark.parametrize(("model", "field"), STATEFUL, ids=label)
def test_state_is_not_written_past_the_workflow(
    as_alpha: None, model: type[models.Model], field: StateField
) -> None:
    target = allowed_pairs(model, field.name)[0][1]

    with pytest.raises(DatabaseError, match="only the workflow changes a state"), transaction.atomic():
        model._default_manager.filter(pk=row_id(model, ALPHA)).update(**{field.name: target})

    assert model._default_manager.get(pk=row_id(model, ALPHA)).state == field.default


@pytest.mark.parametrize(("model", "field"), STATEFUL, ids=label)
def test_workflow_cannot_write_an_undeclared_pair(
    as_alpha: None, model: type[models.Model], field: StateField
) -> None:
    declared = allowed_pairs(model, field.name)
    states = sorted({state for pair in declared for state in pair} - {str(field.default)})
    undeclared = next(
        (state for state in states if (str(field.default), state) not in declared), "unheard of"
    )
    own = row_id(model, ALPHA)
    statement = f"UPDATE {model._meta.db_table} SET state = %s WHERE id = %s"

    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('dsar.performing', %s, true)", [str(own)])

    assert refused(statement, [undeclared, own]) == "23514"
    assert model._default_manager.get(pk=own).state == field.default


@pytest.mark.parametrize(("model", "field"), STATEFUL, ids=label)
def test_row_in_another_state_cannot_be_inserted(
    as_alpha: None, model: type[models.Model], field: StateField
) -> None:
    values = row(model, ALPHA, number=1) | {field.column: allowed_pairs(model, field.name)[0][1]}

    with pytest.raises(DatabaseError, match="begins as"), transaction.atomic(), connection.cursor() as cursor:
        insert(cursor, model, values)


def test_permission_to_move_one_row_does_not_move_another(as_alpha: None) -> None:
    other = row_id(Case, ALPHA)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('dsar.performing', %s, true)", [str(row_id(Case, BETA))])

    code = refused("UPDATE cases_case SET state = 'awaiting_identity' WHERE id = %s", [other])

    assert code == "23514"
