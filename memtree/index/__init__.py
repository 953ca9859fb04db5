"""Everything that is rebuilt from the files: the catalog, the postings, the refresh."""
