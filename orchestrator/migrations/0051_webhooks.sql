-- Where submitters want to hear what happens. The secret that signs is derived from the operator's key, the id and the version.
CREATE TABLE webhook_endpoints (
  id text COLLATE "C" PRIMARY KEY,
  account_id text COLLATE "C" NOT NULL REFERENCES accounts (id),
  url text NOT NULL,
  -- What it wants to hear of; everything when empty.
  events text[] NOT NULL,
  secret_version integer NOT NULL DEFAULT 1,
  -- Until then the version before signs too.
  previous_until timestamptz,
  created_at timestamptz NOT NULL,
  -- Since when nothing arrived, and when it was given up.
  failing_since timestamptz,
  disabled_at timestamptz
);
--> statement-breakpoint
CREATE INDEX webhook_endpoints_by_account ON webhook_endpoints (account_id, id);
--> statement-breakpoint
-- The outbox: written in the transaction of the event, one row an endpoint that wants it, and none for accounts without one.
CREATE TABLE webhook_deliveries (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  endpoint_id text COLLATE "C" NOT NULL REFERENCES webhook_endpoints (id) ON DELETE CASCADE,
  event_id text COLLATE "C" NOT NULL,
  type text COLLATE "C" NOT NULL,
  data text NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  state text COLLATE "C" NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed')),
  tries integer NOT NULL DEFAULT 0,
  next_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- After this it is not tried again.
  give_up_at timestamptz NOT NULL DEFAULT clock_timestamp() + interval '24 hours',
  finished_at timestamptz
);
--> statement-breakpoint
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (next_at) WHERE state = 'pending';
--> statement-breakpoint
CREATE INDEX webhook_deliveries_by_endpoint ON webhook_deliveries (endpoint_id, id);
--> statement-breakpoint
CREATE INDEX webhook_deliveries_by_age ON webhook_deliveries (at);
--> statement-breakpoint
CREATE TABLE webhook_tries (
  delivery_id bigint NOT NULL REFERENCES webhook_deliveries (id) ON DELETE CASCADE,
  number integer NOT NULL,
  at timestamptz NOT NULL,
  ms integer NOT NULL,
  status integer,
  error text,
  PRIMARY KEY (delivery_id, number)
);
--> statement-breakpoint
CREATE FUNCTION announce(account text, event_type text, event_data jsonb) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
  INSERT INTO webhook_deliveries (endpoint_id, event_id, type, data)
    SELECT endpoint.id, event.id, event_type, event_data::text
    FROM (SELECT 'evt_' || replace(gen_random_uuid()::text, '-', '') AS id) AS event
    CROSS JOIN webhook_endpoints AS endpoint
    WHERE endpoint.account_id = account AND endpoint.disabled_at IS NULL
      AND (endpoint.events = '{}' OR event_type = ANY (endpoint.events));
  IF FOUND THEN
    PERFORM pg_notify('tidemill', 'webhooks');
  END IF;
END $$;
--> statement-breakpoint
-- Whether somebody listened when the job was accepted: only then does a change of its state run the function below.
ALTER TABLE jobs ADD COLUMN announced boolean NOT NULL DEFAULT false;
--> statement-breakpoint
CREATE FUNCTION announce_job() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
  PERFORM announce(NEW.account_id, 'job.' || NEW.state, jsonb_build_object(
    'id', NEW.id, 'kind', NEW.kind, 'name', NEW.name, 'labels', coalesce(NEW.labels, '{}'), 'state', NEW.state,
    'reason', CASE WHEN NEW.reason_code IS NOT NULL THEN jsonb_build_object('code', NEW.reason_code, 'message', coalesce(NEW.reason_message, '')) END));
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER announce_job AFTER UPDATE OF state ON jobs FOR EACH ROW
  WHEN (NEW.announced AND OLD.state <> NEW.state) EXECUTE FUNCTION announce_job();
--> statement-breakpoint
CREATE FUNCTION announce_key() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
  PERFORM announce(NEW.account_id, CASE WHEN TG_OP = 'INSERT' THEN 'key.created' ELSE 'key.revoked' END,
    jsonb_build_object('id', NEW.id, 'name', NEW.name, 'prefix', NEW.prefix));
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER announce_key AFTER INSERT ON api_keys FOR EACH ROW EXECUTE FUNCTION announce_key();
--> statement-breakpoint
CREATE TRIGGER announce_revocation AFTER UPDATE OF revoked_at ON api_keys FOR EACH ROW
  WHEN (OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL) EXECUTE FUNCTION announce_key();
--> statement-breakpoint
-- Below this an owner wants to be told of its available balance.
ALTER TABLE ledger_accounts ADD COLUMN warn_below bigint CHECK (warn_below > 0);
--> statement-breakpoint
CREATE FUNCTION announce_balance() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
  PERFORM announce(NEW.owner, 'balance.low', jsonb_build_object('available', NEW.balance::text, 'threshold', NEW.warn_below::text));
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER announce_balance AFTER UPDATE OF balance ON ledger_accounts FOR EACH ROW
  WHEN (NEW.balance < NEW.warn_below AND OLD.balance >= NEW.warn_below) EXECUTE FUNCTION announce_balance();
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_endpoints, webhook_deliveries, webhook_tries TO tidemill_app;
--> statement-breakpoint
GRANT UPDATE (warn_below) ON ledger_accounts TO tidemill_app;
