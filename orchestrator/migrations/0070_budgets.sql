-- What an account or a key may spend in a period. `used` counts what was charged and what is held; it moves in the transactions that
-- take holds and give them back, so two submissions at once cannot both pass.
CREATE TABLE budgets (
  -- An account, or the first key of a line of rotated ones.
  owner text COLLATE "C" NOT NULL,
  period text COLLATE "C" NOT NULL CHECK (period IN ('day', 'month', 'total')),
  account_id text COLLATE "C" NOT NULL REFERENCES accounts (id),
  amount bigint NOT NULL CHECK (amount >= 0),
  used bigint NOT NULL DEFAULT 0,
  period_from timestamptz NOT NULL,
  PRIMARY KEY (owner, period)
) WITH (fillfactor = 50);
--> statement-breakpoint
CREATE INDEX budgets_by_account ON budgets (account_id);
--> statement-breakpoint
-- What an open job counts for, and in which period: what its hold leaves is given back to that period and to no later one.
CREATE TABLE budget_uses (
  job_id text COLLATE "C" NOT NULL,
  owner text COLLATE "C" NOT NULL,
  period text COLLATE "C" NOT NULL,
  period_from timestamptz NOT NULL,
  PRIMARY KEY (job_id, owner, period)
);
--> statement-breakpoint
-- Which key submitted a job; null for a login.
ALTER TABLE jobs ADD COLUMN key_id text COLLATE "C";
--> statement-breakpoint
-- The key whose budget this one shares: the one it replaced, or the one that made it under a budget. Null: its own.
ALTER TABLE api_keys ADD COLUMN budget_of text COLLATE "C";
--> statement-breakpoint
-- The start of the period that a moment is in, in UTC; a total began when it was set.
CREATE FUNCTION budget_period_start(period text, moment timestamptz) RETURNS timestamptz LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN period IN ('day', 'month') THEN date_trunc(period, moment, 'UTC') ELSE '-infinity' END
$$;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE (amount, used, period_from), DELETE ON budgets TO tidemill_app;
--> statement-breakpoint
GRANT SELECT, INSERT, DELETE ON budget_uses TO tidemill_app;
