-- A remembered answer goes with the account that it tells of.
ALTER TABLE idempotency_keys ADD COLUMN user_id uuid REFERENCES users ON DELETE CASCADE;
CREATE INDEX idempotency_keys_by_user ON idempotency_keys (user_id);
