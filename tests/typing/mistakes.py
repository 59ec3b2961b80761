"""Mistakes that a type checker must find. Read by checkers, never run; a comment says "error" where one belongs."""

from __future__ import annotations

import numpy as np

import jkeras as jk
from jkeras import callbacks, constraints, initializers, layers, losses, metrics, optimizers, regularizers

x, y = np.ones((8, 4)), np.ones((8, 1))

# Names of the library.
jk.Sequentiall()  # error
layers.Dence(3)  # error
jk.models.Modle()  # error
jk.saving.load_modle("model.keras")  # error
jk.config.set_dtype_polizy("float16")  # error

# Names of arguments.
layers.Dense(unitz=3)  # error
layers.Dense(3, activaton="relu")  # error
layers.Conv2D(8, 3, stride=2)  # error
layers.LSTM(8, return_sequence=True)  # error
layers.Dropout(rates=0.5)  # error
layers.BatchNormalization(momentun=0.9)  # error
layers.MultiHeadAttention(2, 8, drop_out=0.1)  # error
layers.Embedding(100, 8, mask_zeros=True)  # error
layers.StringLookup(vocab=["a"])  # error
layers.Dense(3, nam="dense")  # error
layers.InputLayer(shapes=(3,))  # error
jk.Input(shapes=(3,))  # error
optimizers.Adam(learning_rat=1)  # error
optimizers.SGD(0.1, momentun=0.9)  # error
optimizers.Muon(0.1, nesterow=True)  # error
optimizers.schedules.ExponentialDecay(0.1, decay_step=10, decay_rate=0.9)  # error
losses.Huber(delt=1)  # error
losses.BinaryCrossentropy(logits=True)  # error
losses.MeanSquaredError(reduce="sum")  # error
metrics.AUC(num_threshold=10)  # error
metrics.Mean(nam="loss")  # error
metrics.Precision(threshold=0.5)  # error
initializers.RandomNormal(std=0.1)  # error
initializers.HeNormal(seeds=3)  # error
regularizers.L2(l1=0.1)  # error
constraints.MaxNorm(max_val=2)  # error
callbacks.EarlyStopping(patient=3)  # error

# Arguments that are missing, or too many.
layers.Dense()  # error
layers.Conv2D(8)  # error
layers.LSTM()  # error
layers.Dropout()  # error
metrics.SensitivityAtSpecificity()  # error
layers.Dense(3, "relu", True, "zeros", "zeros", None, None, None, None, None, None, None, None, "name")  # error
regularizers.L2(0.1, 0.2)  # error

# Values of a wrong type.
layers.Dense("3")  # error
layers.Conv2D(8, kernel_size="3")  # error
layers.Dense(3, use_bias="yes")  # error
layers.Dense(3, activation=3)  # error
layers.Dense(3, kernel_initializer=3)  # error
layers.Dense(3, name=3)  # error
layers.Dropout("half")  # error
layers.LSTM(8, return_sequences="yes")  # error
optimizers.Adam("fast")  # error
optimizers.Adam(beta_1="0.9")  # error
losses.Huber("1")  # error
losses.Huber(name=1)  # error
metrics.AUC(num_thresholds="many")  # error
initializers.RandomNormal(stddev="0.1")  # error

# Models.
model = jk.Sequential([layers.Input((4,)), layers.Dense(1)])
model.compil()  # error
model.compile(optimiser="sgd")  # error
compiled = model.compile("sgd", "mse")
compiled.fit(x, y, epoch=3)  # error
compiled.fit(x, y, epochs="3")  # error
compiled.fit(x, y, batch_size="8")  # error
compiled.fit(x, y).evaluat(x, y)  # error
compiled.evaluate(x, y, return_dicts=True)  # error
compiled.predict(x, batchsize=8)  # error
compiled.summry()  # error
compiled.save()  # error
jk.Sequential([layers.Dense(1)], nam="model")  # error
