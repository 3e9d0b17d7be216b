CREATE TABLE workers (
  id text COLLATE "C" PRIMARY KEY,
  public_key text COLLATE "C" NOT NULL UNIQUE,
  name text NOT NULL,
  payout text COLLATE "C" NOT NULL,
  state text COLLATE "C" NOT NULL DEFAULT 'lost' CHECK (state IN ('online', 'draining', 'lost', 'suspended')),
  -- Grows with every change of profile or state; placements made on an older one are refused.
  revision integer NOT NULL DEFAULT 1,
  capabilities text NOT NULL,
  gpu_milli integer NOT NULL,
  vram_mib integer NOT NULL,
  cpu_milli integer NOT NULL,
  memory_mib integer NOT NULL,
  disk_mib integer NOT NULL,
  slots integer NOT NULL,
  gpu_ask bigint NOT NULL,
  cpu_ask bigint NOT NULL,
  -- Which orchestrator's socket it is on; a newer session wins.
  session_id text COLLATE "C",
  -- One term serves all leases of the worker: a heartbeat renews it, and the sweep compares it with the database's clock.
  lease_until timestamptz,
  last_seen_at timestamptz,
  joined_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  accepted integer NOT NULL DEFAULT 0,
  rejected integer NOT NULL DEFAULT 0,
  failed integer NOT NULL DEFAULT 0,
  lost integer NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE ON workers TO tidemill_app;
