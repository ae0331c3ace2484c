-- Which token was given out for a spent one, and the SHA-256 of the attempt that spent it: as
-- long as the former is unused, the same attempt may come again for a short while. A token
-- that was spent without an attempt, or before these columns, has no grace.

-- +goose Up
ALTER TABLE refresh_tokens ADD COLUMN replaced_by TEXT;
ALTER TABLE refresh_tokens ADD COLUMN spent_for TEXT;

-- +goose Down
ALTER TABLE refresh_tokens DROP COLUMN spent_for;
ALTER TABLE refresh_tokens DROP COLUMN replaced_by;
