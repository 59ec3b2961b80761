"""A thin `tf` for scripts: one table of names (`table.py`), and their implementations.

table.py                                        names, signatures, functions
arrays.py, images.py, strings.py, files.py      functions that `keras.ops` does not have
randoms.py, devices.py, programs.py             random numbers, devices, what surrounds a program
data.py, tensors.py                             `tf.data`, and tensors with `.numpy()`
modules.py                                      the modules that scripts import
"""
