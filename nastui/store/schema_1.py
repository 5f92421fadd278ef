"""Schema 1: the first released. Never edit it: add a step in schema.py instead.

The comments stand inside the statements, so that they end up in the file itself.
"""

from __future__ import annotations

SCHEMA_1 = """
CREATE TABLE run (
    -- What was looked at, with what, and how far it got: one row.
    id INTEGER PRIMARY KEY CHECK (id = 1),
    created TEXT NOT NULL,               -- ISO 8601, UTC
    finished TEXT,                       -- ISO 8601, UTC; NULL while the scan runs or after it was stopped
    command TEXT NOT NULL,               -- the command line
    versions TEXT NOT NULL,              -- JSON object: program or package -> version
    model TEXT NOT NULL,                 -- as given, e.g. torchvision:alexnet
    weights TEXT NOT NULL,               -- as given
    weights_sha256 TEXT NOT NULL,
    data TEXT NOT NULL,                  -- as given, e.g. imagefolder:PATH
    data_root TEXT,                      -- absolute folder that image.source starts from; NULL without files
    manifest_sha256 TEXT NOT NULL,       -- of the list of images, their classes and order
    preprocessing TEXT NOT NULL,         -- JSON
    preprocessing_sha256 TEXT NOT NULL,
    reduction TEXT NOT NULL,             -- how a map became one number: max, mean, center, sample or none
    seed INTEGER NOT NULL,
    ranges INTEGER NOT NULL,             -- m, the number of ranges of the stored footprints
    scan_sha256 TEXT NOT NULL,           -- of all that makes this scan this scan: only the same may resume the file
    input_height INTEGER,                -- pixels of what the model takes; NULL where that is no picture
    input_width INTEGER,
    n_images INTEGER NOT NULL,           -- images asked for
    n_done INTEGER NOT NULL DEFAULT 0,   -- images looked at: those with ids 0 to n_done - 1
    n_failed INTEGER,                    -- images that did not decode; NULL until finished
    n_matched INTEGER,                   -- decoded images with a prediction whose class has an output; NULL likewise
    top1 REAL,                           -- share of n_matched predicted rightly; NULL likewise, or if n_matched = 0
    tile_images INTEGER NOT NULL         -- images in a whole tile
);

CREATE TABLE output (
    -- An output of the model, i.e. what a prediction may say.
    id INTEGER PRIMARY KEY,              -- index into the logits
    name TEXT                            -- NULL where the model gives none
);

CREATE TABLE class (
    -- A label of the image set.
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    output_id INTEGER REFERENCES output(id),  -- the output that stands for the class; NULL where none was matched
    n_images INTEGER NOT NULL
);

CREATE TABLE image (
    -- An image of the run. is_ok to error are NULL until it was looked at.
    id INTEGER PRIMARY KEY,              -- from 0, in the run's order
    class_id INTEGER NOT NULL REFERENCES class(id),
    source TEXT NOT NULL,                -- path or key in the image set
    is_ok INTEGER,                       -- 1: decoded, 0: not (error says why), NULL: not looked at yet
    width INTEGER,                       -- pixels of the original
    height INTEGER,
    sha256 TEXT,                         -- of the image file
    prediction INTEGER REFERENCES output(id),  -- the output with the highest logit
    top5 TEXT,                           -- JSON: [[output, logit], ...], highest first
    error TEXT
);

CREATE TABLE thumbnail (
    -- A small picture of an image, apart from it so that reading labels does not drag pictures along.
    image_id INTEGER PRIMARY KEY REFERENCES image(id),
    data BLOB NOT NULL                   -- JPEG or PNG
);

CREATE TABLE layer (
    -- A captured place in the model.
    id INTEGER PRIMARY KEY,              -- from 1, in the model's order
    path TEXT NOT NULL UNIQUE,           -- dotted module path, with #k for the k-th call of a module
    type TEXT NOT NULL,                  -- the module's class
    shape TEXT NOT NULL,                 -- JSON list: the output's shape without the batch
    field_size_y REAL,                   -- receptive field: position (y, x) of the map sees, of the model's input,
    field_size_x REAL,                   -- size pixels from stride * position + offset on, clipped at the border;
    field_stride_y REAL,                 -- NULL where the layer has no map, or it could not be found out
    field_stride_x REAL,
    field_offset_y REAL,
    field_offset_x REAL
);

CREATE TABLE basis (
    -- The axes that a layer's activations are read along.
    id INTEGER PRIMARY KEY,
    layer_id INTEGER NOT NULL REFERENCES layer(id),
    name TEXT NOT NULL,                  -- neuron: the units themselves; pca, nmf, ...
    n_units INTEGER NOT NULL,
    position_type TEXT,                  -- uint8, uint16 or uint32: the type of its positions; NULL where it has none
    UNIQUE (layer_id, name)
);

CREATE TABLE unit (
    -- A column of a layer's activations. The measures are over the decoded images; NULL until finished.
    id INTEGER PRIMARY KEY,
    basis_id INTEGER NOT NULL REFERENCES basis(id),
    number INTEGER NOT NULL,             -- index within the layer, from 0
    n INTEGER,                           -- finite values
    lo REAL,                             -- lowest finite value; NULL where n = 0, as the next four
    hi REAL,                             -- highest finite value
    mean REAL,                           -- of the finite values
    std REAL,                            -- standard deviation (population) of the finite values
    density REAL,                        -- share of the finite values that is above 0
    zeros INTEGER,                       -- values that are 0
    non_finite INTEGER,                  -- values that are NaN or infinite
    is_dead INTEGER,                     -- 1: never above 0
    UNIQUE (basis_id, number)
);

CREATE TABLE activation (
    -- A tile: the values of neighbouring units for consecutive images.
    id INTEGER PRIMARY KEY,
    basis_id INTEGER NOT NULL REFERENCES basis(id),
    first_unit INTEGER NOT NULL,
    first_image INTEGER NOT NULL,
    n_units INTEGER NOT NULL,
    n_images INTEGER NOT NULL,
    value_tile BLOB NOT NULL,            -- n_units x n_images little-endian float32, unit by unit; NaN: no value
    position_tile BLOB,                  -- same order, little-endian basis.position_type: the flat index (row-major)
                                         -- into the unit's map of the value kept; the type's highest number: none
    UNIQUE (basis_id, first_unit, first_image)
);

CREATE TABLE footprint (
    -- How many images of each class lie in each range, for up to 64 neighbouring units and m = run.ranges.
    id INTEGER PRIMARY KEY,
    basis_id INTEGER NOT NULL REFERENCES basis(id),
    first_unit INTEGER NOT NULL,
    n_units INTEGER NOT NULL,
    encoding TEXT NOT NULL,              -- dense or sparse, see docs/file-format.md
    counts BLOB NOT NULL,                -- n_units x (m + 1) x classes, zlib
    UNIQUE (basis_id, first_unit)
);

CREATE TABLE verdict (
    -- What a reviewer decided about a unit or an image; the latest of each reviewer.
    id INTEGER PRIMARY KEY,
    unit_id INTEGER REFERENCES unit(id),    -- either this
    image_id INTEGER REFERENCES image(id),  -- or this
    verdict TEXT NOT NULL,
    reviewer TEXT NOT NULL,
    created TEXT NOT NULL,               -- ISO 8601, UTC
    CHECK ((unit_id IS NULL) <> (image_id IS NULL)),
    UNIQUE (unit_id, reviewer),
    UNIQUE (image_id, reviewer)
);

CREATE TABLE tag (
    -- A word that a reviewer put on a unit or an image.
    id INTEGER PRIMARY KEY,
    unit_id INTEGER REFERENCES unit(id),
    image_id INTEGER REFERENCES image(id),
    tag TEXT NOT NULL,
    reviewer TEXT NOT NULL,
    created TEXT NOT NULL,               -- ISO 8601, UTC
    CHECK ((unit_id IS NULL) <> (image_id IS NULL)),
    UNIQUE (unit_id, tag, reviewer),
    UNIQUE (image_id, tag, reviewer)
);

CREATE TABLE note (
    -- Free text that a reviewer wrote about a unit or an image.
    id INTEGER PRIMARY KEY,
    unit_id INTEGER REFERENCES unit(id),
    image_id INTEGER REFERENCES image(id),
    note TEXT NOT NULL,
    reviewer TEXT NOT NULL,
    created TEXT NOT NULL,               -- ISO 8601, UTC
    CHECK ((unit_id IS NULL) <> (image_id IS NULL))
);
CREATE INDEX note_unit ON note(unit_id);
CREATE INDEX note_image ON note(image_id);

CREATE TABLE event (
    -- Every change to verdicts, tags and notes, oldest first: for undo and audit. Rows are never changed or removed.
    id INTEGER PRIMARY KEY,
    created TEXT NOT NULL,               -- ISO 8601, UTC
    reviewer TEXT NOT NULL,
    action TEXT NOT NULL,                -- insert, update or delete
    subject TEXT NOT NULL,               -- the table: verdict, tag or note
    subject_id INTEGER NOT NULL,         -- the row's id there
    before TEXT,                         -- JSON object: the row before; NULL for an insert
    after TEXT                           -- JSON object: the row after; NULL for a delete
);
CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event
BEGIN
    SELECT RAISE(ABORT, 'event is append-only');
END;
CREATE TRIGGER event_is_never_removed BEFORE DELETE ON event
BEGIN
    SELECT RAISE(ABORT, 'event is append-only');
END;
"""
