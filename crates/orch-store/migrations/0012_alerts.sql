-- Alerts are delivered by whichever worker claims them, to each receiver once where that is possible.

-- How many alike were told as one.
ALTER TABLE outbox ADD COLUMN times {{int}} NOT NULL DEFAULT 1
    CONSTRAINT told_once_at_least CHECK (times >= 1);
-- The receivers that have it, as a JSON list; the others are tried again.
ALTER TABLE outbox ADD COLUMN sent_to TEXT NOT NULL DEFAULT '[]';
ALTER TABLE outbox ADD COLUMN claimed_by TEXT;
ALTER TABLE outbox ADD COLUMN claimed_until {{int}}
    CONSTRAINT claim_of_an_alert CHECK (
        (claimed_by IS NULL) = (claimed_until IS NULL)
        AND (claimed_by IS NULL OR delivered_at IS NULL)
    );
