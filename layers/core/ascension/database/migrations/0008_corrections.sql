-- What users set right about the holds of an analysis. The analysis is pending and processing again meanwhile (correction_id says by
-- whose doing) and keeps the result that it has: until the correction has succeeded, and for good where it fails.
-- revision: how many corrections led to the result; the worker's files of it lie in result_folder below the analysis's own prefix.
CREATE TABLE corrections (
    id          uuid PRIMARY KEY,
    analysis_id uuid NOT NULL REFERENCES analyses ON DELETE CASCADE,
    changes     jsonb NOT NULL,
    folder      text NOT NULL,
    status      text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'completed', 'failed')),
    error       jsonb,
    created_at  timestamptz NOT NULL DEFAULT now(),
    started_at  timestamptz,
    ended_at    timestamptz,
    removed_at  timestamptz,
    CHECK (status <> 'failed' OR error IS NOT NULL),
    CHECK ((status = 'running') = (ended_at IS NULL))
);
CREATE INDEX corrections_by_analysis ON corrections (analysis_id);
-- What the janitor looks for: files of revisions that others have taken the place of, and of corrections that failed.
CREATE INDEX corrections_ended ON corrections (ended_at) WHERE ended_at IS NOT NULL AND removed_at IS NULL;

ALTER TABLE analyses
    ADD COLUMN revision integer NOT NULL DEFAULT 0 CHECK (revision >= 0),
    ADD COLUMN result_folder text NOT NULL DEFAULT '',
    ADD COLUMN correction_id uuid,
    ADD CHECK (correction_id IS NULL OR status IN ('pending', 'processing') AND result IS NOT NULL);
