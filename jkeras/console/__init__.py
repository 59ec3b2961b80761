"""What is written to the terminal, and which process writes it."""
