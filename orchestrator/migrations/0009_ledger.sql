-- Prices booked per attempt, so that a bill can be shown and recomputed.
CREATE TABLE charges (
  attempt_id text COLLATE "C" PRIMARY KEY,
  job_id text COLLATE "C" NOT NULL,
  worker_id text COLLATE "C" NOT NULL,
  price bigint NOT NULL CHECK (price >= 0),
  fee bigint NOT NULL CHECK (fee >= 0),
  payer text COLLATE "C" NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- How many accepted results the worker had, and whether its part can no longer be withheld.
  worker_results integer NOT NULL,
  released boolean NOT NULL DEFAULT false
);
--> statement-breakpoint
CREATE INDEX charges_by_job ON charges (job_id);
--> statement-breakpoint
CREATE INDEX charges_to_release ON charges (at) WHERE NOT released;
--> statement-breakpoint
GRANT SELECT, INSERT ON charges TO tidemill_app;
--> statement-breakpoint
GRANT UPDATE (released) ON charges TO tidemill_app;
