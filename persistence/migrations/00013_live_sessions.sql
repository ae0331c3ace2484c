-- Which process of a cluster holds an account's newest session. The generation rises with each
-- session and never falls, so that everyone can tell the newer of two; a row is therefore kept
-- until its account is erased.

-- +goose Up
CREATE TABLE live_sessions (
    account_id         TEXT PRIMARY KEY,
    node               TEXT NOT NULL, -- the process's address
    incarnation        TEXT NOT NULL, -- of the process at that address
    generation         BIGINT NOT NULL,
    since              BIGINT NOT NULL,
    former_node        TEXT NOT NULL DEFAULT '', -- of the session before; empty: there was none
    former_incarnation TEXT NOT NULL DEFAULT ''
);

-- +goose Down
DROP TABLE live_sessions;
