-- One try at a task by one worker, under a lease with a fence. `live` says that the lease is open; it is a column of its own so
-- that the other state changes touch no index.
CREATE TABLE attempts (
  id text COLLATE "C" PRIMARY KEY,
  task_id text COLLATE "C" NOT NULL,
  job_id text COLLATE "C" NOT NULL,
  worker_id text COLLATE "C" NOT NULL,
  number smallint NOT NULL,
  fence integer NOT NULL,
  state text COLLATE "C" NOT NULL DEFAULT 'leased',
  live boolean NOT NULL DEFAULT true,
  reason text COLLATE "C",
  -- What it uses up and what it asks, frozen with the lease.
  gpu_milli integer NOT NULL,
  vram_mib integer NOT NULL,
  cpu_milli integer NOT NULL,
  memory_mib integer NOT NULL,
  disk_mib integer NOT NULL,
  gpu_ask bigint NOT NULL,
  cpu_ask bigint NOT NULL,
  billable_ms bigint,
  leased_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  started_at timestamptz,
  finished_at timestamptz,
  UNIQUE (task_id, fence)
) WITH (fillfactor = 60);
--> statement-breakpoint
CREATE INDEX attempts_live ON attempts (worker_id) WHERE live;
--> statement-breakpoint
CREATE TRIGGER attempt_transition BEFORE UPDATE OF state ON attempts FOR EACH ROW
  WHEN (OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (
    ('leased', 'running'), ('leased', 'reported'), ('leased', 'failed'), ('leased', 'cancelled'), ('leased', 'preempted'), ('leased', 'lost'), ('leased', 'stale'),
    ('running', 'reported'), ('running', 'failed'), ('running', 'cancelled'), ('running', 'preempted'), ('running', 'lost'), ('running', 'stale'),
    ('reported', 'accepted'), ('reported', 'rejected'), ('reported', 'disputed'), ('reported', 'cancelled'),
    ('disputed', 'accepted'), ('disputed', 'rejected'), ('disputed', 'cancelled'),
    ('lost', 'reported'), ('lost', 'failed'), ('lost', 'stale')))
  EXECUTE FUNCTION refuse_transition();
--> statement-breakpoint
-- A decision is found by the attempt it led to.
CREATE INDEX trail_events_of_placements ON trail_events (subject) WHERE kind = 'task.placed';
--> statement-breakpoint
-- The newest word of a running attempt, and the log lines it wrote.
CREATE TABLE attempt_progress (
  attempt_id text COLLATE "C" PRIMARY KEY,
  job_id text COLLATE "C" NOT NULL,
  step integer NOT NULL,
  total_steps integer NOT NULL,
  metrics text NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);
--> statement-breakpoint
CREATE INDEX attempt_progress_by_job ON attempt_progress (job_id);
--> statement-breakpoint
CREATE TABLE attempt_logs (
  job_id text COLLATE "C" NOT NULL,
  attempt_id text COLLATE "C" NOT NULL,
  line integer NOT NULL,
  stream text COLLATE "C" NOT NULL,
  text text NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (job_id, attempt_id, line)
);
--> statement-breakpoint
CREATE TABLE attempt_checkpoints (
  job_id text COLLATE "C" NOT NULL,
  attempt_id text COLLATE "C" NOT NULL,
  step integer NOT NULL,
  digest text COLLATE "C" NOT NULL,
  size_bytes bigint NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (job_id, attempt_id, step)
);
--> statement-breakpoint
GRANT SELECT, INSERT ON attempts, attempt_progress, attempt_logs, attempt_checkpoints TO tidemill_app;
--> statement-breakpoint
GRANT UPDATE (state, live, reason, billable_ms, started_at, finished_at) ON attempts TO tidemill_app;
--> statement-breakpoint
GRANT UPDATE ON attempt_progress TO tidemill_app;
