"""Quantisation: weights in few bits, as pure functions of arrays, and a table of modes that layers are quantised by."""
