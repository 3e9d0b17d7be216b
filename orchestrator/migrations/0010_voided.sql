-- Accepted results that turned out to have started from a wrong one. What a submitter was charged for them goes back to it.
CREATE TABLE voided (
  attempt_id text COLLATE "C" PRIMARY KEY,
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);
--> statement-breakpoint
CREATE INDEX voided_by_xid ON voided (xid);
--> statement-breakpoint
GRANT SELECT, INSERT ON voided TO tidemill_app;
--> statement-breakpoint
ALTER TABLE charges ADD COLUMN refunded boolean NOT NULL DEFAULT false;
--> statement-breakpoint
GRANT UPDATE (refunded) ON charges TO tidemill_app;
