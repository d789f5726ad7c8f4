-- Every start of a language model, with what it consumed: a run's own, and what was started beside
-- it. Reports and budgets add these up.

CREATE TABLE llm_calls (
    -- The run's id, or one of its own where it was started beside the run.
    call_id TEXT NOT NULL PRIMARY KEY,
    run_id TEXT NOT NULL REFERENCES runs (run_id),
    task_id {{int}} NOT NULL REFERENCES tasks (id),
    repo_id {{int}} NOT NULL REFERENCES repos (id),
    call_site TEXT NOT NULL,
    -- The role whose settings it was started with.
    agent TEXT NOT NULL,
    adapter TEXT NOT NULL,
    account TEXT NOT NULL,
    started_at {{int}} NOT NULL,
    finished_at {{int}},
    outcome_kind TEXT,
    input_tokens {{int}} NOT NULL DEFAULT 0,
    cached_input_tokens {{int}} NOT NULL DEFAULT 0,
    output_tokens {{int}} NOT NULL DEFAULT 0,
    reasoning_tokens {{int}} NOT NULL DEFAULT 0,
    cost_micros {{int}} NOT NULL DEFAULT 0,
    -- The version of the prices that priced it; absent where the program said the cost itself, or
    -- where nobody knows it.
    prices TEXT,
    model TEXT,
    -- The session it belonged to, and what that one had consumed by its end, as JSON.
    session TEXT,
    session_totals TEXT,
    CONSTRAINT llm_call_end_is_whole CHECK ((finished_at IS NULL) = (outcome_kind IS NULL)),
    CONSTRAINT llm_call_session_is_whole CHECK ((session IS NULL) = (session_totals IS NULL)),
    CONSTRAINT llm_call_counts_from_zero CHECK (
        input_tokens >= 0 AND cached_input_tokens >= 0 AND output_tokens >= 0
        AND reasoning_tokens >= 0 AND cost_micros >= 0
    )
){{strict}};

CREATE INDEX llm_calls_by_run ON llm_calls (run_id);
CREATE INDEX llm_calls_by_task ON llm_calls (task_id);
CREATE INDEX llm_calls_by_time ON llm_calls (started_at);
CREATE INDEX llm_calls_by_repo ON llm_calls (repo_id, started_at);
CREATE INDEX llm_calls_open ON llm_calls (run_id) WHERE finished_at IS NULL;
CREATE INDEX llm_calls_by_session ON llm_calls (session, finished_at) WHERE session IS NOT NULL;

-- What an operator allowed a task above its budget.
CREATE TABLE raised_budgets (
    task_id {{int}} NOT NULL PRIMARY KEY REFERENCES tasks (id),
    cost_micros {{int}} NOT NULL DEFAULT 0,
    tokens {{int}} NOT NULL DEFAULT 0,
    CONSTRAINT raise_from_zero CHECK (cost_micros >= 0 AND tokens >= 0)
){{strict}};
