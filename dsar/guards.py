"""What PostgreSQL itself holds: grants, row-level security, same-controller keys, and the state guard.

Installed after every ``migrate``, from the models as they are, so that no new table can be forgotten.
Each statement may run any number of times.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connections, models, transaction

from dsar.lib.fsm import StateField, allowed_pairs

SERVED = "(SELECT nullif(current_setting('dsar.controllers', true), '')::uuid[])"


def install(using: str, **_: Any) -> None:
    """Bring the database's guards in line with the models, all at once: nothing is ever half guarded."""
    app_role = settings.DATABASES["default"]["USER"]
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        for statement in statements(app_role):
            cursor.execute(statement)


def statements(app_role: str) -> Iterator[str]:
    """What brings a migrated database in line with the models, for its owner to execute."""
    role = f'"{app_role}"'
    yield PLANNING
    yield from _grants(role)
    for model in tenant_models():
        yield from _row_security(model)
        yield from _same_controller(model)
    yield STATE_GUARD
    for model in apps.get_models():
        yield from _state_guard(model)
    for config in apps.get_app_configs():
        for statement in getattr(config, "database_guards", []):
            yield statement.replace("{app_role}", role)


def tenant_models() -> list[type[models.Model]]:
    """Every model whose rows belong to a controller, and the controller itself."""
    return [model for model in apps.get_models() if model._meta.managed and tenant_column(model)]


def tenant_column(model: type[models.Model]) -> str | None:
    """The column that says whose row it is; None for what belongs to no controller."""
    if model._meta.label == "identity.Controller":
        return "id"
    columns = {field.column for field in model._meta.concrete_fields}
    return "controller_id" if "controller_id" in columns else None


def _grants(role: str) -> Iterator[str]:
    yield f"GRANT USAGE ON SCHEMA public TO {role}"
    yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}"
    yield f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}"


def _row_security(model: type[models.Model]) -> Iterator[str]:
    table, column = model._meta.db_table, tenant_column(model)
    own = f"{column} = ANY ({SERVED}::uuid[])"
    rule = f"{column} IS NULL OR {own}" if _may_be_nobodys(model) else own
    yield f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"
    yield f"DROP POLICY IF EXISTS served ON {table}"
    yield f"CREATE POLICY served ON {table} USING ({rule}) WITH CHECK ({rule})"


def _same_controller(model: type[models.Model]) -> Iterator[str]:
    """A row's references stay within its controller: (reference, controller) is a key of the other table."""
    if tenant_column(model) != "controller_id":
        return
    for field in model._meta.concrete_fields:
        target = field.related_model
        if isinstance(target, type) and tenant_column(target) == "controller_id":
            names = model._meta.db_table, str(field.column), target._meta.db_table
            yield from _composite(*names)
            if not _may_be_nobodys(model):
                yield SINGLE.format(*names)


def _may_be_nobodys(model: type[models.Model]) -> bool:
    column = tenant_column(model)
    return next(field.null for field in model._meta.concrete_fields if field.column == column)


# PostgreSQL's own figure is that of a turning disk. With it, the small tables that references lead to are read from
# end to end for every row written: a third of the database's time in a large search. Who chose another is left alone.
PLANNING = """
DO $$
BEGIN
    IF current_setting('random_page_cost') = '4' THEN
        EXECUTE format('ALTER DATABASE %I SET random_page_cost = 1.1', current_database());
    END IF;
EXCEPTION
    WHEN insufficient_privilege THEN NULL;
END $$"""

# The composite key says all that Django's own of the reference alone says. Each is looked up for every row that is
# written, which was a quarter of the database's time in a large search. A reference without a controller is the
# exception: there the composite key asks for nothing.
SINGLE = """
DO $$
DECLARE
    found name;
BEGIN
    FOR found IN
        SELECT conname FROM pg_constraint
          JOIN pg_attribute ON attrelid = conrelid AND conkey = ARRAY[attnum] AND attname = '{1}'
         WHERE contype = 'f' AND conrelid = '{0}'::regclass AND confrelid = '{2}'::regclass
    LOOP
        EXECUTE format('ALTER TABLE {0} DROP CONSTRAINT %I', found);
    END LOOP;
END $$"""


def _composite(table: str, column: str, target: str) -> Iterator[str]:
    key, name = _name("own", target), _name("same", table, column)
    yield _unless(key, f"ALTER TABLE {target} ADD CONSTRAINT {key} UNIQUE (id, controller_id)")
    yield _unless(
        name,
        f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY ({column}, controller_id)"
        f" REFERENCES {target} (id, controller_id) DEFERRABLE INITIALLY DEFERRED",
    )


def _unless(constraint: str, statement: str) -> str:
    return (
        f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = '{constraint}')"
        f" THEN {statement}; END IF; END $$"
    )


def _name(*parts: str) -> str:
    text = "_".join(parts)
    return text if len(text) < 60 else f"{text[:50]}_{hashlib.sha256(text.encode()).hexdigest()[:8]}"


# The workflow names the row that it moves; without that no state changes, whichever way it is written. The name is
# good for one writing of that row.
STATE_GUARD = """
CREATE OR REPLACE FUNCTION dsar_state_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> TG_ARGV[0] THEN
            RAISE EXCEPTION 'a new % begins as %', TG_TABLE_NAME, TG_ARGV[0] USING ERRCODE = 'check_violation';
        END IF;
    ELSIF NEW.state IS DISTINCT FROM OLD.state THEN
        IF coalesce(current_setting('dsar.performing', true), '') <> NEW.id::text THEN
            RAISE EXCEPTION 'only the workflow changes a state' USING ERRCODE = 'check_violation';
        END IF;
        IF NOT (OLD.state || '>' || NEW.state = ANY (string_to_array(TG_ARGV[1], ','))) THEN
            RAISE EXCEPTION 'no transition leads from % to %', OLD.state, NEW.state
                USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    IF coalesce(current_setting('dsar.performing', true), '') = NEW.id::text THEN
        PERFORM set_config('dsar.performing', '', true);
    END IF;
    RETURN NEW;
END $$"""


def _state_guard(model: type[models.Model]) -> Iterator[str]:
    for field in model._meta.concrete_fields:
        if isinstance(field, StateField):
            pairs = ",".join(f"{source}>{target}" for source, target in allowed_pairs(model, field.name))
            yield (
                f"CREATE OR REPLACE TRIGGER state_guard BEFORE INSERT OR UPDATE OF {field.column}"
                f" ON {model._meta.db_table} FOR EACH ROW"
                f" EXECUTE FUNCTION dsar_state_guard('{field.default}', '{pairs}')"
            )
