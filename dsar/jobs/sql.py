"""The narrow doors through which a worker, which serves nobody yet, finds its work.

Each is a function that runs as the owner and gives ids only. The clock is the database's own here: leases
are between processes that may live on different machines.
"""

LEASE_SECONDS = 20
SWEEP_SECONDS = 2

# Among jobs that take turns a message says that there is work, not which: the controller that has waited longest is
# served first, and of its jobs the one that has been due longest, so that a thousand jobs of one do not keep the
# single one of another waiting. Before these come those that were put back with their place: something is kept for
# them, which nobody else may use meanwhile. There are as many messages as jobs, so each is still taken up.
TAKE = f"""
CREATE OR REPLACE FUNCTION jobs_take(told uuid) RETURNS TABLE (
    job uuid, controller uuid, "case" uuid, kind text, args jsonb, attempt integer, max_attempts integer,
    forgiven integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    chosen uuid;
BEGIN
    SELECT other.id INTO chosen
      FROM jobs_job mine
      JOIN jobs_job other ON other.kind = mine.kind AND other.takes_turns
      LEFT JOIN jobs_turn turn ON turn.controller_id = other.controller_id
     WHERE mine.id = told AND mine.takes_turns
       AND NOT (mine.state = 'running' AND mine.lease_until < clock_timestamp())
       AND other.state = 'queued' AND other.not_before <= clock_timestamp()
     ORDER BY turn.at NULLS FIRST, other.keeps_place DESC, other.not_before, other.id
     LIMIT 1 FOR UPDATE OF other SKIP LOCKED;
    chosen := coalesce(chosen, told);
    RETURN QUERY
        UPDATE jobs_job SET state = 'running', attempts = attempts + 1,
               lease_until = clock_timestamp() + interval '{LEASE_SECONDS} seconds'
         WHERE id = chosen AND not_before <= clock_timestamp()
           AND (state = 'queued' OR (state = 'running' AND lease_until < clock_timestamp()))
        RETURNING id, controller_id, case_id, jobs_job.kind::text, jobs_job.args, attempts, jobs_job.max_attempts,
                  jobs_job.forgiven;
    INSERT INTO jobs_turn (controller_id, at)
         SELECT controller_id, clock_timestamp() FROM jobs_job WHERE id = chosen AND takes_turns
             ON CONFLICT (controller_id) DO UPDATE SET at = EXCLUDED.at;
END $$"""  # noqa: S608  Every part is a constant of this file.

# Whether anything else is due: then long work lets it by.
WAITING = """
CREATE OR REPLACE FUNCTION jobs_waiting(but uuid) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM jobs_job WHERE state = 'queued' AND not_before <= clock_timestamp() AND id <> but)
$$"""

# A row is given again when its message is overdue or its worker stopped beating. Where a message is waiting in the
# broker for every job that is due none was lost: a long queue is not told over and over of itself.
FORMERLY_DUE = "DROP FUNCTION IF EXISTS jobs_due(interval, integer)"
DUE = """
CREATE OR REPLACE FUNCTION jobs_due(overdue interval, how_many integer, messages bigint) RETURNS SETOF uuid
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE jobs_job SET published_at = clock_timestamp()
     WHERE id IN (
        SELECT id FROM jobs_job
         WHERE (state = 'queued' AND not_before <= clock_timestamp()
                AND messages < (SELECT count(*) FROM (SELECT FROM jobs_job due WHERE due.state = 'queued'
                                 AND due.not_before <= clock_timestamp() LIMIT messages + 1) AS waiting)
                AND (published_at IS NULL OR published_at < not_before
                     OR published_at < clock_timestamp() - overdue))
            OR (state = 'running' AND lease_until < clock_timestamp())
         ORDER BY not_before LIMIT how_many FOR UPDATE SKIP LOCKED)
    RETURNING id
$$"""

# What comes due before the next sweep: told of now, for then, so that nobody is late by a sweep. Where such a message
# is lost the job is due without one, and told of again.
SOON = """
CREATE OR REPLACE FUNCTION jobs_soon(ahead interval, how_many integer)
RETURNS TABLE (job uuid, seconds double precision)
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE jobs_job SET published_at = clock_timestamp()
     WHERE id IN (
        SELECT id FROM jobs_job
         WHERE state = 'queued' AND not_before > clock_timestamp() AND not_before <= clock_timestamp() + ahead
           AND (published_at IS NULL OR published_at < not_before - ahead)
         ORDER BY not_before LIMIT how_many FOR UPDATE SKIP LOCKED)
    RETURNING id, extract(epoch FROM not_before - clock_timestamp())::double precision
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

STATEMENTS = [TAKE, WAITING, FORMERLY_DUE, DUE, SOON, BEAT, UNTOLD]
