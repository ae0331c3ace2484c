-- Where accounts have signed in before, which other people's failures do not slow down. A place is
-- a keyed hash of a network's address or of a secret that a device made for itself.

-- +goose Up
CREATE TABLE known_places (
    account_id TEXT NOT NULL,
    place      TEXT NOT NULL,
    seen_at    BIGINT NOT NULL,
    PRIMARY KEY (account_id, place)
);
CREATE INDEX known_places_age ON known_places (seen_at);

-- +goose Down
DROP TABLE known_places;
