"""Containers of arrays and documents on disk: directories, archives, HDF5, safetensors. They know nothing of layers or models."""
