"""Schema 4: how a scan was computed and stored, layers of tokens, and probes."""

from __future__ import annotations

SCHEMA_4 = """
ALTER TABLE run ADD COLUMN layers_sha256 TEXT NOT NULL DEFAULT '';
ALTER TABLE run ADD COLUMN computing TEXT NOT NULL DEFAULT '{}';
ALTER TABLE layer ADD COLUMN unit_dim INTEGER NOT NULL DEFAULT 0;
ALTER TABLE layer ADD COLUMN tokens TEXT;
ALTER TABLE layer ADD COLUMN token_grid TEXT;
ALTER TABLE basis ADD COLUMN value_type TEXT NOT NULL DEFAULT 'float32';

CREATE TABLE probe (
    -- An image that was shown to the run's model afterwards, to try something out: no part of any count or measure.
    id INTEGER PRIMARY KEY,              -- from 1, in the order in which they were added
    source TEXT NOT NULL,                -- absolute path
    sha256 TEXT NOT NULL UNIQUE,         -- of the image file
    width INTEGER NOT NULL,              -- pixels of the original
    height INTEGER NOT NULL,
    prediction INTEGER REFERENCES output(id),  -- the output with the highest logit
    top5 TEXT,                           -- JSON: [[output, logit], ...], highest first
    thumbnail BLOB NOT NULL,             -- JPEG or PNG
    note TEXT NOT NULL DEFAULT '',       -- what a person wrote about it
    created TEXT NOT NULL,               -- ISO 8601, UTC
    command TEXT NOT NULL,               -- the command line
    versions TEXT NOT NULL               -- JSON object: program or package -> version
);

CREATE TABLE probe_value (
    -- What a layer's neurons answer to a probe.
    id INTEGER PRIMARY KEY,
    probe_id INTEGER NOT NULL REFERENCES probe(id) ON DELETE CASCADE,
    basis_id INTEGER NOT NULL REFERENCES basis(id) ON DELETE CASCADE,
    value_vector BLOB NOT NULL,          -- a little-endian float32 a unit
    position_vector BLOB,                -- a little-endian basis.position_type a unit; NULL where there are none
    UNIQUE (probe_id, basis_id)
);
"""
