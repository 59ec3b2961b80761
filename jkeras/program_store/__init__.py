"""Lowered programs that other processes can find by what they were made of, beside the compilation cache."""
