-- Deliveries go a month after they were done with, not after they were made: one that was sent again is shown for as long.
UPDATE webhook_deliveries SET finished_at = NULL WHERE state = 'pending';
--> statement-breakpoint
CREATE INDEX webhook_deliveries_by_end ON webhook_deliveries (finished_at) WHERE finished_at IS NOT NULL;
