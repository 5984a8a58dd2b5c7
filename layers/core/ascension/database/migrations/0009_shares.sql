-- Links that show one analysis to whoever has them. The token is in the link and nowhere here.
CREATE TABLE shares (
    id          uuid PRIMARY KEY,
    analysis_id uuid NOT NULL REFERENCES analyses ON DELETE CASCADE,
    user_id     uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    token_hash  bytea NOT NULL UNIQUE,
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL
);
CREATE INDEX shares_by_analysis ON shares (analysis_id, created_at DESC, id DESC);
CREATE INDEX shares_by_user ON shares (user_id);
CREATE INDEX shares_expiry ON shares (expires_at);
