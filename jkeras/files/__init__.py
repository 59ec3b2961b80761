"""Every format that models are saved in: readers, writers, and the dialects of older versions of Keras."""
