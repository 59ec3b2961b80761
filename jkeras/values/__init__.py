"""Frozen values: their fields, their keys, their configurations."""
