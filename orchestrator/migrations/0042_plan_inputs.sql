-- What a turn of the scheduler decided on. The decisions in the trail name the digest, so a text that was altered is found out; the
-- texts themselves may be forgotten after their time, unlike the trail.
CREATE TABLE plan_inputs (
  digest bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
  text text NOT NULL,
  -- Digests of the kinds of workers that it names.
  kinds bytea[] NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);
--> statement-breakpoint
-- Rows come in order of time and go in order of time.
CREATE INDEX plan_inputs_by_age ON plan_inputs USING brin (at);
--> statement-breakpoint
CREATE TABLE worker_kinds (
  digest bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
  text text NOT NULL
);
--> statement-breakpoint
GRANT SELECT, INSERT, DELETE ON plan_inputs TO tidemill_app;
--> statement-breakpoint
GRANT SELECT, INSERT ON worker_kinds TO tidemill_app;
