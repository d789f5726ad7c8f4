-- Each sort of fault has a budget of its own, and so a counter of its own.

ALTER TABLE jobs ADD COLUMN unknowns {{int}} NOT NULL DEFAULT 0
    CONSTRAINT unknowns_from_zero CHECK (unknowns >= 0);
ALTER TABLE jobs ADD COLUMN stops {{int}} NOT NULL DEFAULT 0
    CONSTRAINT stops_from_zero CHECK (stops >= 0);

-- What a run goes through beside its worker, and what of it failed: the same fault has the same words.
ALTER TABLE runs ADD COLUMN channel TEXT;
ALTER TABLE runs ADD COLUMN fault TEXT
    CONSTRAINT fault_of_an_ended_run CHECK (
        fault IS NULL OR (fault <> '' AND channel IS NOT NULL AND finished_at IS NOT NULL)
    );

CREATE INDEX runs_faults ON runs (channel, fault, finished_at) WHERE fault IS NOT NULL;

-- A channel that failed alike for several tasks, or again and again, is paused once for all.
CREATE TABLE breakers (
    channel TEXT NOT NULL PRIMARY KEY,
    fault TEXT NOT NULL,
    -- In the words of the last run that met it.
    said TEXT NOT NULL,
    opened_at {{int}} NOT NULL,
    probe_every {{int}} NOT NULL,
    probe_at {{int}} NOT NULL,
    -- The run that was let through last; it is out while its job runs.
    probe_run TEXT,
    probes {{int}} NOT NULL DEFAULT 0,
    closed_at {{int}},
    CONSTRAINT breaker_says_why CHECK (fault <> '' AND said <> ''),
    CONSTRAINT closed_is_not_probed CHECK (closed_at IS NULL OR probe_run IS NULL),
    CONSTRAINT breaker_counts CHECK (probes >= 0 AND probe_every > 0)
){{strict}};

CREATE INDEX breakers_open ON breakers (channel) WHERE closed_at IS NULL;

-- Whose jobs wait while it is open: learned from the runs that met the fault.
CREATE TABLE breaker_scope (
    channel TEXT NOT NULL REFERENCES breakers (channel),
    repo_id {{int}} NOT NULL REFERENCES repos (id),
    stage TEXT NOT NULL,
    agent TEXT NOT NULL,
    PRIMARY KEY (channel, repo_id, stage, agent)
){{strict}};
