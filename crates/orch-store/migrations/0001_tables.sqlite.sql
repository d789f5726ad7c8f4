-- What a row may not become, whoever writes it. PostgreSQL says the same in functions.

CREATE TRIGGER run_epoch_never_falls BEFORE UPDATE OF run_epoch ON jobs
    WHEN NEW.run_epoch < OLD.run_epoch
    BEGIN SELECT RAISE(ABORT, 'run_epoch_never_falls'); END;

CREATE TRIGGER finished_job_stays_finished BEFORE UPDATE OF status, finished_at ON jobs
    WHEN OLD.finished_at IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'finished_job_stays_finished'); END;

CREATE TRIGGER finished_task_stays_finished BEFORE UPDATE OF status, finished_at ON tasks
    WHEN OLD.finished_at IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'finished_task_stays_finished'); END;

CREATE TRIGGER events_are_not_changed BEFORE UPDATE ON events
    BEGIN SELECT RAISE(ABORT, 'events_are_append_only'); END;

CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events
    BEGIN SELECT RAISE(ABORT, 'events_are_append_only'); END;
