"""The chain, kept by PostgreSQL itself: the application can only append.

The hash of an event covers the hash before it and every column, so that an edit, a deletion or an
insertion in the past breaks the chain at its place. ``audit_head`` holds each chain's end, so that a
cut tail shows; anchors of the heads leave the database for the day when somebody rewrites both.
"""

# PostgreSQL's own text of a record quotes each value and tells null from empty; it takes half the time of JSON.
# The time is a number, so that no session's time zone or date style matters.
PAYLOAD = """convert_to(ROW(
    {row}.id, {row}.chain, {row}.seq, extract(epoch from {row}.at), {row}.action, {row}.actor_kind,
    {row}.actor_id, {row}.controller_id, {row}.case_id, {row}.data)::text, 'UTF8')"""

HASH = f"sha256({{row}}.prev || {PAYLOAD})"

# Where an event belongs follows from what it is about; no writer can put it elsewhere.
CHAIN = "coalesce({row}.case_id, {row}.controller_id, '00000000-0000-0000-0000-000000000000'::uuid)"

# pg_temp stands last in the search path, or a temporary table named audit_head would be taken for the real one.
LINK = f"""
CREATE OR REPLACE FUNCTION audit_link() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE head audit_head%ROWTYPE;
BEGIN
    NEW.chain := {CHAIN.format(row="NEW")};
    IF NEW.case_id IS NOT NULL AND NEW.controller_id IS NULL THEN
        RAISE EXCEPTION 'an event of a case names its controller' USING ERRCODE = 'check_violation';
    END IF;
    INSERT INTO audit_head (chain, controller_id, seq, hash) VALUES (NEW.chain, NEW.controller_id, 0, '\\x')
        ON CONFLICT (chain) DO NOTHING;
    SELECT * INTO head FROM audit_head WHERE chain = NEW.chain FOR UPDATE;
    IF head.controller_id IS DISTINCT FROM NEW.controller_id THEN
        RAISE EXCEPTION 'this chain belongs to another controller' USING ERRCODE = 'insufficient_privilege';
    END IF;
    NEW.seq := head.seq + 1;
    NEW.prev := head.hash;
    NEW.hash := {HASH.format(row="NEW")};
    UPDATE audit_head SET seq = NEW.seq, hash = NEW.hash WHERE chain = NEW.chain;
    RETURN NEW;
END $$"""  # noqa: S608  Every part is a constant of this file.

REFUSE = """
CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'insufficient_privilege';
END $$"""

STATEMENTS = [
    LINK,
    REFUSE,
    "CREATE OR REPLACE TRIGGER audit_link BEFORE INSERT ON audit_event FOR EACH ROW EXECUTE FUNCTION audit_link()",
    """CREATE OR REPLACE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit_event
       FOR EACH ROW EXECUTE FUNCTION audit_refuse()""",
    """CREATE OR REPLACE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_event
       FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
    "REVOKE UPDATE, DELETE, TRUNCATE ON audit_event FROM {app_role}",
    "REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON audit_head FROM {app_role}",
]
