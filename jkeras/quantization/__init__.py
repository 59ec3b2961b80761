"""Quantisation: pure functions of arrays for weights with few bits, and a table of modes for layers."""
