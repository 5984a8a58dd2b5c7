-- Deleting a user looks for all of that user's videos; videos_by_user knows only those that are still there.
CREATE INDEX videos_all_by_user ON videos (user_id);
-- The month's usage leaves out what failed: few rows, counted apart from the many that did not.
CREATE INDEX analyses_failed_by_user ON analyses (user_id) WHERE status = 'failed';
