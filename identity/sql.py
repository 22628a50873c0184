"""What must be known before anybody is served: whose door this is, and whom a member of staff serves.

Each runs as the owner and gives ids only.
"""

STATEMENTS = [
    """
CREATE OR REPLACE FUNCTION identity_controller_for_slug(wanted text) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT id FROM identity_controller WHERE slug = wanted AND is_active
$$""",
    "DROP FUNCTION IF EXISTS identity_memberships(uuid)",
    # What the teams give; then the person's own emergencies that are open; then those of anybody where they work.
    """
CREATE OR REPLACE FUNCTION identity_memberships(member uuid, at_time timestamptz)
RETURNS TABLE (kind text, controller uuid, role text, extra varchar[], withheld varchar[], emergency uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH held AS (
        SELECT serves.controller_id, membership.role, membership.extra, membership.withheld
          FROM identity_membership membership
          JOIN identity_teamcontroller serves ON serves.team_id = membership.team_id
          JOIN identity_user person ON person.id = membership.user_id
         WHERE membership.user_id = member AND person.is_active
    ), open AS (
        SELECT emergency.* FROM identity_emergency emergency
         WHERE emergency.ended_at IS NULL AND emergency.started_at <= at_time AND emergency.ends_at > at_time
           AND emergency.controller_id IN (SELECT controller_id FROM held)
    )
    SELECT 'held', held.controller_id, held.role::text, held.extra, held.withheld, NULL::uuid FROM held
     UNION ALL
    SELECT CASE WHEN open.user_id = member THEN 'own' ELSE 'alarm' END, open.controller_id, NULL, NULL, NULL, open.id
      FROM open
$$""",
    """
CREATE OR REPLACE FUNCTION identity_controllers() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT id FROM identity_controller ORDER BY id
$$""",
    """
CREATE OR REPLACE FUNCTION identity_controller_for_token(digest bytea) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT controller_id FROM identity_accesstoken WHERE token_hash = digest
$$""",
]
