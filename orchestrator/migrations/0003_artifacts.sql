-- Bytes that are stored, under their SHA-256.
CREATE TABLE artifacts (
  digest text COLLATE "C" PRIMARY KEY CHECK (digest ~ '^sha256:[0-9a-f]{64}$'),
  size_bytes bigint NOT NULL CHECK (size_bytes >= 0),
  created_at timestamptz NOT NULL
);
--> statement-breakpoint
-- Who may read them. Knowing a digest is not a right to read.
CREATE TABLE artifact_grants (
  digest text COLLATE "C" NOT NULL REFERENCES artifacts (digest),
  owner_kind text NOT NULL CHECK (owner_kind IN ('account', 'worker', 'job')),
  owner_id text COLLATE "C" NOT NULL,
  -- The account that may read: the owner itself, or the one the job belongs to.
  account_id text COLLATE "C" REFERENCES accounts (id),
  -- What the owner stored itself and is charged for; 0 for a right given by a stage.
  stored_bytes bigint NOT NULL DEFAULT 0 CHECK (stored_bytes >= 0),
  stored boolean NOT NULL DEFAULT false,
  -- The end of the right; none when null.
  until timestamptz,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (digest, owner_kind, owner_id),
  CHECK (stored OR stored_bytes = 0),
  CHECK (NOT (stored AND owner_kind = 'job')),
  CHECK ((account_id IS NULL) = (owner_kind = 'worker'))
);
--> statement-breakpoint
CREATE INDEX artifact_grants_by_end ON artifact_grants (until) WHERE until IS NOT NULL;
--> statement-breakpoint
-- What an owner stores in total; its row is the lock under which a quota is checked.
CREATE TABLE artifact_usage (
  owner_kind text NOT NULL,
  owner_id text COLLATE "C" NOT NULL,
  stored_bytes bigint NOT NULL CHECK (stored_bytes >= 0),
  PRIMARY KEY (owner_kind, owner_id)
);
--> statement-breakpoint
-- Uploads that can be resumed. How far one is, is the length of its file: what was not written does not count.
CREATE TABLE artifact_uploads (
  id text COLLATE "C" PRIMARY KEY,
  owner_kind text NOT NULL CHECK (owner_kind IN ('account', 'worker')),
  owner_id text COLLATE "C" NOT NULL,
  digest text COLLATE "C" NOT NULL,
  size_bytes bigint NOT NULL CHECK (size_bytes >= 0),
  state text NOT NULL CHECK (state IN ('open', 'complete', 'discarded')),
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL
);
--> statement-breakpoint
CREATE INDEX artifact_uploads_open ON artifact_uploads (owner_kind, owner_id) WHERE state = 'open';
--> statement-breakpoint
CREATE INDEX artifact_uploads_by_end ON artifact_uploads (expires_at);
--> statement-breakpoint
-- Nothing of an artifact changes; a row can be locked by those who may update a column of it.
GRANT SELECT, INSERT, DELETE, UPDATE (created_at) ON artifacts TO tidemill_app;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON artifact_grants, artifact_usage, artifact_uploads TO tidemill_app;
