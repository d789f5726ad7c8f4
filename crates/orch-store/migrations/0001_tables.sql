-- Times are Unix milliseconds, ids and JSON are text. Words in double braces differ by engine.
-- What must never be is a constraint with a name here; the code says the same in types.

CREATE TABLE schema_migrations (
    version {{int}} NOT NULL PRIMARY KEY,
    name TEXT NOT NULL
){{strict}};

CREATE TABLE repos (
    id {{id}},
    name TEXT NOT NULL UNIQUE,
    key_prefix TEXT NOT NULL UNIQUE,
    next_number {{int}} NOT NULL DEFAULT 1,
    remote TEXT NOT NULL,
    default_branch TEXT NOT NULL,
    checkout TEXT,
    frozen_at {{int}},
    frozen_reason TEXT,
    created_at {{int}} NOT NULL,
    CONSTRAINT next_number_in_range CHECK (next_number BETWEEN 1 AND 4294967295),
    CONSTRAINT frozen_reason_needs_freeze CHECK (frozen_reason IS NULL OR frozen_at IS NOT NULL)
){{strict}};

CREATE TABLE tasks (
    id {{id}},
    repo_id {{int}} NOT NULL REFERENCES repos (id),
    key TEXT NOT NULL UNIQUE,
    priority {{int}} NOT NULL,
    status TEXT NOT NULL,
    stage TEXT NOT NULL,
    attempts {{int}} NOT NULL DEFAULT 0,
    bounces {{int}} NOT NULL DEFAULT 0,
    retests {{int}} NOT NULL DEFAULT 0,
    head TEXT,
    tested_commit TEXT,
    tested_tree TEXT,
    merged TEXT,
    paused_at {{int}},
    pause_reason TEXT,
    gate_slot {{int}},
    created_at {{int}} NOT NULL,
    updated_at {{int}} NOT NULL,
    finished_at {{int}},
    finish_reason TEXT,
    title TEXT NOT NULL,
    feedback TEXT NOT NULL,
    pipeline TEXT NOT NULL,
    body TEXT NOT NULL,
    CONSTRAINT task_status_known CHECK (status IN ('open', 'done', 'cancelled')),
    CONSTRAINT task_final_has_finish CHECK ((status = 'open') = (finished_at IS NULL)),
    CONSTRAINT cancelled_has_reason CHECK ((status = 'cancelled') = (finish_reason IS NOT NULL)),
    CONSTRAINT final_has_no_slot CHECK (status = 'open' OR gate_slot IS NULL),
    CONSTRAINT final_is_not_paused CHECK (status = 'open' OR paused_at IS NULL),
    CONSTRAINT pause_blocks_nobody CHECK (paused_at IS NULL OR gate_slot IS NULL),
    CONSTRAINT pause_reason_needs_pause CHECK (pause_reason IS NULL OR paused_at IS NOT NULL),
    CONSTRAINT tested_is_whole CHECK ((tested_commit IS NULL) = (tested_tree IS NULL)),
    CONSTRAINT task_counts_from_zero CHECK (attempts >= 0 AND bounces >= 0 AND retests >= 0),
    CONSTRAINT slot_from_zero CHECK (gate_slot IS NULL OR gate_slot >= 0)
){{strict}};

-- The last word of the serial gate: whatever the code believes, a slot is given once.
CREATE UNIQUE INDEX one_task_per_slot ON tasks (repo_id, gate_slot) WHERE gate_slot IS NOT NULL;
-- What a claim walks: only tasks inside, so that 50,000 that wait outside cost it nothing.
CREATE INDEX tasks_inside ON tasks (priority DESC, id) WHERE gate_slot IS NOT NULL;
-- Who enters next, per repository.
CREATE INDEX tasks_waiting ON tasks (repo_id, priority DESC, id)
    WHERE status = 'open' AND gate_slot IS NULL AND paused_at IS NULL;
CREATE INDEX tasks_open ON tasks (repo_id, stage) WHERE status = 'open';
CREATE INDEX tasks_paused ON tasks (repo_id, id) WHERE paused_at IS NOT NULL;
CREATE INDEX tasks_by_status ON tasks (status, id);
CREATE INDEX tasks_by_repo ON tasks (repo_id, id);

CREATE TABLE jobs (
    id {{id}},
    task_id {{int}} NOT NULL REFERENCES tasks (id),
    stage TEXT NOT NULL,
    agent TEXT NOT NULL,
    status TEXT NOT NULL,
    priority {{int}} NOT NULL,
    attempts {{int}} NOT NULL DEFAULT 0,
    available_at {{int}} NOT NULL,
    queued_reason TEXT,
    run_epoch {{int}} NOT NULL DEFAULT 0,
    defers {{int}} NOT NULL DEFAULT 0,
    crashes {{int}} NOT NULL DEFAULT 0,
    run_id TEXT UNIQUE,
    worker_id TEXT,
    pid {{int}},
    pid_start {{int}},
    boot_id TEXT,
    started_at {{int}},
    lease_until {{int}},
    hold_kind TEXT,
    hold_reason TEXT,
    held_at {{int}},
    finished_at {{int}},
    finish_reason TEXT,
    created_at {{int}} NOT NULL,
    CONSTRAINT job_status_known CHECK (
        status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'held')
    ),
    CONSTRAINT queued_has_no_owner CHECK (
        status <> 'queued' OR (
            run_id IS NULL AND worker_id IS NULL AND pid IS NULL AND pid_start IS NULL
            AND boot_id IS NULL AND started_at IS NULL AND lease_until IS NULL
        )
    ),
    CONSTRAINT running_has_an_owner CHECK (
        status <> 'running' OR (
            run_id IS NOT NULL AND worker_id IS NOT NULL AND started_at IS NOT NULL
            AND lease_until IS NOT NULL AND run_epoch >= 1
        )
    ),
    CONSTRAINT only_running_has_an_owner CHECK (
        status IN ('queued', 'running') OR (
            run_id IS NULL AND worker_id IS NULL AND pid IS NULL AND pid_start IS NULL
            AND boot_id IS NULL AND started_at IS NULL AND lease_until IS NULL
        )
    ),
    CONSTRAINT process_is_whole CHECK (
        (pid IS NULL AND pid_start IS NULL AND boot_id IS NULL)
        OR (pid IS NOT NULL AND pid_start IS NOT NULL AND boot_id IS NOT NULL AND pid > 0)
    ),
    CONSTRAINT job_final_has_finish CHECK (
        (status IN ('succeeded', 'failed', 'cancelled')) = (finished_at IS NOT NULL)
    ),
    CONSTRAINT finish_reason_needs_finish CHECK (finish_reason IS NULL OR finished_at IS NOT NULL),
    CONSTRAINT held_has_reason CHECK (
        status <> 'held' OR (
            hold_kind IS NOT NULL AND hold_reason IS NOT NULL AND hold_reason <> ''
            AND held_at IS NOT NULL
        )
    ),
    CONSTRAINT only_held_has_hold CHECK (
        status = 'held' OR (hold_kind IS NULL AND hold_reason IS NULL AND held_at IS NULL)
    ),
    CONSTRAINT queued_reason_needs_queue CHECK (queued_reason IS NULL OR status = 'queued'),
    CONSTRAINT job_counts_from_zero CHECK (
        attempts >= 0 AND run_epoch >= 0 AND defers >= 0 AND crashes >= 0
    )
){{strict}};

-- At most one active job per task. "Active" is "not finished", which the CHECK above ties to the
-- status; written so, the index also finds a task's active job.
CREATE UNIQUE INDEX one_active_job ON jobs (task_id) WHERE finished_at IS NULL;
CREATE INDEX jobs_by_task ON jobs (task_id, id);
CREATE INDEX jobs_running ON jobs (worker_id, id) WHERE status = 'running';
CREATE INDEX jobs_held ON jobs (task_id) WHERE status = 'held';
CREATE INDEX jobs_active ON jobs (status) WHERE finished_at IS NULL;
-- What the sanitizer looks for; it is empty, so that its sweep costs nothing.
CREATE INDEX jobs_impossible ON jobs (id) WHERE status = 'queued' AND (
    run_id IS NOT NULL OR worker_id IS NOT NULL OR pid IS NOT NULL OR pid_start IS NOT NULL
    OR boot_id IS NOT NULL OR started_at IS NOT NULL OR lease_until IS NOT NULL
);

CREATE TABLE runs (
    run_id TEXT NOT NULL PRIMARY KEY,
    job_id {{int}} NOT NULL REFERENCES jobs (id),
    task_id {{int}} NOT NULL REFERENCES tasks (id),
    stage TEXT NOT NULL,
    agent TEXT NOT NULL,
    attempt {{int}} NOT NULL,
    run_epoch {{int}} NOT NULL,
    worker_id TEXT NOT NULL,
    pid {{int}},
    pid_start {{int}},
    boot_id TEXT,
    started_at {{int}} NOT NULL,
    finished_at {{int}},
    outcome_kind TEXT,
    outcome TEXT,
    base_commit TEXT,
    end_commit TEXT,
    input_tokens {{int}} NOT NULL DEFAULT 0,
    output_tokens {{int}} NOT NULL DEFAULT 0,
    cost_micros {{int}} NOT NULL DEFAULT 0,
    log_dir TEXT,
    CONSTRAINT run_end_is_whole CHECK (
        (finished_at IS NULL AND outcome_kind IS NULL AND outcome IS NULL)
        OR (finished_at IS NOT NULL AND outcome_kind IS NOT NULL AND outcome IS NOT NULL)
    ),
    CONSTRAINT run_process_is_whole CHECK (
        (pid IS NULL AND pid_start IS NULL AND boot_id IS NULL)
        OR (pid IS NOT NULL AND pid_start IS NOT NULL AND boot_id IS NOT NULL AND pid > 0)
    ),
    CONSTRAINT run_counts_from_zero CHECK (
        attempt >= 1 AND run_epoch >= 1
        AND input_tokens >= 0 AND output_tokens >= 0 AND cost_micros >= 0
    )
){{strict}};

CREATE INDEX runs_by_task ON runs (task_id, stage, agent, outcome_kind);
CREATE INDEX runs_open ON runs (job_id) WHERE finished_at IS NULL;

CREATE TABLE gate_results (
    id {{id}},
    run_id TEXT NOT NULL REFERENCES runs (run_id),
    task_id {{int}} NOT NULL REFERENCES tasks (id),
    stage TEXT NOT NULL,
    gate TEXT NOT NULL,
    verdict TEXT NOT NULL,
    reasons TEXT NOT NULL,
    revision TEXT,
    at {{int}} NOT NULL,
    CONSTRAINT verdict_known CHECK (verdict IN ('pass', 'fail', 'refused'))
){{strict}};

CREATE INDEX gate_results_by_task ON gate_results (task_id, id);
CREATE INDEX gate_results_by_run ON gate_results (run_id);

CREATE TABLE events (
    id {{id}},
    at {{int}} NOT NULL,
    kind TEXT NOT NULL,
    task TEXT,
    repo TEXT,
    run_id TEXT,
    message TEXT NOT NULL,
    data TEXT NOT NULL
){{strict}};

CREATE INDEX events_by_task ON events (task, id) WHERE task IS NOT NULL;

CREATE TABLE workers (
    id TEXT NOT NULL PRIMARY KEY,
    host TEXT NOT NULL,
    pid {{int}} NOT NULL,
    version TEXT NOT NULL,
    capacity {{int}} NOT NULL,
    labels TEXT NOT NULL,
    first_seen {{int}} NOT NULL,
    last_seen {{int}} NOT NULL,
    CONSTRAINT capacity_from_zero CHECK (capacity >= 0)
){{strict}};

CREATE TABLE outbox (
    id {{id}},
    dedup_key TEXT NOT NULL,
    message TEXT NOT NULL,
    created_at {{int}} NOT NULL,
    attempts {{int}} NOT NULL DEFAULT 0,
    next_try_at {{int}} NOT NULL,
    last_error TEXT,
    delivered_at {{int}}
){{strict}};

-- One alert of a key is enough while it is undelivered.
CREATE UNIQUE INDEX one_undelivered_alert ON outbox (dedup_key) WHERE delivered_at IS NULL;
CREATE INDEX outbox_due ON outbox (next_try_at, id) WHERE delivered_at IS NULL;

CREATE TABLE idempotency_keys (
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    body_hash TEXT NOT NULL,
    task_id {{int}} NOT NULL REFERENCES tasks (id),
    created_at {{int}} NOT NULL,
    PRIMARY KEY (scope, key)
){{strict}};
