-- An event goes only after its time: with its task, which is over, or on its own where it has none.

DROP TRIGGER events_are_not_deleted;

CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events
    WHEN (OLD.task IS NULL AND OLD.at >= (SELECT events_before FROM retention))
        OR EXISTS (
            SELECT 1 FROM tasks t WHERE t.key = OLD.task
            AND (t.finished_at IS NULL OR t.finished_at >= (SELECT tasks_before FROM retention))
        )
    BEGIN SELECT RAISE(ABORT, 'events_are_append_only'); END;
