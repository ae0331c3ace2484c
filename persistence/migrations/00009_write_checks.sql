-- What the server writes while nobody else does, to know whether it could. The second column
-- holds nothing for longer than a transaction.

-- +goose Up
CREATE TABLE write_checks (
    node TEXT PRIMARY KEY,
    at   BIGINT NOT NULL,
    room TEXT NOT NULL DEFAULT ''
);

-- +goose Down
DROP TABLE write_checks;
