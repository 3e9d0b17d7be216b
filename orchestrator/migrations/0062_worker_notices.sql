-- Whose worker it is hears when it goes and comes: the account of the wallet that it pays to, or of its operator.
CREATE FUNCTION announce_worker() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
  event text := CASE NEW.state WHEN 'online' THEN 'worker.online' WHEN 'lost' THEN 'worker.offline' WHEN 'suspended' THEN 'worker.suspended' ELSE 'worker.draining' END;
BEGIN
  PERFORM announce(accounts.id, event, jsonb_build_object('id', NEW.id, 'name', NEW.name, 'state', NEW.state, 'lastSeenAt', to_char(NEW.last_seen_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')))
    FROM accounts WHERE accounts.wallet IN (NEW.payout, NEW.operator);
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER announce_worker AFTER UPDATE OF state ON workers FOR EACH ROW
  WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION announce_worker();
