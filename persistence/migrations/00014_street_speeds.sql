-- What rides have taught about travel times along streets, summed up over all rides, without naming one.
-- Where few have driven yet, a row may stem from a single ride: so it says the day of its last change,
-- and no more. A factor's logarithm is what servers add to, so that several may. What rides of an hour
-- took together, of the newest few hundred, is for the operators' chart.

-- +goose Up
CREATE TABLE street_speeds (
    kind       TEXT NOT NULL, -- of what: all driving, a ride, a road, an hour, a zone ...
    key        TEXT NOT NULL, -- which one; empty where there is only one
    n          DOUBLE PRECISION NOT NULL,
    log_factor DOUBLE PRECISION NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (kind, key)
);

CREATE TABLE street_hours (
    hour       TEXT PRIMARY KEY, -- such as weekday-08
    rides      DOUBLE PRECISION NOT NULL,
    planned_s  DOUBLE PRECISION NOT NULL,
    actual_s   DOUBLE PRECISION NOT NULL,
    updated_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE street_hours;
DROP TABLE street_speeds;
