"""What statements say, by rules: taken apart, dated, compared. No disk, no clock, no model."""
