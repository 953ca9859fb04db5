"""Pure values: no disk, no clock, no model."""
