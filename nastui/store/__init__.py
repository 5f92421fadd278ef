"""A run's file: the only place that knows SQL. `writer.RunWriter` makes one, `reader.RunReader` reads it.

docs/file-format.md says what every table and column means.
"""
