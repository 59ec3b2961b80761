"""The functions of `keras.ops` on arrays and symbolic tensors."""
