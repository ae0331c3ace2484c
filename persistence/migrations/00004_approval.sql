-- Whether a driver may drive, and why not; and what its vehicle looks like. Drivers who exist
-- already go on driving: an upgrade must not stop a fleet.

-- +goose Up
ALTER TABLE accounts ADD COLUMN approval TEXT NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN approval_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN vehicle_make TEXT NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN vehicle_model TEXT NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN vehicle_colour TEXT NOT NULL DEFAULT '';
UPDATE accounts SET approval = 'approved' WHERE role = 'driver';
-- The queue of the console: short, however many drivers there are.
CREATE INDEX accounts_waiting ON accounts (created_at, id) WHERE approval = 'pending';

-- +goose Down
DROP INDEX accounts_waiting;
ALTER TABLE accounts DROP COLUMN vehicle_colour;
ALTER TABLE accounts DROP COLUMN vehicle_model;
ALTER TABLE accounts DROP COLUMN vehicle_make;
ALTER TABLE accounts DROP COLUMN approval_reason;
ALTER TABLE accounts DROP COLUMN approval;
