-- The session of the agent's program in which a run worked, as JSON; absent where there was none.
-- The next run of the role goes on in it.
ALTER TABLE runs ADD COLUMN session TEXT;
