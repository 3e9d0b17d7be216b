-- A worker's key may be replaced; evidence looks for the key that was its own when it signed, and for the orders that replaced it.
CREATE INDEX retired_worker_keys_by_worker ON retired_worker_keys (worker_id, retired_at);
--> statement-breakpoint
DROP INDEX trail_events_of_exceptions;
--> statement-breakpoint
CREATE INDEX trail_events_of_exceptions ON trail_events (subject)
  WHERE kind IN ('worker.joined', 'worker.key-changed', 'lease.ended', 'check.ordered', 'check.waived', 'ledger.refunded');
--> statement-breakpoint
-- Kinds of workers are kept as long as the plans that name them.
ALTER TABLE worker_kinds ADD COLUMN at timestamptz NOT NULL DEFAULT clock_timestamp();
--> statement-breakpoint
GRANT UPDATE (at), DELETE ON worker_kinds TO tidemill_app;
