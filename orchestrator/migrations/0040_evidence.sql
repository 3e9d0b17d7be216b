-- In which transaction a job was accepted and an attempt was charged: with it the trail events of that transaction are found by
-- the key of trail_events, and the many kinds of every job need no index of their own.
ALTER TABLE jobs ADD COLUMN xid xid8;
--> statement-breakpoint
ALTER TABLE charges ADD COLUMN xid xid8;
--> statement-breakpoint
UPDATE jobs SET xid = event.xid FROM trail_events AS event WHERE event.kind = 'job.accepted' AND event.subject = jobs.id;
--> statement-breakpoint
UPDATE charges SET xid = event.xid FROM trail_events AS event WHERE event.kind = 'ledger.booked' AND event.subject = charges.attempt_id;
--> statement-breakpoint
ALTER TABLE jobs ALTER COLUMN xid SET DEFAULT pg_current_xact_id();
--> statement-breakpoint
ALTER TABLE charges ALTER COLUMN xid SET DEFAULT pg_current_xact_id();
--> statement-breakpoint
-- The rare kinds are found by what they are about; kinds that every job has are left out, or each job would pay for them.
CREATE INDEX trail_events_of_exceptions ON trail_events (subject)
  WHERE kind IN ('worker.joined', 'lease.ended', 'check.ordered', 'check.waived', 'ledger.refunded');
