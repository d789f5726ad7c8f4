-- What is over may go after its time. The one row says up to where; whoever deletes moves it
-- first, and nothing on this side of it can be deleted.
CREATE TABLE retention (
    one {{int}} NOT NULL PRIMARY KEY DEFAULT 1,
    tasks_before {{int}} NOT NULL DEFAULT 0,
    events_before {{int}} NOT NULL DEFAULT 0,
    CONSTRAINT one_retention CHECK (one = 1)
){{strict}};

INSERT INTO retention (one) VALUES (1);

-- What goes first.
CREATE INDEX tasks_finished ON tasks (finished_at, id) WHERE finished_at IS NOT NULL;
CREATE INDEX events_of_no_task ON events (at, id) WHERE task IS NULL;
CREATE INDEX outbox_delivered ON outbox (delivered_at, id) WHERE delivered_at IS NOT NULL;
-- What refers to a row that goes is found without reading the whole table.
DROP INDEX runs_open;
CREATE INDEX runs_by_job ON runs (job_id);
CREATE INDEX idempotency_keys_by_task ON idempotency_keys (task_id);
