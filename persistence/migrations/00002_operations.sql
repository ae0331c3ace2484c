-- What each round of offers considered is kept beside its event and not in it: it holds
-- where drivers were, and goes when tracks go.

-- +goose Up
CREATE TABLE wave_candidates (
    trip_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    data    TEXT NOT NULL,
    PRIMARY KEY (trip_id, version)
);
CREATE INDEX wave_candidates_age ON wave_candidates (at);
CREATE INDEX audit_actor ON audit (actor, id);
CREATE INDEX audit_subject ON audit (subject, id);

-- +goose Down
DROP INDEX audit_subject;
DROP INDEX audit_actor;
DROP TABLE wave_candidates;
