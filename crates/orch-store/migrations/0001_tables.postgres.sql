-- What a row may not become, whoever writes it. SQLite says the same in triggers of its own.

CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'check_violation', CONSTRAINT = TG_ARGV[0];
END $$;

CREATE TRIGGER run_epoch_never_falls BEFORE UPDATE OF run_epoch ON jobs
    FOR EACH ROW WHEN (NEW.run_epoch < OLD.run_epoch)
    EXECUTE FUNCTION refuse('run_epoch_never_falls');

CREATE TRIGGER finished_job_stays_finished BEFORE UPDATE OF status, finished_at ON jobs
    FOR EACH ROW WHEN (OLD.finished_at IS NOT NULL)
    EXECUTE FUNCTION refuse('finished_job_stays_finished');

CREATE TRIGGER finished_task_stays_finished BEFORE UPDATE OF status, finished_at ON tasks
    FOR EACH ROW WHEN (OLD.finished_at IS NOT NULL)
    EXECUTE FUNCTION refuse('finished_task_stays_finished');

CREATE TRIGGER events_are_not_changed BEFORE UPDATE ON events
    FOR EACH ROW EXECUTE FUNCTION refuse('events_are_append_only');

CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events
    FOR EACH ROW EXECUTE FUNCTION refuse('events_are_append_only');
