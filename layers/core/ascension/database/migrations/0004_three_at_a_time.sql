-- dispatched_at: when a pending analysis was given one of its user's three places; null while it waits for one.
ALTER TABLE analyses ADD COLUMN dispatched_at timestamptz;
-- What is running and waiting, by user: to count places and to find whose turn it is.
CREATE INDEX analyses_unfinished_by_user ON analyses (user_id, created_at, id) WHERE status IN ('pending', 'processing');
-- Deleting a user looks for that user's tickets.
CREATE INDEX ws_tickets_by_user ON ws_tickets (user_id);
