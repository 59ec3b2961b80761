"""`keras.preprocessing` of Keras 1 and 2: text, sequences and pictures as NumPy arrays."""
