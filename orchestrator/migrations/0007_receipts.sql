-- What workers signed, kept for good: the exact text, the batch's signature, and the path from this receipt to what was signed.
CREATE TABLE receipts (
  attempt_id text COLLATE "C" PRIMARY KEY,
  task_id text COLLATE "C" NOT NULL,
  job_id text COLLATE "C" NOT NULL,
  worker_id text COLLATE "C" NOT NULL,
  -- Whether its job asked for checks; of the others verification needs no more than this row.
  checked boolean NOT NULL,
  hash bytea NOT NULL,
  text text NOT NULL,
  path bytea NOT NULL,
  batch_index smallint NOT NULL,
  batch_size smallint NOT NULL,
  signature bytea NOT NULL,
  outcome text COLLATE "C" NOT NULL,
  -- What verification compares: the commitment, the digest of the outputs, or the failure.
  result text COLLATE "C" NOT NULL,
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  received_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
--> statement-breakpoint
CREATE INDEX receipts_by_xid ON receipts (xid);
--> statement-breakpoint
-- Receipts that earn nothing, kept as evidence: a stale fence, or a check that failed.
CREATE TABLE receipts_refused (
  hash bytea PRIMARY KEY,
  attempt_id text COLLATE "C" NOT NULL,
  worker_id text COLLATE "C" NOT NULL,
  code text COLLATE "C" NOT NULL,
  text text NOT NULL,
  received_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
--> statement-breakpoint
CREATE TABLE task_outputs (
  task_id text COLLATE "C" NOT NULL,
  attempt_id text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  digest text COLLATE "C" NOT NULL,
  size_bytes bigint NOT NULL,
  PRIMARY KEY (task_id, attempt_id, name)
);
--> statement-breakpoint
-- Where a stage that follows another has got to: every row of a transaction below `xid` has been seen.
CREATE TABLE stage_cursors (
  stage text COLLATE "C" PRIMARY KEY,
  xid xid8 NOT NULL DEFAULT '0'
);
--> statement-breakpoint
INSERT INTO stage_cursors (stage) VALUES ('verification'), ('ledger');
--> statement-breakpoint
GRANT SELECT, INSERT ON receipts, receipts_refused, task_outputs TO tidemill_app;
--> statement-breakpoint
GRANT SELECT, UPDATE ON stage_cursors TO tidemill_app;
