-- Warnings of holds go with their job.
DELETE FROM hold_warnings WHERE NOT EXISTS (SELECT FROM jobs WHERE jobs.id = hold_warnings.job_id);
--> statement-breakpoint
ALTER TABLE hold_warnings ADD CONSTRAINT hold_warnings_of_jobs FOREIGN KEY (job_id) REFERENCES jobs (id) ON DELETE CASCADE;
--> statement-breakpoint
-- A job that its submitter wants gone, with all that is kept of it but the trail and the ledger, which hold ids, digests and amounts.
-- What is open stays, and what can still be withheld or disputed: it is evidence. Says what was done.
CREATE FUNCTION erase_job(owner text, job text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
  present text;
  gone_tasks text[];
  gone_attempts text[];
BEGIN
  SELECT state INTO present FROM jobs WHERE id = job AND account_id = owner FOR UPDATE;
  IF NOT FOUND THEN
    RETURN 'absent';
  END IF;
  IF present IN ('queued', 'running') THEN
    RETURN 'open';
  END IF;
  SELECT array_agg(id) INTO gone_tasks FROM tasks WHERE job_id = job;
  SELECT array_agg(id) INTO gone_attempts FROM attempts WHERE task_id = ANY (gone_tasks);
  IF EXISTS (SELECT FROM job_ends WHERE job_id = job AND xid >= (SELECT min(xid) FROM stage_cursors))
    OR EXISTS (SELECT FROM tasks WHERE job_id = job AND state NOT IN ('succeeded', 'failed', 'cancelled'))
    OR EXISTS (SELECT FROM attempts WHERE id = ANY (gone_attempts) AND live)
    OR EXISTS (SELECT FROM verdicts WHERE attempt_id = ANY (gone_attempts) AND xid >= (SELECT min(xid) FROM stage_cursors)) THEN
    RETURN 'unsettled';
  END IF;
  IF EXISTS (SELECT FROM charges WHERE job_id = job AND NOT released) THEN
    RETURN 'unreleased';
  END IF;
  -- The bytes go with the last right to them, by the artifacts' own loop.
  UPDATE artifact_grants SET until = clock_timestamp() WHERE owner_kind = 'job' AND owner_id = job;
  DELETE FROM idempotency_keys WHERE account_id = owner AND strpos(answer, job) > 0;
  DELETE FROM webhook_deliveries USING webhook_endpoints AS endpoint
    WHERE endpoint.id = webhook_deliveries.endpoint_id AND endpoint.account_id = owner AND strpos(webhook_deliveries.data, job) > 0;
  DELETE FROM budget_uses WHERE job_id = job;
  DELETE FROM task_outputs WHERE task_id = ANY (gone_tasks);
  DELETE FROM attempt_logs WHERE job_id = job;
  DELETE FROM attempt_checkpoints WHERE job_id = job;
  DELETE FROM attempt_progress WHERE job_id = job;
  DELETE FROM charges WHERE job_id = job;
  DELETE FROM voided WHERE attempt_id = ANY (gone_attempts);
  DELETE FROM verdicts WHERE attempt_id = ANY (gone_attempts);
  DELETE FROM receipts WHERE attempt_id = ANY (gone_attempts);
  DELETE FROM receipts_refused WHERE attempt_id = ANY (gone_attempts);
  DELETE FROM attempts WHERE id = ANY (gone_attempts);
  DELETE FROM tasks WHERE job_id = job;
  DELETE FROM jobs WHERE id = job;
  DELETE FROM job_ends WHERE job_id = job;
  RETURN 'erased';
END $$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION erase_job(text, text) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION erase_job(text, text) TO tidemill_app;
