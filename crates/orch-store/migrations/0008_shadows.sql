-- Producers that worked beside the one that decided, to be compared with it. None of it reaches the
-- task.
CREATE TABLE shadows (
    -- The call's id where it was a language model, else one of its own.
    call_id TEXT NOT NULL PRIMARY KEY,
    run_id TEXT NOT NULL REFERENCES runs (run_id),
    task_id {{int}} NOT NULL REFERENCES tasks (id),
    repo_id {{int}} NOT NULL REFERENCES repos (id),
    call_site TEXT NOT NULL,
    -- Who worked beside: llm or runner.
    producer TEXT NOT NULL,
    started_at {{int}} NOT NULL,
    finished_at {{int}} NOT NULL,
    outcome_kind TEXT NOT NULL,
    -- Absent where its work did not run to its own end.
    verdict TEXT,
    CONSTRAINT shadow_producer_known CHECK (producer IN ('llm', 'runner')),
    CONSTRAINT shadow_verdict_known CHECK (verdict IN ('pass', 'fail', 'refused'))
){{strict}};

CREATE INDEX shadows_by_task ON shadows (task_id);
CREATE INDEX shadows_by_time ON shadows (started_at);
