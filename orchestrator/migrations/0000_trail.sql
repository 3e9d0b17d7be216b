-- Roles belong to the whole cluster, so another database may have made them before, or be making them now.
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['tidemill_app', 'tidemill_sequencer'] LOOP
    BEGIN
      EXECUTE format('CREATE ROLE %I NOLOGIN', name);
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
      NULL;
    END;
    -- A superuser may take any role; everybody else has to be a member. Granting twice at once would fail, so only when needed.
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
      EXECUTE format('GRANT %I TO CURRENT_USER', name);
    END IF;
  END LOOP;
END $$;
--> statement-breakpoint
-- What happened and why, one row in the transaction of the change it explains.
-- Ordered by transaction, then by id: new rows are right-most, and the rows of settled transactions are a range.
CREATE TABLE trail_events (
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  at_ms bigint NOT NULL CHECK (at_ms BETWEEN 0 AND 8640000000000000),
  kind text NOT NULL CHECK (strpos(kind, E'\n') = 0),
  subject text NOT NULL CHECK (strpos(subject, E'\n') = 0),
  -- The text is what the digest covers: text, not jsonb, or its bytes would change.
  body text NOT NULL,
  digest bytea NOT NULL CHECK (octet_length(digest) = 32),
  PRIMARY KEY (xid, id)
);
--> statement-breakpoint
-- The place of each committed event, its RFC 6962 leaf hash, and the hash that chains it to all before it.
CREATE TABLE trail_chain (
  place bigint PRIMARY KEY,
  event_xid xid8 NOT NULL,
  event_id bigint NOT NULL UNIQUE,
  leaf_hash bytea NOT NULL,
  chain_hash bytea NOT NULL
);
--> statement-breakpoint
-- Roots of the perfect subtrees of 256^level leaves, so that a proof reads hundreds of rows and not the whole trail.
CREATE TABLE trail_tiles (
  level smallint NOT NULL,
  index bigint NOT NULL,
  hash bytea NOT NULL,
  PRIMARY KEY (level, index)
);
--> statement-breakpoint
-- What the operator's key vouched for.
CREATE TABLE trail_checkpoints (
  size bigint PRIMARY KEY,
  network text NOT NULL,
  root bytea NOT NULL,
  chain bytea NOT NULL,
  at_ms bigint NOT NULL,
  public_key bytea NOT NULL,
  signature bytea NOT NULL
);
--> statement-breakpoint
-- How far the sequencer is. Locked for every batch; a sequencer whose epoch is no longer this one places nothing.
CREATE TABLE trail_sequencer (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  epoch bigint NOT NULL DEFAULT 0,
  size bigint NOT NULL DEFAULT 0,
  chain bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex'),
  -- Roots of the perfect subtrees of the tree, the largest first, 32 bytes each.
  frontier bytea NOT NULL DEFAULT '',
  -- The last event with a place; everything settled behind it has none yet.
  last_xid xid8 NOT NULL DEFAULT '0',
  last_id bigint NOT NULL DEFAULT 0,
  -- Transaction ids mean something in one cluster only; in another one the trail was restored from a dump.
  system_id bigint NOT NULL DEFAULT 0,
  restored boolean NOT NULL DEFAULT false
) WITH (fillfactor = 50);
--> statement-breakpoint
INSERT INTO trail_sequencer DEFAULT VALUES;
--> statement-breakpoint
-- xid and id are not granted: whoever could choose them could keep an event from ever getting a place.
GRANT SELECT, INSERT (at_ms, kind, subject, body, digest) ON trail_events TO tidemill_app;
--> statement-breakpoint
GRANT SELECT ON trail_chain, trail_tiles, trail_checkpoints, trail_sequencer TO tidemill_app;
--> statement-breakpoint
GRANT SELECT ON trail_events TO tidemill_sequencer;
--> statement-breakpoint
GRANT SELECT, INSERT ON trail_chain, trail_tiles, trail_checkpoints TO tidemill_sequencer;
--> statement-breakpoint
GRANT SELECT, UPDATE (epoch, size, chain, frontier, last_xid, last_id, system_id, restored) ON trail_sequencer TO tidemill_sequencer;
