"""The chain, kept by PostgreSQL itself: the application can only append.

The hash of an event covers the hash before it and every column, so that an edit, a deletion or an
insertion in the past breaks the chain at its place. ``audit_head`` holds each chain's end, so that a
cut tail shows; anchors of the heads leave the database for the day when somebody rewrites both.
"""

PAYLOAD = """convert_to(jsonb_build_object(
    'id', {row}.id, 'chain', {row}.chain, 'seq', {row}.seq, 'at', extract(epoch from {row}.at),
    'action', {row}.action, 'actor_kind', {row}.actor_kind, 'actor_id', {row}.actor_id,
    'controller', {row}.controller_id, 'case', {row}.case_id, 'data', {row}.data)::text, 'UTF8')"""

HASH = f"sha256({{row}}.prev || {PAYLOAD})"

LINK = f"""
CREATE OR REPLACE FUNCTION audit_link() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public AS $$
DECLARE head audit_head%ROWTYPE;
BEGIN
    INSERT INTO audit_head (chain, controller_id, seq, hash) VALUES (NEW.chain, NEW.controller_id, 0, '\\x')
        ON CONFLICT (chain) DO NOTHING;
    SELECT * INTO head FROM audit_head WHERE chain = NEW.chain FOR UPDATE;
    NEW.seq := head.seq + 1;
    NEW.prev := head.hash;
    NEW.hash := {HASH.format(row="NEW")};
    UPDATE audit_head SET seq = NEW.seq, hash = NEW.hash WHERE chain = NEW.chain;
    RETURN NEW;
END $$"""

REFUSE = """
CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'insufficient_privilege';
END $$"""

STATEMENTS = [
    LINK,
    REFUSE,
    "CREATE OR REPLACE TRIGGER audit_link BEFORE INSERT ON audit_event FOR EACH ROW EXECUTE FUNCTION audit_link()",
    "CREATE OR REPLACE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit_event"
    " FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    "CREATE OR REPLACE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_event"
    " FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
    "REVOKE UPDATE, DELETE, TRUNCATE ON audit_event FROM {app_role}",
    "REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON audit_head FROM {app_role}",
]
