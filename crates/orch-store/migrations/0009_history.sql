-- Who took each step, and how old a program may be to use the database after it. Absent for steps
-- taken before this was kept: nothing older than the step itself may.
ALTER TABLE schema_migrations ADD COLUMN program TEXT;
ALTER TABLE schema_migrations ADD COLUMN compatible_from {{int}};
