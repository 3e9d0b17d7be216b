-- Transactions of the orchestrator's own. The signed bytes are committed before they are sent, so that after a crash the same bytes
-- are sent again and nothing is ever signed twice while the first could still land (G10).
CREATE TABLE chain_transactions (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- What it is for, such as `root:5`.
  purpose text COLLATE "C" NOT NULL,
  signature text COLLATE "C" NOT NULL UNIQUE,
  -- Kept for as long as they may have to be sent.
  wire bytea,
  last_valid_height bigint NOT NULL CHECK (last_valid_height > 0),
  -- What was offered for room in a block, in millionths of a lamport for each compute unit.
  micro_lamports bigint NOT NULL CHECK (micro_lamports >= 0),
  state text COLLATE "C" NOT NULL DEFAULT 'signed' CHECK (state IN ('signed', 'done', 'failed', 'expired')),
  signed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at timestamptz,
  CHECK ((state = 'signed') = (wire IS NOT NULL) AND (state = 'signed') = (ended_at IS NULL))
);
--> statement-breakpoint
-- One that could still land, or has, for each purpose.
CREATE UNIQUE INDEX chain_transactions_one ON chain_transactions (purpose) WHERE state IN ('signed', 'done');
--> statement-breakpoint
CREATE INDEX chain_transactions_live ON chain_transactions (id) WHERE state = 'signed';
--> statement-breakpoint
CREATE INDEX chain_transactions_by_purpose ON chain_transactions (purpose);
--> statement-breakpoint
CREATE FUNCTION refuse_transaction_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'transaction % is % and does not change any more', OLD.signature, OLD.state
    USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
END $$;
--> statement-breakpoint
CREATE TRIGGER chain_transaction_ended_once BEFORE UPDATE ON chain_transactions FOR EACH ROW
  WHEN (OLD.state <> 'signed') EXECUTE FUNCTION refuse_transaction_change();
--> statement-breakpoint
GRANT SELECT, INSERT ON chain_transactions TO tidemill_app;
--> statement-breakpoint
GRANT UPDATE (state, wire, ended_at) ON chain_transactions TO tidemill_app;
--> statement-breakpoint
-- How far the chain has been read, and whether a difference has stopped settlement. One row.
CREATE TABLE chain_state (
  id boolean PRIMARY KEY DEFAULT true CHECK (id),
  -- The newest transaction of the network's account that has been booked.
  cursor_signature text COLLATE "C",
  cursor_slot bigint NOT NULL DEFAULT 0 CHECK (cursor_slot >= 0),
  reconciled_at timestamptz,
  reconciled_slot bigint,
  stopped_at timestamptz,
  stopped_for text,
  CHECK ((stopped_at IS NULL) = (stopped_for IS NULL))
);
--> statement-breakpoint
INSERT INTO chain_state DEFAULT VALUES;
--> statement-breakpoint
GRANT SELECT, UPDATE ON chain_state TO tidemill_app;
--> statement-breakpoint
-- What each worker's index was paid, as the pages on chain have it. It moves with the cursor.
CREATE TABLE chain_paid (
  index integer PRIMARY KEY CHECK (index >= 0),
  paid bigint NOT NULL CHECK (paid > 0)
) WITH (fillfactor = 70);
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE ON chain_paid TO tidemill_app;
