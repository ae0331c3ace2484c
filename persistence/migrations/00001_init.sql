-- One schema for both engines: TEXT, BIGINT and BYTEA only. Times are microseconds
-- since 1970 in UTC, JSON is TEXT. There are no foreign keys on the append path:
-- one transaction writes both sides, and on Postgres each key would cost a locked
-- look-up for every event.

-- +goose Up
CREATE TABLE accounts (
    id            TEXT PRIMARY KEY,
    role          TEXT NOT NULL,
    status        TEXT NOT NULL,
    username      TEXT NOT NULL,
    username_key  TEXT NOT NULL,
    first_name    TEXT NOT NULL,
    last_name     TEXT NOT NULL,
    search        TEXT NOT NULL,
    photo_id      TEXT NOT NULL,
    vehicle_class TEXT NOT NULL,
    plate         TEXT NOT NULL,
    rating_sum    BIGINT NOT NULL,
    rating_count  BIGINT NOT NULL,
    issuer        TEXT NOT NULL,
    subject       TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL
);
-- An account of an outside issuer may have no username.
CREATE UNIQUE INDEX accounts_username ON accounts (username_key) WHERE username_key <> '';
CREATE UNIQUE INDEX accounts_subject ON accounts (issuer, subject) WHERE issuer <> '';
CREATE INDEX accounts_newest ON accounts (created_at, id);

CREATE TABLE photos (
    id           TEXT PRIMARY KEY,
    owner_id     TEXT NOT NULL,
    content_type TEXT NOT NULL,
    data         BYTEA NOT NULL
);

-- A token counts while its family does: revoking is one row, which a rotation in
-- flight cannot slip past.
CREATE TABLE token_families (
    id         TEXT PRIMARY KEY,
    account_id TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX token_families_account ON token_families (account_id);
CREATE INDEX token_families_expiry ON token_families (expires_at);

CREATE TABLE refresh_tokens (
    hash       TEXT PRIMARY KEY,
    family     TEXT NOT NULL,
    account_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    spent_at   BIGINT
);
CREATE INDEX refresh_tokens_expiry ON refresh_tokens (expires_at);

CREATE TABLE trips (
    id           TEXT PRIMARY KEY,
    rider_id     TEXT NOT NULL,
    driver_id    TEXT,
    status       TEXT NOT NULL,
    version      BIGINT NOT NULL,
    fence        BIGINT NOT NULL,
    class        TEXT NOT NULL,
    requested_at BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    ended_at     BIGINT,
    wake_at      BIGINT,
    search       TEXT NOT NULL,
    state        TEXT NOT NULL
);
-- These two are what keeps a rider to one trip and a driver to one match, wherever
-- actors happen to live. A trip is live until it has ended, and has a driver from the
-- match on. The conditions name no status: SQLite would build a list of them for each
-- update, and an update that leaves these columns alone need not touch these indexes.
CREATE UNIQUE INDEX trips_live_rider ON trips (rider_id) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX trips_active_driver ON trips (driver_id) WHERE ended_at IS NULL AND driver_id IS NOT NULL;
CREATE INDEX trips_live ON trips (id) WHERE ended_at IS NULL;
CREATE INDEX trips_wake ON trips (wake_at, id) WHERE wake_at IS NOT NULL;
CREATE INDEX trips_newest ON trips (requested_at, id);
CREATE INDEX trips_rider ON trips (rider_id, requested_at, id);
CREATE INDEX trips_driver ON trips (driver_id, requested_at, id) WHERE driver_id IS NOT NULL;

CREATE TABLE trip_events (
    trip_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    kind    TEXT NOT NULL,
    at      BIGINT NOT NULL,
    data    TEXT NOT NULL,
    PRIMARY KEY (trip_id, version)
);

CREATE TABLE offers (
    id         TEXT PRIMARY KEY,
    trip_id    TEXT NOT NULL,
    driver_id  TEXT NOT NULL,
    state      TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    data       TEXT NOT NULL
);
CREATE INDEX offers_open ON offers (driver_id) WHERE state = 'open';

CREATE TABLE commands (
    account_id TEXT NOT NULL,
    command_id TEXT NOT NULL,
    digest     TEXT NOT NULL,
    reply      BYTEA NOT NULL,
    at         BIGINT NOT NULL,
    PRIMARY KEY (account_id, command_id)
);
CREATE INDEX commands_age ON commands (at);

CREATE TABLE breadcrumbs (
    trip_id TEXT NOT NULL,
    at      BIGINT NOT NULL,
    lat_e7  BIGINT NOT NULL,
    lng_e7  BIGINT NOT NULL,
    PRIMARY KEY (trip_id, at)
);
CREATE INDEX breadcrumbs_age ON breadcrumbs (at);

CREATE TABLE audit (
    id      BIGINT PRIMARY KEY,
    at      BIGINT NOT NULL,
    actor   TEXT NOT NULL,
    action  TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail  TEXT NOT NULL
);

-- +goose Down
DROP TABLE audit;
DROP TABLE breadcrumbs;
DROP TABLE commands;
DROP TABLE offers;
DROP TABLE trip_events;
DROP TABLE trips;
DROP TABLE refresh_tokens;
DROP TABLE token_families;
DROP TABLE photos;
DROP TABLE accounts;
