-- What a validated model's file must still be when it is used. Files looked at before this was kept are looked at anew.
ALTER TABLE models ADD COLUMN etag text;
UPDATE models SET status = 'awaiting-upload', tensors = NULL, parameters = NULL, validated_at = NULL WHERE status = 'validated';
ALTER TABLE models ADD CHECK (status <> 'validated' OR etag IS NOT NULL);
