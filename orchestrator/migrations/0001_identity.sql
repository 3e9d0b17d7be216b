-- One account a wallet; the wallet is the owner's public key in base58.
CREATE TABLE accounts (
  id text COLLATE "C" PRIMARY KEY,
  wallet text COLLATE "C" NOT NULL UNIQUE,
  created_at timestamptz NOT NULL
);
--> statement-breakpoint
-- Messages that wait for a signature, so that any replica can finish a login another one began. A row is taken once.
CREATE TABLE login_challenges (
  nonce text COLLATE "C" PRIMARY KEY,
  wallet text COLLATE "C" NOT NULL,
  message text NOT NULL,
  issued_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL
);
--> statement-breakpoint
CREATE INDEX login_challenges_by_wallet ON login_challenges (wallet, issued_at);
--> statement-breakpoint
CREATE INDEX login_challenges_by_end ON login_challenges (expires_at);
--> statement-breakpoint
-- Tokens of logins. Only their SHA-256 is kept: whoever reads the table cannot use them.
CREATE TABLE login_tokens (
  token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
  account_id text COLLATE "C" NOT NULL REFERENCES accounts (id),
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL
);
--> statement-breakpoint
CREATE INDEX login_tokens_by_end ON login_tokens (expires_at);
--> statement-breakpoint
CREATE TABLE api_keys (
  id text COLLATE "C" PRIMARY KEY,
  account_id text COLLATE "C" NOT NULL REFERENCES accounts (id),
  name text NOT NULL,
  key_hash bytea NOT NULL UNIQUE CHECK (octet_length(key_hash) = 32),
  prefix text NOT NULL,
  scopes text[] NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz
);
--> statement-breakpoint
CREATE INDEX api_keys_by_account ON api_keys (account_id, id) WHERE revoked_at IS NULL;
--> statement-breakpoint
GRANT SELECT, INSERT ON accounts TO tidemill_app;
--> statement-breakpoint
GRANT SELECT, INSERT, DELETE ON login_challenges, login_tokens TO tidemill_app;
--> statement-breakpoint
-- A key's owner, scopes and hash never change; only its use and its end are written later.
GRANT SELECT, INSERT, UPDATE (last_used_at, revoked_at) ON api_keys TO tidemill_app;
