-- Third parties that saw a checkpoint and signed that it continues all they saw before. Whoever wants to believe them needs their
-- keys from elsewhere; here they are only kept for whoever asks.
CREATE TABLE trail_witnesses (
  size bigint NOT NULL REFERENCES trail_checkpoints (size),
  public_key bytea NOT NULL CHECK (octet_length(public_key) = 32),
  at_ms bigint NOT NULL CHECK (at_ms BETWEEN 0 AND 8640000000000000),
  signature bytea NOT NULL CHECK (octet_length(signature) = 64),
  PRIMARY KEY (size, public_key)
);
--> statement-breakpoint
CREATE INDEX trail_witnesses_by_key ON trail_witnesses (public_key, size);
--> statement-breakpoint
GRANT SELECT, INSERT ON trail_witnesses TO tidemill_app;
