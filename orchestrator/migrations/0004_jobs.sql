-- What was asked for. Only state, reason, tasks_left and the times after created_at ever change.
CREATE TABLE jobs (
  id text COLLATE "C" PRIMARY KEY,
  account_id text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  name text,
  state text COLLATE "C" NOT NULL DEFAULT 'queued',
  reason_code text COLLATE "C",
  reason_message text,
  spec text NOT NULL,
  needs text NOT NULL,
  verify text NOT NULL,
  priority smallint NOT NULL,
  max_attempts smallint NOT NULL,
  max_duration_ms bigint NOT NULL,
  max_gpu_ask bigint,
  max_cpu_ask bigint,
  hold bigint NOT NULL CHECK (hold >= 0),
  task_cap bigint NOT NULL CHECK (task_cap >= 0),
  tasks_total integer NOT NULL CHECK (tasks_total > 0),
  tasks_left integer NOT NULL CHECK (tasks_left >= 0),
  deadline timestamptz,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  started_at timestamptz,
  finished_at timestamptz
) WITH (fillfactor = 60);
--> statement-breakpoint
CREATE INDEX jobs_by_account ON jobs (account_id, id);
--> statement-breakpoint
CREATE INDEX jobs_by_deadline ON jobs (deadline) WHERE deadline IS NOT NULL;
--> statement-breakpoint
-- The unit that is placed. `waiting` says that it may be placed now; it is a column of its own so that the other state changes
-- touch no index.
CREATE TABLE tasks (
  id text COLLATE "C" PRIMARY KEY,
  job_id text COLLATE "C" NOT NULL,
  idx integer NOT NULL,
  role text COLLATE "C" NOT NULL DEFAULT 'primary' CHECK (role IN ('primary', 'replica', 'audit', 'referee')),
  -- The task this one executes again; its own id for a primary.
  root_id text COLLATE "C" NOT NULL,
  state text COLLATE "C" NOT NULL DEFAULT 'queued',
  waiting boolean NOT NULL DEFAULT true,
  priority smallint NOT NULL,
  fence integer NOT NULL DEFAULT 0,
  attempts_used smallint NOT NULL DEFAULT 0,
  -- The task whose checkpoint this one starts from.
  depends_on text COLLATE "C",
  audited boolean NOT NULL DEFAULT false,
  runtime_class text COLLATE "C",
  payload text NOT NULL,
  payload_digest text COLLATE "C" NOT NULL,
  inputs text NOT NULL DEFAULT '[]',
  excluded text[] COLLATE "C",
  preferred_worker text COLLATE "C",
  CHECK (waiting = false OR state = 'queued')
) WITH (fillfactor = 60);
--> statement-breakpoint
CREATE INDEX tasks_waiting ON tasks (priority DESC, id) WHERE waiting;
--> statement-breakpoint
CREATE INDEX tasks_by_job ON tasks (job_id, idx);
--> statement-breakpoint
CREATE INDEX tasks_by_dependency ON tasks (depends_on) WHERE depends_on IS NOT NULL;
--> statement-breakpoint
CREATE INDEX tasks_by_root ON tasks (root_id) WHERE role <> 'primary';
--> statement-breakpoint
-- A job ends once. The transaction id lets a later stage read new rows in an order that no commit can slip behind.
CREATE TABLE job_ends (
  job_id text COLLATE "C" PRIMARY KEY,
  state text COLLATE "C" NOT NULL,
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);
--> statement-breakpoint
CREATE INDEX job_ends_by_xid ON job_ends (xid);
--> statement-breakpoint
CREATE TABLE idempotency_keys (
  account_id text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  operation text COLLATE "C" NOT NULL,
  body_digest bytea NOT NULL,
  answer text,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (account_id, key)
);
--> statement-breakpoint
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
--> statement-breakpoint
CREATE FUNCTION refuse_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% % may not go from % to %', TG_TABLE_NAME, OLD.id, OLD.state, NEW.state
    USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
END $$;
--> statement-breakpoint
-- The tables of core/src/job/state.ts; a test compares the two. The condition runs without the function, so legal changes cost little.
CREATE TRIGGER job_transition BEFORE UPDATE OF state ON jobs FOR EACH ROW
  WHEN (OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (
    ('queued', 'running'), ('queued', 'succeeded'), ('queued', 'failed'), ('queued', 'cancelled'), ('queued', 'expired'),
    ('running', 'succeeded'), ('running', 'failed'), ('running', 'cancelled'), ('running', 'expired')))
  EXECUTE FUNCTION refuse_transition();
--> statement-breakpoint
CREATE TRIGGER task_transition BEFORE UPDATE OF state ON tasks FOR EACH ROW
  WHEN (OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (
    ('queued', 'leased'), ('queued', 'verifying'), ('queued', 'failed'), ('queued', 'cancelled'),
    ('leased', 'queued'), ('leased', 'running'), ('leased', 'verifying'), ('leased', 'failed'), ('leased', 'cancelled'),
    ('running', 'queued'), ('running', 'verifying'), ('running', 'failed'), ('running', 'cancelled'),
    ('verifying', 'queued'), ('verifying', 'succeeded'), ('verifying', 'failed'), ('verifying', 'cancelled'),
    ('succeeded', 'queued')))
  EXECUTE FUNCTION refuse_transition();
--> statement-breakpoint
GRANT SELECT, INSERT ON jobs, tasks, job_ends, idempotency_keys TO tidemill_app;
--> statement-breakpoint
GRANT UPDATE (state, reason_code, reason_message, tasks_left, started_at, finished_at) ON jobs TO tidemill_app;
--> statement-breakpoint
GRANT UPDATE (state, waiting, fence, attempts_used, runtime_class, payload, payload_digest, inputs, excluded, preferred_worker) ON tasks TO tidemill_app;
--> statement-breakpoint
GRANT UPDATE (answer), DELETE ON idempotency_keys TO tidemill_app;
