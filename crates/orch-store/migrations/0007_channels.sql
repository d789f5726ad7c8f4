-- What jobs go through and may be shut for a time: a provider's account, and whatever else is
-- shared. A claim passes by jobs whose channels are all shut.

CREATE TABLE channels (
    id {{id}},
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    paused_until {{int}},
    reason TEXT,
    -- Runs at once over all workers; absent is no limit.
    max_running {{int}},
    CONSTRAINT channel_pause_is_whole CHECK ((paused_until IS NULL) = (reason IS NULL)),
    CONSTRAINT channel_lets_some_through CHECK (max_running IS NULL OR max_running >= 1)
){{strict}};

CREATE UNIQUE INDEX one_channel_of_a_name ON channels (kind, name);

-- The channels that the jobs of a repository's agent can take, the best first, and with which
-- settings.
CREATE TABLE routes (
    repo_id {{int}} NOT NULL REFERENCES repos (id),
    agent TEXT NOT NULL,
    position {{int}} NOT NULL,
    settings TEXT NOT NULL,
    channel_id {{int}} NOT NULL REFERENCES channels (id),
    -- Runs of the agent at once in the repository; absent is no limit.
    max_running {{int}},
    PRIMARY KEY (repo_id, agent, position)
){{strict}};

-- The channel that a job's run takes.
ALTER TABLE jobs ADD COLUMN channel_id {{int}} REFERENCES channels (id);
-- Set while a task's job waits for shut channels: the one that opens first. A note for claims alone;
-- whatever changes the job takes it away, and the next claim looks again.
ALTER TABLE tasks ADD COLUMN parked_on {{int}} REFERENCES channels (id);

-- What a claim walks: only tasks inside that wait for no channel, so that 50,000 that do cost it
-- nothing.
CREATE INDEX tasks_claimable ON tasks (priority DESC, id)
    WHERE gate_slot IS NOT NULL AND parked_on IS NULL;
CREATE INDEX tasks_parked ON tasks (parked_on) WHERE parked_on IS NOT NULL;

-- What agents asked, and what they were answered.
CREATE TABLE questions (
    run_id TEXT NOT NULL PRIMARY KEY REFERENCES runs (run_id),
    task_id {{int}} NOT NULL REFERENCES tasks (id),
    stage TEXT NOT NULL,
    agent TEXT NOT NULL,
    question TEXT NOT NULL,
    asked_at {{int}} NOT NULL,
    answer TEXT,
    answered_at {{int}},
    CONSTRAINT answer_is_whole CHECK ((answer IS NULL) = (answered_at IS NULL))
){{strict}};

CREATE INDEX questions_by_task ON questions (task_id, asked_at);
