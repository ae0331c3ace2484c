-- When something about an account last changed that its sessions must follow, by the database's own
-- clock: its log-ins, its status, its approval or its profile. Each server reads what is newest. 0:
-- not since this step. Of erased accounts the erasure has it.

-- +goose Up
ALTER TABLE accounts ADD COLUMN changed_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX accounts_changed ON accounts (changed_at);
ALTER TABLE erasures ADD COLUMN changed_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX erasures_changed ON erasures (changed_at);

-- +goose Down
DROP INDEX erasures_changed;
ALTER TABLE erasures DROP COLUMN changed_at;
DROP INDEX accounts_changed;
ALTER TABLE accounts DROP COLUMN changed_at;
