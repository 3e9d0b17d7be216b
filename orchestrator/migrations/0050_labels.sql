-- What a submitter finds its jobs by. Jobs without labels or a name have no entry in these indexes and pay nothing for them.
ALTER TABLE jobs ADD COLUMN labels jsonb;
--> statement-breakpoint
CREATE INDEX jobs_by_label ON jobs USING gin (labels jsonb_path_ops) WHERE labels IS NOT NULL;
--> statement-breakpoint
CREATE INDEX jobs_by_name ON jobs (account_id, name text_pattern_ops, id) WHERE name IS NOT NULL;
