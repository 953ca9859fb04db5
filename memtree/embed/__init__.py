"""From text to vectors: a table that is always there, and better models by choice."""
