-- A database as a service at version 1 left it: one task running, one held, one waiting, one paused,
-- one done. Later versions add to it in files of their own where they bring something to migrate.

INSERT INTO repos (name, key_prefix, next_number, remote, default_branch, checkout, created_at)
VALUES ('hello', 'HELLO', 6, '/srv/hello.git', 'main', '/home/me/hello', 1800000000000);

INSERT INTO tasks (repo_id, key, priority, status, stage, attempts, bounces, head, tested_commit,
    tested_tree, merged, paused_at, pause_reason, gate_slot, created_at, updated_at, finished_at,
    title, feedback, body, pipeline)
SELECT 1, t.key, 0, t.status, t.stage, t.attempts, t.bounces, t.head, t.tested, t.tested, t.merged,
    t.paused, t.reason, t.slot, 1800000001000, 1800000002000, t.finished, t.title, t.feedback,
    'With tests — and naïve input.',
    '{"stages":[{"name":"development","producer":{"kind":"agent","name":"developer"},"gate":"check_development_complete","on_fail":{"kind":"retry"},"next":"testing","attempts":3,"writes_code":true},{"name":"testing","producer":{"kind":"runner","name":"test-runner"},"gate":"check_tests_passed","on_fail":{"kind":"bounce","to":"development"},"next":null,"attempts":3}]}'
FROM (
    SELECT 'HELLO-1' AS key, 'done' AS status, 'testing' AS stage, 1 AS attempts, 1 AS bounces,
        'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' AS head,
        'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb' AS tested,
        'cccccccccccccccccccccccccccccccccccccccc' AS merged,
        CAST(NULL AS {{int}}) AS paused, CAST(NULL AS TEXT) AS reason,
        CAST(NULL AS {{int}}) AS slot, CAST(1800000009000 AS {{int}}) AS finished,
        'Add subtraction' AS title, '[{"title":"wrong sum","severity":"P1"}]' AS feedback
    UNION ALL SELECT 'HELLO-2', 'open', 'testing', 0, 0, 'dddddddddddddddddddddddddddddddddddddddd',
        NULL, NULL, NULL, NULL, 0, NULL, 'Add division', '[]'
    UNION ALL SELECT 'HELLO-3', 'open', 'development', 3, 0, NULL, NULL, NULL, NULL, NULL, NULL,
        NULL, 'Add roots', '[]'
    UNION ALL SELECT 'HELLO-4', 'open', 'development', 0, 0, NULL, NULL, NULL, NULL, NULL, NULL,
        NULL, 'Add powers', '[]'
    UNION ALL SELECT 'HELLO-5', 'open', 'development', 0, 0, NULL, NULL, NULL, 1800000003000,
        'lunch', NULL, NULL, 'Add logarithms', '[]'
) t ORDER BY t.key;

INSERT INTO jobs (task_id, stage, agent, status, priority, attempts, available_at, run_epoch, defers,
    run_id, worker_id, pid, pid_start, boot_id, started_at, lease_until, hold_kind, hold_reason,
    held_at, finished_at, created_at)
SELECT j.task, j.stage, j.agent, j.status, 0, 0, 1800000001000, j.epoch, j.defers, j.run, j.worker,
    j.pid, j.pid, j.boot, j.started, j.started + 45000, j.hold, j.reason, j.held, j.finished,
    1800000001000
FROM (
    SELECT 1 AS task, 'testing' AS stage, 'test-runner' AS agent, 'succeeded' AS status, 1 AS epoch,
        0 AS defers, CAST(NULL AS TEXT) AS run, CAST(NULL AS TEXT) AS worker,
        CAST(NULL AS {{int}}) AS pid, CAST(NULL AS TEXT) AS boot, CAST(NULL AS {{int}}) AS started,
        CAST(NULL AS TEXT) AS hold, CAST(NULL AS TEXT) AS reason, CAST(NULL AS {{int}}) AS held,
        CAST(1800000009000 AS {{int}}) AS finished
    UNION ALL SELECT 2, 'testing', 'test-runner', 'running', 2, 1,
        'r-00000000002-0000000000000002', 'worker-1', 4242, 'boot:1', 1800000004000, NULL, NULL,
        NULL, NULL
    UNION ALL SELECT 3, 'development', 'developer', 'held', 3, 0, NULL, NULL, NULL, NULL, NULL,
        'budget', '3 attempts are used up', 1800000005000, NULL
    UNION ALL SELECT 4, 'development', 'developer', 'queued', 0, 0, NULL, NULL, NULL, NULL, NULL,
        NULL, NULL, NULL, NULL
    UNION ALL SELECT 5, 'development', 'developer', 'queued', 0, 0, NULL, NULL, NULL, NULL, NULL,
        NULL, NULL, NULL, NULL
) j ORDER BY j.task;

INSERT INTO runs (run_id, job_id, task_id, stage, agent, attempt, run_epoch, worker_id, started_at,
    finished_at, outcome_kind, outcome, base_commit, end_commit, input_tokens, cost_micros)
VALUES
    ('r-00000000001-0000000000000001', 1, 1, 'testing', 'test-runner', 1, 1, 'worker-1',
        1800000002000, 1800000003000, 'suite_ran', '{"kind":"suite_ran","exit_code":0}',
        'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 7, 8),
    ('r-00000000002-0000000000000002', 2, 2, 'testing', 'test-runner', 1, 2, 'worker-1',
        1800000004000, NULL, NULL, NULL, 'dddddddddddddddddddddddddddddddddddddddd', NULL, 0, 0);

INSERT INTO gate_results (run_id, task_id, stage, gate, verdict, reasons, revision, at)
VALUES ('r-00000000001-0000000000000001', 1, 'testing', 'check_tests_passed', 'pass', '["seen"]',
    'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 1800000003000);

INSERT INTO events (at, kind, task, repo, run_id, message, data)
VALUES
    (1800000001000, 'task_created', 'HELLO-1', 'hello', NULL, 'created', '{}'),
    (1800000009000, 'task_done', 'HELLO-1', 'hello', 'r-00000000001-0000000000000001', 'done', '{}'),
    (1800000009000, 'repo_registered', NULL, 'hello', NULL, 'registered', '{}');

INSERT INTO workers (id, host, pid, version, capacity, labels, first_seen, last_seen)
VALUES ('worker-1', 'here', 77, '0.1.0', 2, '[]', 1800000000000, 1800000009000);

INSERT INTO outbox (dedup_key, message, created_at, next_try_at)
VALUES ('held:HELLO-3', '{"title":"held"}', 1800000005000, 1800000005000);

INSERT INTO idempotency_keys (scope, key, body_hash, task_id, created_at)
VALUES ('hello', 'one', 'hash', 1, 1800000001000);
