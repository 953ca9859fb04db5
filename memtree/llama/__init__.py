"""llama.cpp, in a process of its own: a damaged file ends that process and not memtree."""
