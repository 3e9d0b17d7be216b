-- Whose machine a worker is: copies of one task never go to two machines of one operator. Null for one that did not say.
ALTER TABLE workers ADD COLUMN operator text COLLATE "C";
--> statement-breakpoint
-- An ordered change of the payout address, and when it takes effect.
ALTER TABLE workers ADD COLUMN payout_next text COLLATE "C";
--> statement-breakpoint
ALTER TABLE workers ADD COLUMN payout_due_at timestamptz;
--> statement-breakpoint
ALTER TABLE workers ADD CONSTRAINT payout_change_is_whole CHECK ((payout_next IS NULL) = (payout_due_at IS NULL));
--> statement-breakpoint
-- When the last order that changed something was issued: an order that was seen once is not carried out again.
ALTER TABLE workers ADD COLUMN ordered_ms bigint NOT NULL DEFAULT 0;
--> statement-breakpoint
CREATE INDEX workers_by_payout_due ON workers (payout_due_at) WHERE payout_due_at IS NOT NULL;
--> statement-breakpoint
-- Keys that were replaced. They log in nobody any more, nor do they become a worker of their own.
CREATE TABLE retired_worker_keys (
  public_key text COLLATE "C" PRIMARY KEY,
  worker_id text COLLATE "C" NOT NULL,
  retired_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
--> statement-breakpoint
GRANT SELECT, INSERT ON retired_worker_keys TO tidemill_app;
