-- What the public API remembers: the month's quota, API keys, answers to repeated requests, rate limits.

-- One row for every analysis that was let in. It outlives the analysis, so that deleting a video gives no quota back;
-- a failed analysis does not count (see ascension.analyses.quota).
CREATE TABLE quota_uses (
    analysis_id uuid PRIMARY KEY,
    user_id     uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    used_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX quota_uses_by_user ON quota_uses (user_id, used_at);

-- The key itself is shown once; prefix is the part by which its owner recognises it.
CREATE TABLE api_keys (
    id           uuid PRIMARY KEY,
    user_id      uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    name         text NOT NULL,
    prefix       text NOT NULL,
    key_hash     bytea NOT NULL UNIQUE,
    scopes       text[] NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz,
    last_used_at timestamptz,
    revoked_at   timestamptz
);
CREATE INDEX api_keys_by_user ON api_keys (user_id, created_at DESC, id DESC);

-- owner: the user, or for calls without one the address they came from. status is null while the first call is still at work.
CREATE TABLE idempotency_keys (
    owner        text NOT NULL,
    key          text NOT NULL,
    request_hash bytea NOT NULL,
    status       integer,
    headers      jsonb,
    body         bytea,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (owner, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

-- One row a bucket: when it will have drained completely (generic cell rate algorithm). Worth nothing after a crash.
CREATE UNLOGGED TABLE rate_limits (
    bucket     text PRIMARY KEY,
    drained_at timestamptz NOT NULL
);
CREATE INDEX rate_limits_age ON rate_limits (drained_at);
