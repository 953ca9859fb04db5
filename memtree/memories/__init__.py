"""The memory models of other systems, each a plugin that comes in by the door of all plugins.

They import `memtree.plugins`, the ground, and no one of their neighbours.
"""
