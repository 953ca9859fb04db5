"""Numbers that several memory models need, each once: graphs, mixtures, hashes, codes."""
