"""What holds arrays and documents on a disk: directories, archives, HDF5, safetensors. Nothing here knows layers or models."""
