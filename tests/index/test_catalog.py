"""The catalog's schema has a version, and the version follows the schema."""

from __future__ import annotations

from zlib import crc32

from memtree.index import catalog


def test_a_changed_schema_has_a_new_version() -> None:
    # When this fails, raise VERSION and put the new checksum here: an old index is then rebuilt.
    assert (catalog.VERSION, crc32(catalog._SCHEMA.encode())) == (4, 1280191390)
