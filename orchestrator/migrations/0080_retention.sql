-- The smallest id that could have been made at a moment: 48 bits of milliseconds are the first ten characters of its base32.
CREATE FUNCTION id_floor(prefix text, at timestamptz) RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
  SELECT prefix || string_agg(
    substr('0123456789abcdefghjkmnpqrstvwxyz', ((floor(extract(epoch FROM at) * 1000)::bigint >> (45 - 5 * n)) & 31)::int + 1, 1), '' ORDER BY n
  ) || repeat('0', 16) FROM generate_series(0, 9) AS n
$$;
--> statement-breakpoint
-- Jobs that ended so long ago, and all that is kept of them, in the order of their ids from `after` on. A job stays while anything of
-- it is open: a task, a verdict or a job's end that a stage has not read, an earning that can still be withheld. The trail and the
-- ledger are not touched. The role of the loops may call this and delete nothing by itself; no caller can ask for less than a day.
CREATE FUNCTION forget_jobs(keep interval, after text, most integer, OUT looked integer, OUT forgotten integer, OUT last text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
  horizon timestamptz := clock_timestamp() - keep;
  candidates text[];
  gone text[];
  gone_tasks text[];
  gone_attempts text[];
BEGIN
  IF keep < interval '1 day' THEN
    RAISE EXCEPTION 'jobs are kept for a day at least, not %', keep USING ERRCODE = 'invalid_parameter_value';
  END IF;
  looked := 0;
  forgotten := 0;
  last := after;
  -- One process at a time; the others have nothing to do meanwhile.
  IF NOT pg_try_advisory_xact_lock(7316403) THEN
    RETURN;
  END IF;
  SELECT array_agg(job_id ORDER BY job_id) INTO candidates FROM (
    SELECT job_id FROM job_ends WHERE job_id > after AND job_id < id_floor('job_', horizon) AND at < horizon ORDER BY job_id LIMIT most
  ) AS old;
  IF candidates IS NULL THEN
    RETURN;
  END IF;
  looked := cardinality(candidates);
  last := candidates[looked];
  SELECT array_agg(job.job_id) INTO gone FROM job_ends AS job
  WHERE job.job_id = ANY (candidates)
    AND job.xid < (SELECT min(xid) FROM stage_cursors)
    AND NOT EXISTS (SELECT FROM charges WHERE charges.job_id = job.job_id AND NOT charges.released)
    AND NOT EXISTS (SELECT FROM tasks WHERE tasks.job_id = job.job_id AND tasks.state NOT IN ('succeeded', 'failed', 'cancelled'))
    AND NOT EXISTS (
      SELECT FROM tasks JOIN attempts ON attempts.task_id = tasks.id LEFT JOIN verdicts ON verdicts.attempt_id = attempts.id
      WHERE tasks.job_id = job.job_id AND (attempts.live OR verdicts.xid >= (SELECT min(xid) FROM stage_cursors)));
  IF gone IS NULL THEN
    RETURN;
  END IF;
  forgotten := cardinality(gone);
  SELECT array_agg(id) INTO gone_tasks FROM tasks WHERE job_id = ANY (gone);
  SELECT array_agg(id) INTO gone_attempts FROM attempts WHERE task_id = ANY (gone_tasks);
  -- The bytes go with the last right to them, by the artifacts' own loop.
  UPDATE artifact_grants SET until = clock_timestamp() FROM task_outputs AS output
    WHERE output.task_id = ANY (gone_tasks) AND artifact_grants.digest = output.digest
      AND artifact_grants.owner_kind = 'job' AND artifact_grants.owner_id = ANY (gone);
  DELETE FROM task_outputs WHERE task_id = ANY (gone_tasks);
  DELETE FROM attempt_logs WHERE job_id = ANY (gone);
  DELETE FROM attempt_checkpoints WHERE job_id = ANY (gone);
  DELETE FROM attempt_progress WHERE job_id = ANY (gone);
  DELETE FROM charges WHERE attempt_id = ANY (gone_attempts);
  DELETE FROM voided WHERE attempt_id = ANY (gone_attempts);
  DELETE FROM verdicts WHERE attempt_id = ANY (gone_attempts);
  DELETE FROM receipts WHERE attempt_id = ANY (gone_attempts);
  DELETE FROM attempts WHERE id = ANY (gone_attempts);
  DELETE FROM tasks WHERE id = ANY (gone_tasks);
  DELETE FROM jobs WHERE id = ANY (gone);
  DELETE FROM job_ends WHERE job_id = ANY (gone);
END $$;
--> statement-breakpoint
-- Receipts that earned nothing belong to no job that is sure to be there; they come and go in order of time.
CREATE INDEX receipts_refused_by_age ON receipts_refused USING brin (received_at);
--> statement-breakpoint
CREATE FUNCTION forget_refused_receipts(keep interval, most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
  forgotten integer;
BEGIN
  IF keep < interval '1 day' THEN
    RAISE EXCEPTION 'receipts are kept for a day at least, not %', keep USING ERRCODE = 'invalid_parameter_value';
  END IF;
  DELETE FROM receipts_refused WHERE hash IN (
    SELECT hash FROM receipts_refused WHERE received_at < clock_timestamp() - keep LIMIT most FOR UPDATE SKIP LOCKED);
  GET DIAGNOSTICS forgotten = ROW_COUNT;
  RETURN forgotten;
END $$;
--> statement-breakpoint
-- Log lines are only ever added and read by their job, whose id begins with the time: a table for each day of jobs, dropped whole.
-- Lines of a day without a table of its own, all those of before among them, are in the rest and go with their job.
ALTER TABLE attempt_logs RENAME TO attempt_logs_rest;
--> statement-breakpoint
ALTER INDEX attempt_logs_pkey RENAME TO attempt_logs_rest_pkey;
--> statement-breakpoint
CREATE TABLE attempt_logs (
  job_id text COLLATE "C" NOT NULL,
  attempt_id text COLLATE "C" NOT NULL,
  line integer NOT NULL,
  stream text COLLATE "C" NOT NULL,
  text text NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (job_id, attempt_id, line)
) PARTITION BY RANGE (job_id);
--> statement-breakpoint
ALTER TABLE attempt_logs ATTACH PARTITION attempt_logs_rest DEFAULT;
--> statement-breakpoint
REVOKE ALL ON attempt_logs_rest FROM tidemill_app;
--> statement-breakpoint
GRANT SELECT, INSERT ON attempt_logs TO tidemill_app;
--> statement-breakpoint
-- Makes the tables of today and the days ahead, and drops those of days whose jobs have all ended so long ago. Whoever reads or
-- writes lines is never waited for longer than a moment, since others would wait behind: then the next turn tries again.
CREATE FUNCTION tend_attempt_logs(keep interval, days_ahead integer, OUT made integer, OUT dropped integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public SET lock_timeout = '1s' AS $$
DECLARE
  today date := (clock_timestamp() AT TIME ZONE 'UTC')::date;
  day date;
  part text;
  low text;
  high text;
BEGIN
  IF keep < interval '1 day' THEN
    RAISE EXCEPTION 'log lines are kept for a day at least, not %', keep USING ERRCODE = 'invalid_parameter_value';
  END IF;
  made := 0;
  dropped := 0;
  IF NOT pg_try_advisory_xact_lock(7316404) THEN
    RETURN;
  END IF;
  FOR ahead IN 0 .. days_ahead LOOP
    day := today + ahead;
    part := 'attempt_logs_' || to_char(day, 'YYYYMMDD');
    CONTINUE WHEN to_regclass(part) IS NOT NULL;
    low := id_floor('job_', day::timestamp AT TIME ZONE 'UTC');
    high := id_floor('job_', (day + 1)::timestamp AT TIME ZONE 'UTC');
    -- Made beside the others and then attached: that locks out nobody who reads or writes lines of other days.
    EXECUTE format('CREATE TABLE public.%I (LIKE attempt_logs INCLUDING ALL)', part);
    EXECUTE format('WITH moved AS (DELETE FROM attempt_logs_rest WHERE job_id >= %L AND job_id < %L RETURNING *) INSERT INTO %I SELECT * FROM moved', low, high, part);
    EXECUTE format('ALTER TABLE attempt_logs ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', part, low, high);
    made := made + 1;
  END LOOP;
  FOR part IN
    SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    WHERE inhparent = 'attempt_logs'::regclass AND relname ~ '^attempt_logs_\d{8}$' ORDER BY relname
  LOOP
    day := to_date(right(part, 8), 'YYYYMMDD');
    EXIT WHEN (day + 1)::timestamp AT TIME ZONE 'UTC' >= clock_timestamp() - keep;
    CONTINUE WHEN EXISTS (
      SELECT FROM jobs
      WHERE id >= id_floor('job_', day::timestamp AT TIME ZONE 'UTC') AND id < id_floor('job_', (day + 1)::timestamp AT TIME ZONE 'UTC')
        AND (finished_at IS NULL OR finished_at >= clock_timestamp() - keep));
    EXECUTE format('DROP TABLE %I', part);
    dropped := dropped + 1;
  END LOOP;
END $$;
--> statement-breakpoint
REVOKE EXECUTE ON FUNCTION forget_jobs, forget_refused_receipts, tend_attempt_logs FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION forget_jobs, forget_refused_receipts, tend_attempt_logs TO tidemill_app;
