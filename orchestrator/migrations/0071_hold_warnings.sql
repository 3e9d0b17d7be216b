-- Attempts of which four fifths of what their job's hold pays for are over; each is told of once.
CREATE TABLE hold_warnings (
  attempt_id text COLLATE "C" PRIMARY KEY,
  job_id text COLLATE "C" NOT NULL,
  -- How long the hold lasts at the asks of its worker, from its start on.
  limit_ms bigint NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);
--> statement-breakpoint
CREATE INDEX hold_warnings_by_job ON hold_warnings (job_id);
--> statement-breakpoint
GRANT SELECT, INSERT, DELETE ON hold_warnings TO tidemill_app;
