-- Users, videos, analyses and their metrics; sessions and sockets. Applied by `python -m ascension.database migrate`.

CREATE TABLE users (
    id                uuid PRIMARY KEY,
    email             text NOT NULL,
    password_hash     text NOT NULL,
    subscription_tier text NOT NULL DEFAULT 'free' CHECK (subscription_tier IN ('free', 'pro', 'enterprise')),
    created_at        timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX users_email_key ON users (lower(email));

CREATE TABLE refresh_tokens (
    token_hash  bytea PRIMARY KEY,
    family_id   uuid NOT NULL,
    user_id     uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL,
    rotated_at  timestamptz,
    revoked_at  timestamptz
);
CREATE INDEX refresh_tokens_family ON refresh_tokens (family_id);
CREATE INDEX refresh_tokens_user ON refresh_tokens (user_id);
CREATE INDEX refresh_tokens_expiry ON refresh_tokens (expires_at);

-- object_key is where the bytes are now: under uploads/ (gone after a day) or saved/. removed_at: the bytes are gone, the row
-- stays because the analyses made from it stay.
CREATE TABLE videos (
    id                   uuid PRIMARY KEY,
    user_id              uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    filename             text NOT NULL,
    content_type         text NOT NULL,
    object_key           text NOT NULL,
    announced_size_bytes bigint NOT NULL CHECK (announced_size_bytes >= 0),
    announced_duration_s double precision,
    size_bytes           bigint,
    width                integer,
    height               integer,
    fps                  double precision,
    duration_s           double precision,
    thumbnail_key        text,
    created_at           timestamptz NOT NULL DEFAULT now(),
    uploaded_at          timestamptz,
    saved_at             timestamptz,
    expires_at           timestamptz NOT NULL,
    removed_at           timestamptz
);
CREATE INDEX videos_by_user ON videos (user_id, created_at DESC, id DESC) WHERE removed_at IS NULL;
CREATE INDEX videos_by_expiry ON videos (expires_at) WHERE saved_at IS NULL AND removed_at IS NULL;
CREATE UNIQUE INDEX videos_by_object ON videos (object_key);
-- What the janitor looks for when an upload event never came.
CREATE INDEX videos_not_uploaded ON videos (created_at) WHERE uploaded_at IS NULL AND removed_at IS NULL;

-- result: the compact analysis, gzipped JSON; the verbose one lies in S3 at result_prefix.
CREATE TABLE analyses (
    id                 uuid PRIMARY KEY,
    video_id           uuid NOT NULL REFERENCES videos ON DELETE CASCADE,
    user_id            uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    status             text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'processing', 'completed', 'failed')),
    options            jsonb NOT NULL,
    options_hash       bytea NOT NULL,
    stage              text NOT NULL DEFAULT 'waiting',
    fraction           double precision NOT NULL DEFAULT 0 CHECK (fraction BETWEEN 0 AND 1),
    error              jsonb,
    result             bytea,
    result_etag        text,
    processing_time_ms integer,
    created_at         timestamptz NOT NULL DEFAULT now(),
    started_at         timestamptz,
    heartbeat_at       timestamptz,
    completed_at       timestamptz,
    CHECK (status <> 'completed' OR (result IS NOT NULL AND result_etag IS NOT NULL)),
    CHECK (status <> 'failed' OR error IS NOT NULL)
);
-- The same video and options give the same job; a failed one may be tried anew.
CREATE UNIQUE INDEX analyses_one_per_options ON analyses (video_id, options_hash) WHERE status <> 'failed';
CREATE INDEX analyses_by_video ON analyses (video_id, created_at DESC);
CREATE INDEX analyses_by_user ON analyses (user_id, created_at DESC, id DESC);
CREATE INDEX analyses_by_status ON analyses (status, created_at) WHERE status IN ('pending', 'processing');
-- result is compressed already
ALTER TABLE analyses ALTER COLUMN result SET STORAGE EXTERNAL;

CREATE TABLE analysis_metrics (
    analysis_id uuid NOT NULL REFERENCES analyses ON DELETE CASCADE,
    name        text NOT NULL,
    value       double precision,
    unit        text,
    uncertainty double precision,
    reason      text,
    PRIMARY KEY (analysis_id, name),
    CHECK (value IS NOT NULL OR reason IS NOT NULL)
);

CREATE TABLE ws_tickets (
    ticket_hash bytea PRIMARY KEY,
    user_id     uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    expires_at  timestamptz NOT NULL
);
CREATE INDEX ws_tickets_expiry ON ws_tickets (expires_at);

CREATE TABLE connections (
    connection_id text PRIMARY KEY,
    user_id       uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    connected_at  timestamptz NOT NULL DEFAULT now(),
    expires_at    timestamptz NOT NULL
);
CREATE INDEX connections_by_user ON connections (user_id);
CREATE INDEX connections_expiry ON connections (expires_at);
