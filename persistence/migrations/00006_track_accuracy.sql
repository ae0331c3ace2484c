-- How accurate a position claimed to be (metres, 0: unknown) and when it was received (0: not
-- recorded), so that a ride is measured alike before and after a restart.

-- +goose Up
ALTER TABLE breadcrumbs ADD COLUMN accuracy_m BIGINT NOT NULL DEFAULT 0;
ALTER TABLE breadcrumbs ADD COLUMN received_at BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE breadcrumbs DROP COLUMN received_at;
ALTER TABLE breadcrumbs DROP COLUMN accuracy_m;
