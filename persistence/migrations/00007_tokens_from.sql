-- The instant (microseconds) up to which tokens of an outside issuer no longer count, which have
-- no family that could be revoked; 0: all count.

-- +goose Up
ALTER TABLE accounts ADD COLUMN tokens_from BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE accounts DROP COLUMN tokens_from;
