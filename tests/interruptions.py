"""How tests end a run before its time."""

from jkeras import callbacks


class Cut(callbacks.Callback):
    """Ends a run with an exception after so many batches."""

    def __init__(self, batches):
        super().__init__()
        self.left = batches

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            raise RuntimeError("cut off")


class CutEpoch(callbacks.Callback):
    """Ends a run with an exception at the end of an epoch, counted from 0."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self.epoch:
            raise RuntimeError("cut off")
