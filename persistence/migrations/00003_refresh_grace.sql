-- Which token was given out for a spent one: as long as that is unused, the spent one may
-- come again for a short while. Tokens spent before this column have none, and no grace.

-- +goose Up
ALTER TABLE refresh_tokens ADD COLUMN replaced_by TEXT;

-- +goose Down
ALTER TABLE refresh_tokens DROP COLUMN replaced_by;
