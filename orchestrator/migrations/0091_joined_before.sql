-- Everything that the charges of an epoch rest on was committed by transactions below this one. An epoch is sealed over a trail that
-- has all of it, or co-signers could not find there what they are to check.
ALTER TABLE epochs ADD COLUMN joined_before xid8 NOT NULL DEFAULT '0';
