-- Enterprise customers' own networks: at most one of a kind waits or is in force; the file lies at object_key.
-- status: awaiting-upload, then validated or rejected (problem says why).
CREATE TABLE models (
    id           uuid PRIMARY KEY,
    user_id      uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    kind         text NOT NULL CHECK (kind IN ('holds', 'pose')),
    object_key   text NOT NULL UNIQUE,
    size_bytes   bigint NOT NULL,
    status       text NOT NULL DEFAULT 'awaiting-upload' CHECK (status IN ('awaiting-upload', 'validated', 'rejected')),
    problem      text,
    tensors      integer,
    parameters   bigint,
    created_at   timestamptz NOT NULL DEFAULT now(),
    validated_at timestamptz,
    UNIQUE (user_id, kind)
);
