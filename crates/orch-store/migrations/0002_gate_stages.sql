-- The serial gate may guard only some stages. They stand in the database, so that every process that
-- admits tasks of one queue goes by the same ones.

-- The guarded stages; empty means all.
CREATE TABLE gate_stages (
    stage TEXT NOT NULL PRIMARY KEY
){{strict}};

-- Who waits without need: at a stage that is not guarded. Tasks that wait in line are skipped by
-- range, so that 50,000 of them cost nothing.
CREATE INDEX tasks_waiting_by_stage ON tasks (repo_id, stage)
    WHERE status = 'open' AND gate_slot IS NULL AND paused_at IS NULL;
-- Who passes by at a stage that is guarded.
CREATE INDEX tasks_inside_by_stage ON tasks (repo_id, stage) WHERE gate_slot IS NOT NULL;
