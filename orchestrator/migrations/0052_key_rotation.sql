-- A rotated key ends early; what it may do and whose it is still never change.
GRANT UPDATE (expires_at) ON api_keys TO tidemill_app;
