"""What time and use do to the knowledge: settling it, and looking at its life."""
