-- Double entry in base units. An account is an owner's bucket; an entry happens once for its kind and ref; all legs of an entry
-- are inserted by one statement, which must sum to zero and moves the balances with it.
CREATE TABLE ledger_accounts (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  owner text COLLATE "C" NOT NULL,
  bucket text COLLATE "C" NOT NULL CHECK (bucket IN ('available', 'held', 'pending', 'earned', 'fees', 'grants')),
  balance bigint NOT NULL DEFAULT 0,
  UNIQUE (owner, bucket),
  -- Only what the network gives may be negative: credit before deposits exist, and checks before fees came in.
  CONSTRAINT balance_not_negative CHECK (balance >= 0 OR bucket IN ('grants', 'fees'))
) WITH (fillfactor = 50);
--> statement-breakpoint
CREATE TABLE ledger_entries (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind text COLLATE "C" NOT NULL,
  ref text COLLATE "C" NOT NULL,
  -- Which accounts it moves: with the key of the postings that finds all its legs.
  accounts bigint[] NOT NULL DEFAULT '{}',
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (ref, kind)
);
--> statement-breakpoint
-- References are checked by the trigger below for a whole statement at once; a foreign key would look up every row by itself.
CREATE TABLE ledger_postings (
  account_id bigint NOT NULL,
  entry_id bigint NOT NULL,
  amount bigint NOT NULL CHECK (amount <> 0),
  PRIMARY KEY (account_id, entry_id)
);
--> statement-breakpoint
CREATE FUNCTION book_postings() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
  wrong bigint;
  touched bigint;
  moved bigint;
BEGIN
  -- Once an entry, not once a leg.
  IF EXISTS (
    SELECT FROM (SELECT DISTINCT entry_id FROM added OFFSET 0) AS wanted
    WHERE NOT EXISTS (SELECT FROM ledger_entries AS entry WHERE entry.id = wanted.entry_id)
  ) THEN
    RAISE EXCEPTION 'a posting belongs to no ledger entry' USING ERRCODE = 'foreign_key_violation';
  END IF;
  SELECT entry_id INTO wrong FROM added GROUP BY entry_id HAVING sum(amount) <> 0 LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'ledger entry % does not sum to zero', wrong USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_sums_to_zero';
  END IF;
  -- Locks in one order, or two bookings that touch the same accounts deadlock.
  PERFORM 1 FROM ledger_accounts WHERE id IN (SELECT account_id FROM added) ORDER BY id FOR NO KEY UPDATE;
  UPDATE ledger_accounts AS account SET balance = account.balance + change.amount
    FROM (SELECT account_id, sum(amount)::bigint AS amount FROM added GROUP BY account_id) AS change
    WHERE account.id = change.account_id;
  GET DIAGNOSTICS moved = ROW_COUNT;
  SELECT count(DISTINCT account_id) INTO touched FROM added;
  IF moved <> touched THEN
    RAISE EXCEPTION 'a posting belongs to no ledger account' USING ERRCODE = 'foreign_key_violation';
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER book_postings AFTER INSERT ON ledger_postings
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION book_postings();
--> statement-breakpoint
GRANT SELECT ON ledger_accounts, ledger_entries, ledger_postings TO tidemill_app;
--> statement-breakpoint
GRANT INSERT (owner, bucket) ON ledger_accounts TO tidemill_app;
--> statement-breakpoint
GRANT INSERT ON ledger_entries, ledger_postings TO tidemill_app;
