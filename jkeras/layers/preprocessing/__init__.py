"""Preprocessing layers: images, categories, text."""
