"""The narrow doors through which a worker, which serves nobody yet, finds its work.

Each is a function that runs as the owner and gives ids only. The clock is the database's own here: leases
are between processes that may live on different machines.
"""

LEASE_SECONDS = 20

CLAIM = f"""
CREATE OR REPLACE FUNCTION jobs_claim(job uuid) RETURNS TABLE (
    controller uuid, "case" uuid, kind text, args jsonb, attempt integer, max_attempts integer)
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE jobs_job SET state = 'running', attempts = attempts + 1,
           lease_until = clock_timestamp() + interval '{LEASE_SECONDS} seconds'
     WHERE id = job AND not_before <= clock_timestamp()
       AND (state = 'queued' OR (state = 'running' AND lease_until < clock_timestamp()))
    RETURNING controller_id, case_id, kind, args, attempts, max_attempts
$$"""  # noqa: S608  Every part is a constant of this file.

# A row is given again when its message is overdue or its worker stopped beating.
DUE = """
CREATE OR REPLACE FUNCTION jobs_due(overdue interval, how_many integer) RETURNS SETOF uuid
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE jobs_job SET published_at = clock_timestamp()
     WHERE id IN (
        SELECT id FROM jobs_job
         WHERE (state = 'queued' AND not_before <= clock_timestamp()
                AND (published_at IS NULL OR published_at < not_before
                     OR published_at < clock_timestamp() - overdue))
            OR (state = 'running' AND lease_until < clock_timestamp())
         ORDER BY not_before LIMIT how_many FOR UPDATE SKIP LOCKED)
    RETURNING id
$$"""

BEAT = f"""
CREATE OR REPLACE FUNCTION jobs_beat(job uuid, attempt integer) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE jobs_job SET lease_until = clock_timestamp() + interval '{LEASE_SECONDS} seconds'
     WHERE id = job AND attempts = attempt AND state = 'running'
    RETURNING true
$$"""  # noqa: S608  Every part is a constant of this file.

# The sweep could not reach the broker: these are due again at once, not after the time for overdue messages.
UNTOLD = """
CREATE OR REPLACE FUNCTION jobs_untold(untold uuid[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE jobs_job SET published_at = NULL WHERE id = ANY (untold) AND state = 'queued'
$$"""

STATEMENTS = [CLAIM, DUE, BEAT, UNTOLD]
