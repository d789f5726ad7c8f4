-- Deploys (S9): what is intended stands here before it is done, and is confirmed afterwards, so that
-- whoever comes after a crash goes on from the very step.

CREATE TABLE deploys (
    id {{id}},
    task_id {{int}} NOT NULL REFERENCES tasks (id),
    target TEXT NOT NULL,
    purpose TEXT NOT NULL,
    revision TEXT NOT NULL,
    -- The revision that a restore goes back to, and what the monitor saw.
    restore_to TEXT,
    restore_evidence TEXT,
    -- The run that drives it: another one's writes are refused.
    run_id TEXT NOT NULL,
    -- The epoch by which it last had its target's lock.
    lock_epoch {{int}},
    state TEXT NOT NULL DEFAULT 'open',
    ending TEXT,
    began_at {{int}} NOT NULL,
    ended_at {{int}},
    CONSTRAINT deploy_purpose_known CHECK (purpose IN ('deploy', 'restore')),
    CONSTRAINT deploy_state_known CHECK (
        state IN ('open', 'done', 'superseded', 'failed', 'rolled_back', 'abandoned')
    ),
    CONSTRAINT deploy_end_is_whole CHECK (
        (state = 'open' AND ended_at IS NULL AND ending IS NULL)
        OR (state <> 'open' AND ended_at IS NOT NULL AND ending IS NOT NULL)
    ),
    CONSTRAINT restore_is_whole CHECK (
        (purpose = 'restore' AND restore_to IS NOT NULL AND restore_evidence IS NOT NULL)
        OR (purpose <> 'restore' AND restore_to IS NULL AND restore_evidence IS NULL)
    ),
    CONSTRAINT deploy_epoch_from_one CHECK (lock_epoch IS NULL OR lock_epoch >= 1)
){{strict}};

CREATE UNIQUE INDEX one_open_deploy ON deploys (task_id, purpose) WHERE state = 'open';
CREATE INDEX deploys_by_task ON deploys (task_id, id);
CREATE INDEX deploys_open ON deploys (id) WHERE state = 'open';

CREATE TABLE deploy_steps (
    deploy_id {{int}} NOT NULL REFERENCES deploys (id),
    seq {{int}} NOT NULL,
    action TEXT NOT NULL,
    -- The action with all it was decided with, as JSON.
    intent TEXT NOT NULL,
    run_id TEXT NOT NULL,
    worker_id TEXT NOT NULL,
    -- Where the command's supervisor works, below the worker's state directory.
    dir TEXT,
    intended_at {{int}} NOT NULL,
    result TEXT,
    done_at {{int}},
    PRIMARY KEY (deploy_id, seq),
    CONSTRAINT deploy_action_known CHECK (
        action IN (
            'lock', 'look_before', 'prove_rollback', 'drain', 'deploy', 'verify', 'look_after',
            'rollback', 'verify_rollback', 'resume'
        )
    ),
    CONSTRAINT deploy_step_is_whole CHECK ((result IS NULL) = (done_at IS NULL)),
    CONSTRAINT deploy_seq_from_one CHECK (seq >= 1)
){{strict}};

-- One thing is done at a time.
CREATE UNIQUE INDEX one_open_intent ON deploy_steps (deploy_id) WHERE done_at IS NULL;

-- Where deploys go: who is at it, and what was deployed there last with success.
CREATE TABLE deploy_targets (
    target TEXT NOT NULL PRIMARY KEY,
    epoch {{int}} NOT NULL DEFAULT 0,
    deploy_id {{int}} REFERENCES deploys (id),
    worker_id TEXT,
    lease_until {{int}},
    -- Until when a command may be at work whose owner is dead.
    busy_until {{int}},
    good_repo {{int}} REFERENCES repos (id),
    good_revision TEXT,
    good_at {{int}},
    CONSTRAINT lock_is_whole CHECK (
        (deploy_id IS NULL AND worker_id IS NULL AND lease_until IS NULL AND busy_until IS NULL)
        OR (deploy_id IS NOT NULL AND worker_id IS NOT NULL AND lease_until IS NOT NULL AND epoch >= 1)
    ),
    CONSTRAINT good_is_whole CHECK (
        (good_repo IS NULL AND good_revision IS NULL AND good_at IS NULL)
        OR (good_repo IS NOT NULL AND good_revision IS NOT NULL AND good_at IS NOT NULL)
    ),
    CONSTRAINT target_epoch_from_zero CHECK (epoch >= 0)
){{strict}};

-- `post-deploy-monitor`: deployed revisions under watch.
CREATE TABLE deploy_monitors (
    deploy_id {{int}} NOT NULL PRIMARY KEY REFERENCES deploys (id),
    target TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'watching',
    -- What was seen when the deploy was found good, as JSON.
    good TEXT NOT NULL,
    -- What has been seen since, as JSON.
    watch TEXT NOT NULL,
    -- The revision to take it back to; absent where the way back was not proven.
    back_to TEXT,
    began_at {{int}} NOT NULL,
    until_at {{int}} NOT NULL,
    next_look_at {{int}} NOT NULL,
    worker_id TEXT,
    lease_until {{int}},
    reason TEXT,
    ended_at {{int}},
    CONSTRAINT monitor_state_known CHECK (
        state IN ('watching', 'taking_back', 'passed', 'superseded', 'rolled_back', 'failed')
    ),
    CONSTRAINT monitor_end_is_whole CHECK (
        (state IN ('watching', 'taking_back')) = (ended_at IS NULL)
    ),
    CONSTRAINT monitor_end_has_reason CHECK (
        state IN ('watching', 'passed') OR (reason IS NOT NULL AND reason <> '')
    ),
    CONSTRAINT monitor_owner_is_whole CHECK ((worker_id IS NULL) = (lease_until IS NULL)),
    CONSTRAINT monitor_window CHECK (until_at >= began_at)
){{strict}};

CREATE UNIQUE INDEX one_monitor_per_target ON deploy_monitors (target) WHERE ended_at IS NULL;
CREATE INDEX monitors_due ON deploy_monitors (next_look_at) WHERE ended_at IS NULL;
