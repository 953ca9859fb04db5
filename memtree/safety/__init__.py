"""What must not get into a tree unnoticed: secrets, and text that addresses whoever reads it."""
