-- Which programs run on this schema, and whose turn a chore is that one of several servers does.
-- "oldest" is the newest migration that a program must know to run here: a migration that only adds
-- leaves it alone, one that takes something away raises it (CONTRIBUTING.md, "Changes of the schema").

-- +goose Up
CREATE TABLE schema_compat (
    oldest BIGINT PRIMARY KEY
);
INSERT INTO schema_compat (oldest) VALUES (10);

CREATE TABLE turns (
    name     TEXT PRIMARY KEY,
    taken_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE turns;
DROP TABLE schema_compat;
