-- What servers on one database share about log-ins. Tickets open a socket once. Failed log-ins
-- are counted by keyed hashes of a username, a network and the two together: no row names anyone.
-- Settings are what all servers must agree on, such as the key that signs tokens.

-- +goose Up
CREATE TABLE tickets (
    hash             TEXT PRIMARY KEY,
    account_id       TEXT NOT NULL,
    family           TEXT NOT NULL, -- empty: of an outside issuer's token
    issued_at        BIGINT,        -- when that token was made, if it says so
    token_expires_at BIGINT NOT NULL,
    expires_at       BIGINT NOT NULL
);
CREATE INDEX tickets_account ON tickets (account_id);
CREATE INDEX tickets_expiry ON tickets (expires_at);

CREATE TABLE log_in_failures (
    key        TEXT PRIMARY KEY,
    n          BIGINT NOT NULL,
    last_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX log_in_failures_expiry ON log_in_failures (expires_at);

CREATE TABLE cluster_settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    at    BIGINT NOT NULL
);

-- +goose Down
DROP TABLE cluster_settings;
DROP TABLE log_in_failures;
DROP TABLE tickets;
