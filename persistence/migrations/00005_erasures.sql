-- People who had their accounts erased, for as long as something about them may still turn up:
-- a trip that was under way to the database, or what dispatch once considered. The hash tells
-- the tokens of an outside issuer that were made before.

-- +goose Up
CREATE TABLE erasures (
    account_id   TEXT PRIMARY KEY,
    role         TEXT NOT NULL,
    subject_hash TEXT NOT NULL,
    at           BIGINT NOT NULL,
    swept        BIGINT NOT NULL
);
CREATE INDEX erasures_subject ON erasures (subject_hash) WHERE subject_hash <> '';
-- All offers to a driver, for erasing and export.
CREATE INDEX offers_driver ON offers (driver_id, trip_id);
CREATE INDEX audit_age ON audit (at);

-- +goose Down
DROP INDEX audit_age;
DROP INDEX offers_driver;
DROP TABLE erasures;
