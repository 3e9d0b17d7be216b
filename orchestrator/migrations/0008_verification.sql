-- One verdict an attempt, for good. `payer` says whose money it moves, if any.
CREATE TABLE verdicts (
  attempt_id text COLLATE "C" PRIMARY KEY,
  job_id text COLLATE "C" NOT NULL,
  verdict text COLLATE "C" NOT NULL CHECK (verdict IN ('accepted', 'rejected')),
  reason text COLLATE "C" NOT NULL,
  payer text COLLATE "C" NOT NULL CHECK (payer IN ('submitter', 'fees', 'nobody')),
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);
--> statement-breakpoint
CREATE INDEX verdicts_by_xid ON verdicts (xid);
--> statement-breakpoint
GRANT SELECT, INSERT ON verdicts TO tidemill_app;
