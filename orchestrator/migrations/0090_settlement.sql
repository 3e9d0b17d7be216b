-- Payment on chain. Without one nothing here is ever written: `settled` stays false, so that no charge is in the indexes below.
-- A charge is settled when nothing of its job will be charged or taken back any more; its epoch is the one it is paid with.
ALTER TABLE charges ADD COLUMN settled boolean NOT NULL DEFAULT false, ADD COLUMN epoch bigint;
--> statement-breakpoint
CREATE INDEX charges_to_join ON charges (worker_id, attempt_id) WHERE settled AND released AND epoch IS NULL;
--> statement-breakpoint
CREATE INDEX charges_by_epoch ON charges (epoch, attempt_id) WHERE epoch IS NOT NULL;
--> statement-breakpoint
GRANT UPDATE (settled, epoch) ON charges TO tidemill_app;
--> statement-breakpoint
CREATE FUNCTION refuse_joined_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'charge % is part of epoch % and does not change any more', OLD.attempt_id, OLD.epoch
    USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
END $$;
--> statement-breakpoint
-- What has been counted into totals that only ever grow is not counted again or otherwise.
CREATE TRIGGER charge_joined_once BEFORE UPDATE OF price, fee, payer, refunded, settled, epoch ON charges FOR EACH ROW
  WHEN (OLD.epoch IS NOT NULL) EXECUTE FUNCTION refuse_joined_change();
--> statement-breakpoint
ALTER TABLE ledger_accounts DROP CONSTRAINT ledger_accounts_bucket_check;
--> statement-breakpoint
ALTER TABLE ledger_accounts ADD CONSTRAINT ledger_accounts_bucket_check
  CHECK (bucket IN ('available', 'held', 'withdrawing', 'pending', 'earned', 'fees', 'grants', 'vault'));
--> statement-breakpoint
ALTER TABLE ledger_accounts DROP CONSTRAINT balance_not_negative;
--> statement-breakpoint
-- The vault's bucket is the negative of what the vault holds.
ALTER TABLE ledger_accounts ADD CONSTRAINT balance_not_negative CHECK (balance >= 0 OR bucket IN ('grants', 'fees', 'vault'));
--> statement-breakpoint
-- Totals since the beginning, in base units, move while the epoch is open; the rest of the statement is written when it is sealed.
CREATE TABLE epochs (
  number bigint PRIMARY KEY CHECK (number > 0),
  state text COLLATE "C" NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'sealed', 'posted', 'final', 'voided')),
  spent bigint NOT NULL DEFAULT 0 CHECK (spent >= 0),
  earned bigint NOT NULL DEFAULT 0 CHECK (earned >= 0),
  slashed bigint NOT NULL DEFAULT 0 CHECK (slashed >= 0),
  refunded bigint NOT NULL DEFAULT 0 CHECK (refunded >= 0),
  fees bigint NOT NULL DEFAULT 0 CHECK (fees >= 0),
  fees_given bigint NOT NULL DEFAULT 0 CHECK (fees_given >= 0),
  dust bigint NOT NULL DEFAULT 0 CHECK (dust >= 0),
  charges bigint NOT NULL DEFAULT 0,
  network bytea CHECK (octet_length(network) = 32),
  program bytea CHECK (octet_length(program) = 32),
  sealed_slot bigint,
  worker_root bytea CHECK (octet_length(worker_root) = 32),
  worker_depth smallint,
  submitter_root bytea CHECK (octet_length(submitter_root) = 32),
  submitter_depth smallint,
  trail_root bytea CHECK (octet_length(trail_root) = 32),
  trail_size bigint,
  registry_root bytea CHECK (octet_length(registry_root) = 32),
  opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  sealed_at timestamptz,
  posted_at timestamptz,
  final_at timestamptz,
  voided_at timestamptz,
  void_reason text,
  CHECK (state = 'open' OR num_nulls(network, program, sealed_slot, worker_root, worker_depth, submitter_root, submitter_depth,
    trail_root, trail_size, registry_root, sealed_at) = 0),
  CHECK (spent + fees_given = earned + fees + dust AND refunded <= slashed AND fees_given <= fees)
);
--> statement-breakpoint
CREATE UNIQUE INDEX epochs_one_open ON epochs ((true)) WHERE state = 'open';
--> statement-breakpoint
-- The program holds one pending root, and an epoch is sealed when the one before it is final or void.
CREATE UNIQUE INDEX epochs_one_under_way ON epochs ((true)) WHERE state IN ('sealed', 'posted');
--> statement-breakpoint
CREATE FUNCTION refuse_epoch_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'epoch % may not go from % to %', OLD.number, OLD.state, NEW.state
    USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
END $$;
--> statement-breakpoint
-- The table of core/src/settlement/epoch.ts; a test compares the two.
CREATE TRIGGER epoch_transition BEFORE UPDATE OF state ON epochs FOR EACH ROW
  WHEN (OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (
    ('open', 'sealed'), ('sealed', 'posted'), ('posted', 'final'), ('posted', 'voided')))
  EXECUTE FUNCTION refuse_epoch_transition();
--> statement-breakpoint
CREATE FUNCTION refuse_sealed_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'epoch % is sealed and does not change any more', OLD.number USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
END $$;
--> statement-breakpoint
-- What co-signers have signed stays as it was.
CREATE TRIGGER epoch_sealed_once BEFORE UPDATE OF spent, earned, slashed, refunded, fees, fees_given, dust, network, program, sealed_slot,
  worker_root, worker_depth, submitter_root, submitter_depth, trail_root, trail_size, registry_root ON epochs FOR EACH ROW
  WHEN (OLD.state <> 'open') EXECUTE FUNCTION refuse_sealed_change();
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE ON epochs TO tidemill_app;
--> statement-breakpoint
-- Whether a charge's epoch is over. Nothing that is still to be paid is forgotten.
CREATE FUNCTION is_final(epoch bigint) RETURNS boolean LANGUAGE sql STABLE SET search_path = pg_catalog, public AS $$
  SELECT epoch IS NOT NULL AND EXISTS (SELECT FROM epochs WHERE number >= epoch AND state = 'final')
$$;
--> statement-breakpoint
-- Live totals of each index. An index is given once and for good, without gaps. What was sealed last says which leaves have changed.
CREATE TABLE settlement_workers (
  index integer PRIMARY KEY CHECK (index >= 0),
  worker_id text COLLATE "C" NOT NULL UNIQUE,
  earned bigint NOT NULL DEFAULT 0 CHECK (earned >= 0),
  slashed bigint NOT NULL DEFAULT 0 CHECK (slashed >= 0),
  sealed_payee text COLLATE "C",
  sealed_earned bigint,
  sealed_slashed bigint
) WITH (fillfactor = 70);
--> statement-breakpoint
CREATE TABLE settlement_submitters (
  index integer PRIMARY KEY CHECK (index >= 0),
  account_id text COLLATE "C" NOT NULL UNIQUE,
  wallet text COLLATE "C" NOT NULL UNIQUE,
  spent bigint NOT NULL DEFAULT 0 CHECK (spent >= 0),
  refunded bigint NOT NULL DEFAULT 0 CHECK (refunded >= 0),
  -- What the chain says of it.
  deposited bigint NOT NULL DEFAULT 0 CHECK (deposited >= 0),
  withdrawn bigint NOT NULL DEFAULT 0 CHECK (withdrawn >= 0),
  requested bigint NOT NULL DEFAULT 0 CHECK (requested >= 0),
  sealed_spent bigint,
  sealed_refunded bigint,
  sealed_held bigint
) WITH (fillfactor = 70);
--> statement-breakpoint
CREATE INDEX settlement_submitters_asking ON settlement_submitters (index) WHERE requested > 0;
--> statement-breakpoint
-- Requests on chain that the ledger has seen, each once.
CREATE TABLE withdrawal_requests (
  ref text COLLATE "C" PRIMARY KEY,
  account_id text COLLATE "C" NOT NULL,
  amount bigint NOT NULL CHECK (amount >= 0),
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);
--> statement-breakpoint
-- Leaves that changed with an epoch: that of an epoch is the newest up to it.
CREATE TABLE worker_leaves (
  index integer NOT NULL,
  epoch bigint NOT NULL,
  payee bytea NOT NULL CHECK (octet_length(payee) = 32),
  earned bigint NOT NULL CHECK (earned >= 0),
  slashed bigint NOT NULL CHECK (slashed >= 0),
  PRIMARY KEY (index, epoch)
);
--> statement-breakpoint
CREATE TABLE submitter_leaves (
  index integer NOT NULL,
  epoch bigint NOT NULL,
  wallet bytea NOT NULL CHECK (octet_length(wallet) = 32),
  spent bigint NOT NULL CHECK (spent >= 0),
  refunded bigint NOT NULL CHECK (refunded >= 0),
  held bigint NOT NULL CHECK (held >= 0),
  PRIMARY KEY (index, epoch)
);
--> statement-breakpoint
CREATE TABLE epoch_attestations (
  epoch bigint NOT NULL REFERENCES epochs (number),
  cosigner bytea NOT NULL CHECK (octet_length(cosigner) = 32),
  signature bytea NOT NULL CHECK (octet_length(signature) = 64),
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (epoch, cosigner)
);
--> statement-breakpoint
CREATE TABLE epoch_objections (
  epoch bigint NOT NULL REFERENCES epochs (number),
  cosigner bytea NOT NULL CHECK (octet_length(cosigner) = 32),
  reason text NOT NULL,
  signature bytea NOT NULL CHECK (octet_length(signature) = 64),
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (epoch, cosigner)
);
--> statement-breakpoint
-- What the chain has seen since the beginning, as far as the ledger knows: up to this finalized slot. Its lock orders what is booked.
CREATE TABLE chain_books (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  seen_slot bigint NOT NULL DEFAULT 0,
  deposited bigint NOT NULL DEFAULT 0,
  withdrawn bigint NOT NULL DEFAULT 0,
  paid bigint NOT NULL DEFAULT 0,
  fees_withdrawn bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
--> statement-breakpoint
INSERT INTO chain_books DEFAULT VALUES;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE ON settlement_workers, settlement_submitters TO tidemill_app;
--> statement-breakpoint
GRANT SELECT, INSERT ON withdrawal_requests, worker_leaves, submitter_leaves, epoch_attestations, epoch_objections TO tidemill_app;
--> statement-breakpoint
GRANT SELECT, UPDATE (seen_slot, deposited, withdrawn, paid, fees_withdrawn) ON chain_books TO tidemill_app;
--> statement-breakpoint
-- As before, but a job stays while a charge of it waits for its epoch, or for its epoch to be final.
CREATE OR REPLACE FUNCTION forget_jobs(keep interval, after text, most integer, OUT looked integer, OUT forgotten integer, OUT last text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
  horizon timestamptz := clock_timestamp() - keep;
  candidates text[];
  gone text[];
  gone_tasks text[];
  gone_attempts text[];
BEGIN
  IF keep < interval '1 day' THEN
    RAISE EXCEPTION 'jobs are kept for a day at least, not %', keep USING ERRCODE = 'invalid_parameter_value';
  END IF;
  looked := 0;
  forgotten := 0;
  last := after;
  -- One process at a time; the others have nothing to do meanwhile.
  IF NOT pg_try_advisory_xact_lock(7316403) THEN
    RETURN;
  END IF;
  SELECT array_agg(job_id ORDER BY job_id) INTO candidates FROM (
    SELECT job_id FROM job_ends WHERE job_id > after AND job_id < id_floor('job_', horizon) AND at < horizon ORDER BY job_id LIMIT most
  ) AS old;
  IF candidates IS NULL THEN
    RETURN;
  END IF;
  looked := cardinality(candidates);
  last := candidates[looked];
  SELECT array_agg(job.job_id) INTO gone FROM job_ends AS job
  WHERE job.job_id = ANY (candidates)
    AND job.xid < (SELECT min(xid) FROM stage_cursors)
    AND NOT EXISTS (SELECT FROM charges WHERE charges.job_id = job.job_id AND (NOT charges.released OR charges.settled AND NOT is_final(charges.epoch)))
    AND NOT EXISTS (SELECT FROM tasks WHERE tasks.job_id = job.job_id AND tasks.state NOT IN ('succeeded', 'failed', 'cancelled'))
    AND NOT EXISTS (
      SELECT FROM tasks JOIN attempts ON attempts.task_id = tasks.id LEFT JOIN verdicts ON verdicts.attempt_id = attempts.id
      WHERE tasks.job_id = job.job_id AND (attempts.live OR verdicts.xid >= (SELECT min(xid) FROM stage_cursors)));
  IF gone IS NULL THEN
    RETURN;
  END IF;
  forgotten := cardinality(gone);
  SELECT array_agg(id) INTO gone_tasks FROM tasks WHERE job_id = ANY (gone);
  SELECT array_agg(id) INTO gone_attempts FROM attempts WHERE task_id = ANY (gone_tasks);
  -- The bytes go with the last right to them, by the artifacts' own loop.
  UPDATE artifact_grants SET until = clock_timestamp() FROM task_outputs AS output
    WHERE output.task_id = ANY (gone_tasks) AND artifact_grants.digest = output.digest
      AND artifact_grants.owner_kind = 'job' AND artifact_grants.owner_id = ANY (gone);
  DELETE FROM task_outputs WHERE task_id = ANY (gone_tasks);
  DELETE FROM attempt_logs WHERE job_id = ANY (gone);
  DELETE FROM attempt_checkpoints WHERE job_id = ANY (gone);
  DELETE FROM attempt_progress WHERE job_id = ANY (gone);
  DELETE FROM charges WHERE attempt_id = ANY (gone_attempts);
  DELETE FROM voided WHERE attempt_id = ANY (gone_attempts);
  DELETE FROM verdicts WHERE attempt_id = ANY (gone_attempts);
  DELETE FROM receipts WHERE attempt_id = ANY (gone_attempts);
  DELETE FROM attempts WHERE id = ANY (gone_attempts);
  DELETE FROM tasks WHERE id = ANY (gone_tasks);
  DELETE FROM jobs WHERE id = ANY (gone);
  DELETE FROM job_ends WHERE job_id = ANY (gone);
END $$;
--> statement-breakpoint
-- As before, with the same addition.
CREATE OR REPLACE FUNCTION erase_job(owner text, job text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
  present text;
  gone_tasks text[];
  gone_attempts text[];
BEGIN
  SELECT state INTO present FROM jobs WHERE id = job AND account_id = owner FOR UPDATE;
  IF NOT FOUND THEN
    RETURN 'absent';
  END IF;
  IF present IN ('queued', 'running') THEN
    RETURN 'open';
  END IF;
  SELECT array_agg(id) INTO gone_tasks FROM tasks WHERE job_id = job;
  SELECT array_agg(id) INTO gone_attempts FROM attempts WHERE task_id = ANY (gone_tasks);
  IF EXISTS (SELECT FROM job_ends WHERE job_id = job AND xid >= (SELECT min(xid) FROM stage_cursors))
    OR EXISTS (SELECT FROM tasks WHERE job_id = job AND state NOT IN ('succeeded', 'failed', 'cancelled'))
    OR EXISTS (SELECT FROM attempts WHERE id = ANY (gone_attempts) AND live)
    OR EXISTS (SELECT FROM verdicts WHERE attempt_id = ANY (gone_attempts) AND xid >= (SELECT min(xid) FROM stage_cursors)) THEN
    RETURN 'unsettled';
  END IF;
  IF EXISTS (SELECT FROM charges WHERE job_id = job AND (NOT released OR settled AND NOT is_final(epoch))) THEN
    RETURN 'unreleased';
  END IF;
  -- The bytes go with the last right to them, by the artifacts' own loop.
  UPDATE artifact_grants SET until = clock_timestamp() WHERE owner_kind = 'job' AND owner_id = job;
  DELETE FROM idempotency_keys WHERE account_id = owner AND strpos(answer, job) > 0;
  DELETE FROM webhook_deliveries USING webhook_endpoints AS endpoint
    WHERE endpoint.id = webhook_deliveries.endpoint_id AND endpoint.account_id = owner AND strpos(webhook_deliveries.data, job) > 0;
  DELETE FROM budget_uses WHERE job_id = job;
  DELETE FROM task_outputs WHERE task_id = ANY (gone_tasks);
  DELETE FROM attempt_logs WHERE job_id = job;
  DELETE FROM attempt_checkpoints WHERE job_id = job;
  DELETE FROM attempt_progress WHERE job_id = job;
  DELETE FROM charges WHERE job_id = job;
  DELETE FROM voided WHERE attempt_id = ANY (gone_attempts);
  DELETE FROM verdicts WHERE attempt_id = ANY (gone_attempts);
  DELETE FROM receipts WHERE attempt_id = ANY (gone_attempts);
  DELETE FROM receipts_refused WHERE attempt_id = ANY (gone_attempts);
  DELETE FROM attempts WHERE id = ANY (gone_attempts);
  DELETE FROM tasks WHERE job_id = job;
  DELETE FROM jobs WHERE id = job;
  DELETE FROM job_ends WHERE job_id = job;
  RETURN 'erased';
END $$;
