-- An event goes only after its time: with its task, which is over, or on its own where it has none.

CREATE FUNCTION event_is_over() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.task IS NULL AND OLD.at >= (SELECT events_before FROM retention))
        OR EXISTS (
            SELECT 1 FROM tasks t WHERE t.key = OLD.task
            AND (t.finished_at IS NULL OR t.finished_at >= (SELECT tasks_before FROM retention))
        )
    THEN
        RAISE EXCEPTION 'events_are_append_only'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'events_are_append_only';
    END IF;
    RETURN OLD;
END $$;

DROP TRIGGER events_are_not_deleted ON events;

CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events
    FOR EACH ROW EXECUTE FUNCTION event_is_over();
