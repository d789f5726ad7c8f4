-- Jobs may ask for what only some workers have. The sets that were ever asked for are few; a claim
-- looks which of them its worker has, and passes by jobs with another.

CREATE TABLE label_sets (
    id {{id}},
    -- A JSON list, in order.
    labels TEXT NOT NULL UNIQUE
){{strict}};

-- Absent: any worker will do.
ALTER TABLE jobs ADD COLUMN label_set {{int}} REFERENCES label_sets (id);
