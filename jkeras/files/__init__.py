"""All file formats of models: readers, writers, and conversions from older versions of Keras."""
