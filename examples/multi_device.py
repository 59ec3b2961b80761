"""One training on one device, then spread over four of them by two strategies: the numbers stay the same.

    python examples/multi_device.py [--epochs 5] [--devices 4] [--picture multi_device.png]

Where there is only one device, the others are simulated on the processor: that is no faster, but shows what happens.
"""

import argparse
import os

# How many devices there are is settled when JAX begins, so this comes before the imports. It makes devices of the processor
# only; GPUs and TPUs are found as they are.
os.environ.setdefault("XLA_FLAGS", "--xla_force_host_platform_device_count=4")

import numpy as np
from digits_data import load_digits

import jkeras as jk
from jkeras import layers


def build(shape):
    return jk.Sequential(
        [
            layers.Input(shape),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ],
        name="reader",
    )


def draw(path, histories):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for width, (name, history) in zip((7, 4, 1.5), histories.items(), strict=True):
        axes.plot(range(1, len(history["loss"]) + 1), history["loss"], linewidth=width, label=name)
    axes.set(xlabel="epoch", ylabel="loss", title="three runs, one curve", xticks=range(1, 1 + len(history["loss"])))
    axes.legend(frameon=False)
    figure.savefig(path, dpi=80)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", choices=["auto", "mnist", "digits"], default="auto")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--images", type=int, default=10000)
    parser.add_argument("--devices", type=int, help="all of them unless given")
    parser.add_argument("--picture", default="multi_device.png")
    options = parser.parse_args(arguments)

    (x, y), (x_test, y_test) = load_digits(options.data, options.images)
    start = build(x.shape[1:])  # a value: all three runs begin with these weights
    devices = jk.distribute.list_devices()[: options.devices]
    print(f"Devices: {', '.join(devices)}")

    strategies = {
        "one device": None,
        # A copy of the program on each device, with its rows of each batch; gradients are summed.
        "MirroredStrategy": jk.distribute.MirroredStrategy(devices),
        # One program over a mesh of devices; the compiler adds the communication.
        "DataParallel": jk.distribute.DataParallel(devices=devices),
    }
    weights, histories = {}, {}
    for name, strategy in strategies.items():
        # `batch_size` is that of all devices together, so nothing else has to change.
        model = start.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], distribute=strategy)
        model = model.fit(x, y, batch_size=64, epochs=options.epochs, verbose=0)
        weights[name], histories[name] = model.get_weights(), model.history
        difference = max(np.abs(a - b).max() for a, b in zip(weights[name], weights["one device"], strict=True))
        accuracy = model.evaluate(x_test, y_test, verbose=0)[1]
        print(f"{name:17} test accuracy {accuracy:.4f}, weights differ from those of one device by {difference:.1e}")

    # Here each device holds a copy of everything. FSDP splits what is large; `describe` tells without moving anything.
    copied = jk.distribute.describe(model, verbose=False)
    print(f"\nEach device holds {copied.bytes_per_device:,} bytes. With FSDP instead:")
    jk.distribute.describe(model, jk.distribute.FSDP(devices=devices))
    draw(options.picture, histories)
    print(f"The curves are in {options.picture}.")
    return model


if __name__ == "__main__":
    main()
