"""What must be known before anybody is served: whose door this is, and whom a member of staff serves.

Each runs as the owner and gives ids only.
"""

STATEMENTS = [
    """
CREATE OR REPLACE FUNCTION identity_controller_for_slug(wanted text) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT id FROM identity_controller WHERE slug = wanted AND is_active
$$""",
    """
CREATE OR REPLACE FUNCTION identity_memberships(member uuid)
RETURNS TABLE (controller uuid, role text, extra varchar[], withheld varchar[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT serves.controller_id, membership.role, membership.extra, membership.withheld
      FROM identity_membership membership
      JOIN identity_teamcontroller serves ON serves.team_id = membership.team_id
      JOIN identity_user person ON person.id = membership.user_id
     WHERE membership.user_id = member AND person.is_active
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
