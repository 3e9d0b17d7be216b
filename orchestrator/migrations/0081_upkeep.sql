-- Autovacuum waits until a fifth of a table has changed, which for millions of rows is far too late. Rows of these tables change
-- four or five times within seconds and then rest: what they leave behind is cleaned up while it is still small.
ALTER TABLE jobs SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
--> statement-breakpoint
ALTER TABLE tasks SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
--> statement-breakpoint
ALTER TABLE attempts SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
--> statement-breakpoint
-- Few rows that change all the time: by number of changes, or they would be full of what is dead.
ALTER TABLE workers SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
--> statement-breakpoint
ALTER TABLE ledger_accounts SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
--> statement-breakpoint
ALTER TABLE stage_cursors SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
--> statement-breakpoint
ALTER TABLE trail_sequencer SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
--> statement-breakpoint
ALTER TABLE attempt_progress SET (autovacuum_vacuum_scale_factor = 0.05);
--> statement-breakpoint
-- A released charge changes once, a day after it was written: its page keeps room for that.
ALTER TABLE charges SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
--> statement-breakpoint
-- Only ever added to, and read soon after: frozen early, in passing, instead of all at once when transaction ids run out.
ALTER TABLE trail_events SET (autovacuum_vacuum_insert_scale_factor = 0.05);
--> statement-breakpoint
ALTER TABLE trail_chain SET (autovacuum_vacuum_insert_scale_factor = 0.05);
--> statement-breakpoint
ALTER TABLE ledger_entries SET (autovacuum_vacuum_insert_scale_factor = 0.05);
--> statement-breakpoint
ALTER TABLE ledger_postings SET (autovacuum_vacuum_insert_scale_factor = 0.05);
--> statement-breakpoint
-- Autovacuum looks once a minute. In its first minute a new network has the statistics of empty tables, so what has become ten
-- times as large since they were taken gets new ones at once. Gives how many tables that were.
CREATE FUNCTION refresh_statistics() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public SET lock_timeout = '1s' AS $$
DECLARE
  name text;
  refreshed integer := 0;
BEGIN
  IF NOT pg_try_advisory_xact_lock(7316405) THEN
    RETURN 0;
  END IF;
  FOR name IN
    SELECT stat.relname FROM pg_stat_user_tables AS stat JOIN pg_class AS class ON class.oid = stat.relid
    WHERE stat.schemaname = 'public'
      AND stat.relname IN ('jobs', 'tasks', 'attempts', 'receipts', 'verdicts', 'charges', 'job_ends', 'trail_events', 'trail_chain', 'ledger_entries', 'ledger_postings', 'workers')
      AND stat.n_live_tup >= 200 AND stat.n_live_tup > 10 * greatest(class.reltuples, 0)
    ORDER BY stat.relname
  LOOP
    EXECUTE format('ANALYZE public.%I', name);
    refreshed := refreshed + 1;
  END LOOP;
  RETURN refreshed;
END $$;
--> statement-breakpoint
REVOKE EXECUTE ON FUNCTION refresh_statistics FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION refresh_statistics TO tidemill_app;
