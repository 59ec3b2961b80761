"""What newcomers get wrong: for each mistake a call, the place that the message must name, and what it must show of it.

What it shows is the value that was given or, where something is missing, what that is.
"""

import jax
import jax.numpy as jnp
import keras
import numpy as np

import jkeras as jk
import jkeras.keras as drop_in
from jkeras import callbacks, constraints, initializers, layers, losses, metrics, ops, optimizers, regularizers
from jkeras import data as data_sets

X = np.linspace(-1, 1, 64, dtype="float32").reshape(16, 4)
Y = X[:, :1]
C = np.arange(16) % 2
IMAGES = np.ones((4, 8, 8, 3), "float32")
schedules = optimizers.schedules
BARE = jk.Sequential([jk.Input((4,)), layers.Dense(1)])
WIDE = jk.Sequential([jk.Input((7,)), layers.Dense(1)])


def model(loss="mse", optimizer="sgd", units=1, activation=None, **options):
    net = jk.Sequential([jk.Input((4,)), layers.Dense(units, activation)])
    return net.compile(optimizer, loss, **options)


def classes(loss="sparse_categorical_crossentropy", units=2):
    return model(loss, units=units, activation="softmax")


def two():
    a, b = jk.Input((4,), name="a"), jk.Input((4,), name="b")
    return jk.Model([a, b], layers.Dense(1)(layers.Add()([a, b]))).compile("sgd", "mse")


def fit(of=None, x=X, y=Y, **options):
    return (of or model()).fit(x, y, verbose=options.pop("verbose", 0), **options)


def step(function, **changes):
    net = model().init(0)
    good = {"definition": net.definition, "recipe": net.recipe, "state": net.state, "batch": (X, Y)}
    return function(**{**good, **changes})


def assign(target, name, value):
    setattr(target, name, value)


def item(target, key, value):
    target[key] = value


class NoReturn(jk.Layer):
    def call(self, x):
        x + 1


class NoCall(jk.Layer):
    pass


class LateWeight(jk.Layer):
    def __init__(self):
        self.w = self.add_weight((3,))

    def call(self, x):
        return x


class Misspelt(callbacks.Callback):
    def on_epoch_ends(self, epoch, logs=None):
        pass


# -- names and other strings -----------------------------------------------------------------------------------------

STRINGS = {
    "optimizer": (lambda: model(optimizer="adm"), "compile", "'adm'"),
    "optimizer class": (lambda: model(optimizer="Adamm"), "compile", "'Adamm'"),
    "loss": (lambda: model("mean_square_error"), "compile", "'mean_square_error'"),
    "metric": (lambda: model(metrics=["acuracy"]), "compile", "'acuracy'"),
    "metrics as text": (lambda: model(metrics="mae"), "compile", "'mae'"),
    "weighted metric": (lambda: model(weighted_metrics=["maee"]), "compile", "'maee'"),
    "jit_compile": (lambda: model(jit_compile="yes"), "compile", "'yes'"),
    "activation": (lambda: layers.Dense(1, "rleu"), "Dense", "'rleu'"),
    "activation layer": (lambda: layers.Activation("tahn"), "Activation", "'tahn'"),
    "recurrent activation": (lambda: layers.LSTM(2, recurrent_activation="sigmod"), "LSTM", "'sigmod'"),
    "initializer": (lambda: layers.Dense(1, kernel_initializer="glorot"), "Dense", "'glorot'"),
    "bias initializer": (lambda: layers.Dense(1, bias_initializer="zero_s"), "Dense", "'zero_s'"),
    "embeddings initializer": (
        lambda: layers.Embedding(3, 2, embeddings_initializer="unifrm"),
        "Embedding",
        "'unifrm'",
    ),
    "regularizer": (lambda: layers.Dense(1, kernel_regularizer="l3"), "Dense", "'l3'"),
    "constraint": (lambda: layers.Dense(1, kernel_constraint="maxnorm"), "Dense", "'maxnorm'"),
    "padding": (lambda: layers.Conv2D(1, 3, padding="smae"), "Conv2D", "'smae'"),
    "padding of pooling": (lambda: layers.MaxPooling2D(padding="full"), "MaxPooling2D", "'full'"),
    "causal in two dimensions": (lambda: layers.Conv2D(1, 3, padding="causal"), "Conv2D", "'causal'"),
    "data_format": (lambda: layers.Conv2D(1, 3, data_format="channel_last"), "Conv2D", "'channel_last'"),
    "dtype": (lambda: layers.Dense(1, dtype="flaot32"), "Dense", "'flaot32'"),
    "dtype of an input": (lambda: jk.Input((4,), dtype="int33"), "Input", "'int33'"),
    "policy": (lambda: jk.config.set_dtype_policy("mixed_flaot16"), "policy", "mixed_float16"),
    "floatx": (lambda: jk.config.set_floatx("float8"), "floatx", "'float8'"),
    "image data format": (lambda: jk.config.set_image_data_format("last"), "image_data_format", "'last'"),
    "merge mode": (lambda: layers.Bidirectional(layers.GRU(2), merge_mode="cat"), "Bidirectional", "'cat'"),
    "interpolation": (lambda: layers.UpSampling2D(interpolation="linear"), "UpSampling2D", "'linear'"),
    "interpolation of resizing": (lambda: layers.Resizing(4, 4, interpolation="bilinar"), "Resizing", "'bilinar'"),
    "fill mode": (lambda: layers.RandomRotation(0.1, fill_mode="reflct"), "RandomRotation", "'reflct'"),
    "flip": (lambda: layers.RandomFlip("horizontl"), "RandomFlip", "'horizontl'"),
    "output mode of encoding": (
        lambda: layers.CategoryEncoding(3, output_mode="onehot"),
        "CategoryEncoding",
        "'onehot'",
    ),
    "output mode of lookup": (lambda: layers.StringLookup(output_mode="tfidf"), "StringLookup", "'tfidf'"),
    "standardize": (lambda: layers.TextVectorization(standardize="lowercase"), "TextVectorization", "'lowercase'"),
    "split": (lambda: layers.TextVectorization(split="word"), "TextVectorization", "'word'"),
    "score mode": (lambda: layers.Attention(score_mode="dots"), "Attention", "'dots'"),
    "reduction": (lambda: losses.MeanSquaredError(reduction="avg"), "MeanSquaredError", "'avg'"),
    "curve": (lambda: metrics.AUC(curve="rocc"), "AUC", "'rocc'"),
    "average": (lambda: metrics.F1Score(average="marco"), "F1Score", "'marco'"),
    "mode of stopping": (lambda: callbacks.EarlyStopping(mode="minimum"), "EarlyStopping", "'minimum'"),
    "save_freq": (lambda: callbacks.ModelCheckpoint("m.keras", save_freq="epochs"), "ModelCheckpoint", "'epochs'"),
    "suffix of a checkpoint": (lambda: callbacks.ModelCheckpoint("m.kears"), "ModelCheckpoint", "'.kears'"),
    "suffix of a file": (lambda: model().save("m.kears"), "save", "'.kears'"),
    "suffix of weights": (lambda: model().save_weights("m.npz"), "save_weights", "'.npz'"),
    "name of a layer": (lambda: model().get_layer("dens"), "layer", "'dens'"),
    "layer to freeze": (lambda: model().freeze("dens"), "layer", "'dens'"),
    "name with a slash": (lambda: layers.Dense(1, name="a/b"), "Dense", "'a/b'"),
    "shuffle": (lambda: fit(shuffle="yes"), "fit", "'yes'"),
    "class_weight": (lambda: fit(classes(), y=C, class_weight="balanced"), "class_weight", "'balanced'"),
    "name of a sweep": (lambda: jk.sweep(model(), learning_rat=[0.1]), "sweep", "learning_rat"),
    "distribution of a scaling": (
        lambda: initializers.VarianceScaling(distribution="norml"),
        "VarianceScaling",
        "'norml'",
    ),
    "mode of a scaling": (lambda: initializers.VarianceScaling(mode="fan"), "VarianceScaling", "'fan'"),
    "pad_sequences": (lambda: jk.utils.pad_sequences([[1]], padding="left"), "pad_sequences", "'left'"),
    "equation": (lambda: layers.EinsumDense("ab,bc", 3)(jk.Input((4,))), "EinsumDense|einsum", "ab,bc"),
}

# -- names of arguments, classes and modules ---------------------------------------------------------------------------

SIGNATURES = {
    "units": (lambda: layers.Dense(unit=3), "Dense", "'unit'"),
    "no units": (lambda: layers.Dense(), "Dense", "units"),
    "too many": (lambda: layers.Dropout(0.5, None, 1, 2, 3), "Dropout", "5"),
    "kernel": (lambda: layers.Conv2D(3, kernel=3), "Conv2D", "'kernel'"),
    "lr": (lambda: optimizers.Adam(lr=0.1), "Adam", "'lr'"),
    "momentum of Adam": (lambda: optimizers.Adam(momentum=0.1), "Adam", "'momentum'"),
    "epoch": (lambda: fit(epoch=3), "fit", "epoch"),
    "batchsize": (lambda: fit(batchsize=3), "fit", "batchsize"),
    "validation": (lambda: fit(validation=0.1), "fit", "validation"),
    "metric": (lambda: model(metric=["mae"]), "compile", "metric"),
    "learning rate in compile": (lambda: model(learning_rate=0.1), "compile", "learning_rate"),
    "loss of Huber": (lambda: losses.Huber(delt=1), "Huber", "'delt'"),
    "hook of a lambda": (
        lambda: callbacks.LambdaCallback(on_epoch_finish=print),
        "LambdaCallback",
        "'on_epoch_finish'",
    ),
    "hook of a class": (lambda: fit(callbacks=[Misspelt()]), "Misspelt", "on_epoch_ends"),
    "layer": (lambda: layers.Dens(3), "jkeras.layers", "'Dens'"),
    "module": (lambda: jk.layer, "jkeras", "'layer'"),
    "function": (lambda: ops.summ(X), "jkeras.ops", "'summ'"),
    "optimizer": (lambda: optimizers.Addam(), "jkeras.optimizers", "'Addam'"),
    "callback": (lambda: callbacks.EarlyStoping(), "jkeras.callbacks", "'EarlyStoping'"),
    "replace": (lambda: layers.Dense(3).replace(unit=4), "Dense", "'unit'"),
    "learning rate as a name": (lambda: model(optimizer=optimizers.SGD("fast")), "SGD", "'fast'"),
}

# -- numbers -----------------------------------------------------------------------------------------------------------

NUMBERS = {
    "units": (lambda: layers.Dense(-1), "Dense", "-1"),
    "half a unit": (lambda: layers.Dense(2.5), "Dense", "2.5"),
    "units as text": (lambda: layers.Dense("64"), "Dense", "'64'"),
    "filters": (lambda: layers.Conv2D(0, 3), "Conv2D", "0"),
    "kernel size": (lambda: layers.Conv2D(2, (3, 3, 3)), "Conv2D", r"\(3, 3, 3\)"),
    "strides": (lambda: layers.Conv2D(2, 3, strides=0), "Conv2D", "0"),
    "groups": (lambda: layers.Conv2D(3, 3, groups=2), "Conv2D", "2"),
    "rate": (lambda: layers.Dropout(50), "Dropout", "50"),
    "pool size": (lambda: layers.MaxPooling2D(-2), "MaxPooling2D", "-2"),
    "vocabulary size": (lambda: layers.Embedding(0, 3), "Embedding", "0"),
    "heads": (lambda: layers.MultiHeadAttention(0, 2), "MultiHeadAttention", "0"),
    "shape of an input": (lambda: jk.Input((4, "x")), "Input", "'x'"),
    "negative size": (lambda: jk.Input((-1,)), "Input", "-1"),
    "batch size of an input": (lambda: jk.Input((4,), batch_size="x"), "Input", "'x'"),
    "reshape": (lambda: layers.Reshape((3,))(jk.Input((4,))), "Reshape", r"\(3,\)"),
    "permute": (lambda: layers.Permute((0, 1))(jk.Input((4, 3))), "Permute", r"\(0, 1\)"),
    "momentum": (lambda: optimizers.SGD(momentum=1.5), "SGD", "1.5"),
    "beta": (lambda: optimizers.Adam(beta_1=1.5), "Adam", "1.5"),
    "learning rate": (lambda: optimizers.Adam(learning_rate=-1), "Adam", "-1"),
    "two clippings": (lambda: optimizers.Adam(clipnorm=1.0, clipvalue=1.0), "Adam", "clipnorm"),
    "decay steps": (lambda: schedules.ExponentialDecay(0.1, 0, 0.9), "ExponentialDecay", "0"),
    "smoothing": (lambda: losses.CategoricalCrossentropy(label_smoothing=2.0), "CategoricalCrossentropy", "2.0"),
    "l2": (lambda: regularizers.L2(-1.0), "L2", "-1.0"),
    "max norm": (lambda: constraints.MaxNorm("a"), "MaxNorm", "'a'"),
    "stddev": (lambda: initializers.RandomNormal(stddev=-1), "RandomNormal", "-1"),
    "k": (lambda: metrics.TopKCategoricalAccuracy(k=0), "TopKCategoricalAccuracy", "0"),
    "thresholds": (lambda: metrics.Precision(thresholds=2.0), "Precision", "2.0"),
    "classes": (lambda: metrics.MeanIoU(0), "MeanIoU", "0"),
    "patience": (lambda: callbacks.EarlyStopping(patience=-1), "EarlyStopping", "-1"),
    "factor": (lambda: callbacks.ReduceLROnPlateau(factor=1.5), "ReduceLROnPlateau", "1.5"),
    "schedule": (lambda: callbacks.LearningRateScheduler(0.1), "LearningRateScheduler", "0.1"),
    "epochs": (lambda: fit(epochs=-1), "fit", "-1"),
    "epochs as text": (lambda: fit(epochs="3"), "fit", "'3'"),
    "batch size": (lambda: fit(batch_size=0), "fit", "0"),
    "validation split": (lambda: fit(validation_split=20), "validation_split", "20"),
    "validation frequency": (lambda: fit(validation_freq=0), "fit", "0"),
    "verbose": (lambda: fit(verbose=3), "verbose", "3"),
    "steps": (lambda: model().predict(X, steps=0, verbose=0), "predict", "0"),
    "learning rates of a sweep": (lambda: jk.sweep(model(), learning_rate=["a"]), "sweep|learning_rate", "'a'"),
    "members": (lambda: jk.Ensemble(model(), 0), "Ensemble", "0"),
    "folds": (lambda: jk.cross_validate(model(), X, Y, folds=1), "cross_validate", "1"),
    "shape of random numbers": (lambda: jk.random.normal(-1), "random.normal", "-1"),
    "steps of a profile": (lambda: jk.profile(model(), X, Y, steps=0), "profile", "0"),
    "batch of a data set": (lambda: data_sets.Dataset.from_tensor_slices(X).batch(0), "batch", "0"),
}

# -- data --------------------------------------------------------------------------------------------------------------

DATA = {
    "shape of x": (lambda: fit(x=X[:, :3]), "input_layer", r"\(16, 3\)"),
    "no features": (lambda: fit(x=X[:, 0]), "input_layer", r"\(16,\)"),
    "one sample": (lambda: model()(X[0]), "input_layer", r"\(4,\)"),
    "an axis too much": (lambda: fit(x=X[None]), "samples", "x has 1"),
    "shape of y": (lambda: fit(y=np.zeros((16, 3))), "sequential", r"\(16, 3\)"),
    "length of y": (lambda: fit(y=Y[:-1]), "samples", "15"),
    "no y": (lambda: fit(y=None), "output", "y"),
    "no x": (lambda: fit(x=None), "x", "None"),
    "a path": (lambda: fit(x="data.csv"), "x", "str"),
    "a number": (lambda: fit(x=3, y=4), "x", "int"),
    "strings": (lambda: fit(x=np.full((16, 4), "a")), "x", "strings"),
    "ragged": (lambda: fit(x=[[1, 2], [3]], y=[1, 2]), "x", "different lengths"),
    "empty": (lambda: fit(x=X[:0], y=Y[:0]), "data|x", "empty"),
    "NaN": (lambda: fit(model(check_finite=True), x=np.where(X > 0.9, np.nan, X)), "x", "NaN"),
    "validation without y": (lambda: fit(validation_data=X), "validation_data", "y"),
    "validation of four": (lambda: fit(validation_data=(X, Y, Y, Y)), "validation_data", "4"),
    "sample weights": (lambda: fit(sample_weight=np.ones(3)), "sample_weight", "3"),
    "class of a weight": (lambda: fit(classes(), y=C, class_weight={5: 1.0}), "class_weight", "5"),
    "class ids": (lambda: fit(classes(), y=C * 7), "sequential", "7|8"),
    "one-hot with sparse": (lambda: fit(classes(), y=np.eye(2)[C]), "sequential", r"\(16, 2\)"),
    "ids with categorical": (lambda: fit(classes("categorical_crossentropy"), y=C), "sequential", r"\(16,( 1)?\)"),
    "ids from one": (lambda: fit(classes(), y=C + 1), "sequential", "2"),
    "floats as ids": (lambda: fit(classes(), y=C + 0.5), "sequential", "whole numbers"),
    "texts as y": (lambda: fit(classes(), y=np.full(16, "cat")), "y", "strings"),
    "binary of three": (lambda: fit(model("binary_crossentropy", activation="sigmoid"), y=C * 2), "sequential", "2"),
    "too few inputs": (lambda: fit(two(), x=X), "functional|model", "1 array"),
    "too many inputs": (lambda: fit(x=[X, X]), "sequential", "2 arrays"),
    "names of inputs": (lambda: fit(two(), x={"a": X, "c": X}), "functional|model", "'c'"),
    "loss for no output": (lambda: fit(model({"dens": "mse"})), "loss", "'dens'"),
    "ids of an embedding": (
        lambda: jk.Sequential([jk.Input((3,), dtype="int32"), layers.Embedding(3, 2)]).predict(
            np.full((2, 3), 5), verbose=0
        ),
        "embedding",
        "5",
    ),
    "images in bytes": (lambda: fit(x=IMAGES), "samples", "x has 4"),
    "a generator that ends": (lambda: model().evaluate(iter([]), verbose=0), "data|x", "no batches|empty"),
    "a class as data": (lambda: fit(x=np.ndarray), "x", "objects"),
    "times": (lambda: fit(x=np.zeros((16, 4), "datetime64[s]")), "x", r"datetime64\[s\]"),
    "integers of texts": (lambda: [layers.IntegerLookup().adapt(["a"])], "IntegerLookup", "'a'"),
    "mean of texts": (lambda: [layers.Normalization().adapt(np.array(["a"]))], r"Normalization.adapt\(data=", "'a'"),
    "mean of ragged rows": (lambda: [layers.Normalization().adapt([[1.0, 2.0], [3.0]])], "data", r"\[3.0\]"),
    "terms in ragged rows": (lambda: [layers.StringLookup().adapt([["a"], ["a", "b"]])], "adapt", "different lengths"),
    "a text as validation data": (lambda: fit(validation_data="test.csv"), "validation_data", "str"),
    "validation data of another shape": (lambda: fit(validation_data=(X, Y[:3])), "validation_data", "3"),
    "complex y": (lambda: fit(y=Y + 1j), "y|sequential", "complex"),
}

# -- layers that do not fit together -----------------------------------------------------------------------------------

GRAPHS = {
    "rank": (lambda: layers.Conv2D(2, 3)(jk.Input((4,))), "Conv2D", r"\(None, 4\)"),
    "flat into a recurrent layer": (lambda: layers.GRU(2)(jk.Input((4,))), "GRU", r"\(None, 4\)"),
    "two recurrent layers": (
        lambda: jk.Sequential([jk.Input((5, 3)), layers.LSTM(4), layers.LSTM(4)]),
        "LSTM",
        "return_sequences=True",
    ),
    "both directions": (
        lambda: jk.Sequential([jk.Input((5, 3)), layers.Bidirectional(layers.GRU(4)), layers.LSTM(4)]),
        "LSTM",
        "return_sequences=True",
    ),
    "an input with two free axes": (
        lambda: jk.Sequential([jk.Input((None, 4)), layers.Dense(1)]).compile("sgd", "mse").fit(X, Y),
        "input_layer",
        r"\(16, 4\).*Input\(\(4,\)\)",
    ),
    "a small picture": (lambda: layers.Conv2D(2, 5)(jk.Input((4, 4, 1))), "Conv2D", r"\(0, 0, 2\)"),
    "axis": (lambda: layers.LayerNormalization(axis=5)(jk.Input((4,))), "LayerNormalization", "5"),
    "axes of Dot": (lambda: layers.Dot(5)([jk.Input((4,)), jk.Input((4,))]), "Dot", "5"),
    "sizes of Add": (lambda: layers.Add()([jk.Input((4,)), jk.Input((3,))]), "Add", r"\(None, 3\)"),
    "sizes of Concatenate": (
        lambda: layers.Concatenate()([jk.Input((4, 2)), jk.Input((3, 2))]),
        "Concatenate",
        r"\(None, 3, 2\)",
    ),
    "one input of Add": (lambda: layers.Add()(jk.Input((4,))), "Add", "list|inputs"),
    "a class as layer": (lambda: jk.Sequential([layers.Dense]), "Sequential", "Dense"),
    "an array as layer": (lambda: jk.Sequential([X]), "Sequential", r"\(16, 4\)"),
    "a function as layer": (lambda: jk.Sequential([jnp.tanh]), "Sequential", "tanh|jit|function"),
    "a layer of Keras": (lambda: jk.Sequential([keras.layers.Dense(2)]), "Sequential", "Keras itself"),
    "a layer of the drop-in": (lambda: jk.Sequential([drop_in.layers.Dense(2)]), "jkeras.keras", "Dense"),
    "a tensor of Keras": (lambda: layers.Dense(2)(keras.Input((4,))), "Dense", "Keras itself"),
    "an optimizer of Keras": (lambda: model(optimizer=keras.optimizers.Adam()), "compile", "Keras itself"),
    "a name twice": (
        lambda: jk.Sequential([jk.Input((4,)), *[layers.Dense(2, name="a") for _ in range(2)]]),
        "named",
        "'a'",
    ),
    "input not at the front": (lambda: jk.Sequential([layers.Dense(1), jk.Input((4,))]), "Sequential", "first"),
    "a model without a path": (lambda: jk.Model(jk.Input((4,)), jk.Input((4,)) * 2), "input", "not among"),
    "jnp of a tensor": (lambda: jnp.log(jk.Input((4,))), "SymbolicTensor", "jk.ops"),
    "NumPy of a tensor": (lambda: np.log(jk.Input((4,))), "SymbolicTensor", "jk.ops"),
    "a condition on a tensor": (lambda: 1 if jk.Input((4,)) > 0 else 2, "SymbolicTensor", "condition"),
    "call without return": (lambda: NoReturn()(jk.Input((4,))), "NoReturn", "return"),
    "no call": (lambda: NoCall()(jk.Input((4,))), "NoCall", "call"),
    "a weight in __init__": (lambda: LateWeight(), "LateWeight", "add_weight"),
    "layer on arrays": (lambda: layers.Dense(2)(X), "Dense", "belongs to no model"),
}

# -- using values ------------------------------------------------------------------------------------------------------

USES = {
    "not compiled": (lambda: jk.Sequential([layers.Dense(1)]).fit(X, Y), "fit", "model.compile"),
    "a step not compiled": (
        lambda: jk.train_step(BARE.definition, BARE.recipe, BARE.state, (X, Y)),
        "train_step",
        "compile",
    ),
    "evaluate not compiled": (lambda: jk.Sequential([layers.Dense(1)]).evaluate(X, Y), "evaluate", "model.compile"),
    "no weights yet": (lambda: jk.Sequential([layers.Dense(1)]).get_weights(), "[Ss]equential", "no weights"),
    "no layers": (lambda: jk.Sequential([]).compile("sgd", "mse").fit(X, Y), "Sequential", "no layers"),
    "units assigned": (lambda: assign(layers.Dense(2), "units", 3), "Dense", "units"),
    "trainable assigned": (lambda: assign(model().layers[0], "trainable", False), "Dense", "model.freeze"),
    "trainable of a model": (lambda: assign(model(), "trainable", False), "model", "model.freeze"),
    "a weight assigned": (
        lambda: item(model().params["dense"], "kernel", 0),
        "kernel|params|weights",
        "kernel|replace|copy",
    ),
    "a layer appended": (lambda: model().layers.append(layers.Dense(1)), "layers", "add"),
    "history changed": (lambda: model().history.history.update(loss=1), "happened", "copies"),
    "learning rate assigned": (
        lambda: assign(optimizers.Adam(), "learning_rate", 0.1),
        "Adam",
        "learning_rate",
    ),
    "a class of callbacks": (lambda: fit(callbacks=[callbacks.EarlyStopping]), "callbacks", "EarlyStopping"),
    "a function as callback": (lambda: fit(callbacks=[print]), "callbacks", "print"),
    "number of weights": (lambda: model().set_weights([np.ones((4, 1))]), "set_weights", "2 weights, 1"),
    "shape of weights": (lambda: model().set_weights([np.ones((3, 1)), np.ones(1)]), "set_weights", r"\(3, 1\)"),
    "no file": (lambda: jk.load_model("missing.keras"), "missing.keras", "no file"),
    "no file of weights": (lambda: model().load_weights("missing.weights.h5"), "missing.weights.h5", "no file"),
    "fit under jit": (lambda: jax.jit(lambda x: fit(x=x, y=x[:, :1]).params)(X), "fit", "jit"),
    "predict under jit": (lambda: jax.jit(lambda x: model().predict(x, verbose=0))(X), "predict", "jit"),
    "freeze a layer": (lambda: model().freeze(layers.Dense(2)), "freeze", "Dense"),
    "get_layer without": (lambda: model().get_layer(), "get_layer", "name"),
    "index of a layer": (lambda: model().get_layer(index=7), "get_layer", "7"),
    "plot untrained": (lambda: model().history.plot(), "history", "empty"),
    "metric that was not logged": (lambda: jk.History({"loss": [1.0]}).plot(["los"]), "plot", "'los'"),
    "a fit that is lost": (
        lambda: exec("m.fit(X, Y, verbose=0)", {"m": model(), "X": X, "Y": Y}),
        "model.fit",
        "not used",
    ),
    "a compile that is lost": (lambda: exec("m.compile('sgd', 'mse')", {"m": model()}), "model.compile", "not used"),
    "an adaptation that is lost": (
        lambda: exec("norm.adapt(X)", {"norm": layers.Normalization(), "X": X}),
        "layer.adapt",
        "not used",
    ),
    "an ensemble that is lost": (
        lambda: exec("ensemble.fit(X, Y, verbose=0)", {"ensemble": jk.Ensemble(model(), 2), "X": X, "Y": Y}),
        "ensemble.fit",
        "not used",
    ),
    "a step without y": (
        lambda: jk.train_step((m := model().init(0)).definition, m.recipe, m.state, X),
        "no y for it",
        r"the batch of a step is `\(x, y\)`",
    ),
    **{
        f"{function}: {name}": (lambda call=call, given=given: step(call, **given), place, shown)
        for function, call in (("train_step", jk.train_step), ("eval_step", jk.eval_step))
        for name, (given, place, shown) in {
            "a model as state": ({"state": BARE}, rf"{function}\(state=", r"expected `model\.state`"),
            "weights as state": ({"state": {"a": X}}, rf"{function}\(state=", "TrainState"),
            "a name as definition": ({"definition": "net"}, rf"{function}\(definition=", "'net'"),
            "a name as recipe": ({"recipe": "sgd"}, rf"{function}\(recipe=", "'sgd'"),
            "fewer targets": ({"batch": (X, Y[:3])}, "samples", "y has 3"),
            "a single target": ({"batch": (X, Y[:1])}, "samples", "y has 1"),
            "fewer weights": ({"batch": (X, Y, np.ones(3))}, "samples", "sample_weight has 3"),
            "nothing": ({"batch": None}, "batch", "no data"),
            "texts": ({"batch": (["a"], Y)}, rf"{function}\(batch=", "'a'"),
            "the state of another model": ({"state": WIDE.init(0).state}, "dense", r"shape \(7, 1\).*\(4, 1\)"),
        }.items()
    },
    "predict_step: weights as state": (
        lambda: jk.predict_step(BARE.definition, BARE.init(0).params, X),
        r"predict_step\(state=",
        "TrainState",
    ),
    "predict_step: texts": (
        lambda: jk.predict_step(BARE.definition, BARE.init(0).state, ["a"]),
        r"predict_step\(inputs=",
        "'a'",
    ),
    "apply: no weights": (lambda: BARE.apply(X, X), r"apply\(params=", r"model\.apply\(model\.params, x\)"),
    "apply: a state": (lambda: BARE.apply(BARE.init(0).state, X), r"apply\(params=", r"`state\.params`"),
    "apply: state of layers": (lambda: BARE.apply(BARE.init(0).params, X, state=X), r"apply\(state=", "model_state"),
    "apply: a weight is missing": (lambda: BARE.apply({}, X), "dense", "'kernel' is not among"),
    "apply: weights of another": (lambda: BARE.apply(WIDE.init(0).params, X), "dense", r"shape \(7, 1\).*\(4, 1\)"),
    "apply: training as text": (
        lambda: BARE.apply(BARE.init(0).params, X, training="yes"),
        r"apply\(training=",
        "'yes'",
    ),
    "part of a step outside of one": (
        lambda: BARE.apply_gradients(BARE.init(0).state, {}),
        "train_step",
        r"jk\.train_step\(model\.definition",
    ),
    "boxes in an unknown format": (
        lambda: jk.visualization.plot_bounding_box_gallery(IMAGES, "xyxyx"),
        r"plot_bounding_box_gallery\(bounding_box_format=",
        "'xyxyx'",
    ),
    "an unknown argument of a gallery": (
        lambda: jk.visualization.plot_image_gallery(IMAGES, row=2),
        "plot_image_gallery",
        "'row'",
    ),
    "rows of masks": (
        lambda: jk.visualization.plot_segmentation_mask_gallery(IMAGES, 2, rows=2),
        r"plot_segmentation_mask_gallery\(rows=2\)",
        "Leave `rows` out",
    ),
    "state of another kind": (lambda: model().with_state({}), "with_state", r"\{\}"),
    "clone of nothing": (lambda: jk.clone_model(5), "clone_model", "5"),
}

# -- objects of the drop-in ---------------------------------------------------------------------------------------------


def cells(loss="mse"):
    of = drop_in.Sequential([drop_in.Input((4,)), drop_in.layers.Dense(1)])
    of.compile("sgd", loss)
    return of


OBJECTS = {
    "epochs as text": (lambda: fit(cells(), epochs="3"), r"fit\(epochs=", "'3'"),
    "half a step": (lambda: fit(cells(), steps_per_epoch=2.5), r"fit\(steps_per_epoch=", "2.5"),
    "steps of evaluate": (lambda: cells().evaluate(X, Y, steps="all", verbose=0), r"evaluate\(steps=", "'all'"),
    "no y to evaluate": (lambda: cells().evaluate(X, verbose=0), "loss", "no y"),
    "no y to validate": (lambda: fit(cells(), validation_data=(X,)), "loss", "no y"),
    "a class as callback": (
        lambda: fit(cells(), callbacks=[drop_in.callbacks.EarlyStopping]),
        "callbacks",
        "EarlyStopping",
    ),
    "a text as callback": (lambda: fit(cells(), callbacks="early"), "callbacks", "'early'"),
    "a text as validation data": (lambda: fit(cells(), validation_data="test.csv"), "validation_data", "str"),
    "times": (lambda: fit(cells(), x=np.zeros((16, 4), "datetime64[s]")), "x", r"datetime64\[s\]"),
    "one argument of attention": (
        lambda: drop_in.layers.MultiHeadAttention(2, 2)(drop_in.Input((4, 3))),
        "MultiHeadAttention",
        "missing a required argument: 'value'",
    ),
    "an unknown argument of a call": (
        lambda: drop_in.layers.Dense(1)(drop_in.Input((4,)), train=True),
        "Dense",
        "'train'",
    ),
    "a layer called on nothing": (lambda: drop_in.layers.Dense(1)(), "Dense", "inputs"),
    "one layer as a list": (lambda: drop_in.Sequential(drop_in.layers.Dense(1)), "Sequential", "Dense"),
    "weights as a number": (lambda: cells().set_weights(3), "set_weights", "3"),
    "a path that is none": (lambda: cells().save_weights(3), "save_weights", "3"),
    "index of a layer": (lambda: cells().get_layer(index="first"), "get_layer", "'first'"),
    "weights of classes": (lambda: cells().train_on_batch(X, C, class_weight="balanced"), "class_weight", "'balanced'"),
    "printing with a text": (lambda: cells().summary(print_fn="print"), "summary", "'print'"),
}

MISTAKES = {
    f"{group}: {name}": case
    for group, cases in {
        "string": STRINGS, "signature": SIGNATURES, "number": NUMBERS, "data": DATA, "graph": GRAPHS, "use": USES,
        "object": OBJECTS,
    }.items()
    for name, case in cases.items()
}  # fmt: skip
