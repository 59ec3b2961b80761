"""A callback that evaluates the moving averages of the weights instead of the weights."""

from __future__ import annotations

from typing import Any

from jkeras.buffers import owned_copy
from jkeras.callbacks.argument_checks import checked_arguments
from jkeras.callbacks.callback import Callback, Logs
from jkeras.errors import ArgumentError
from jkeras.optimizers import BaseOptimizer, LossScaleOptimizer, MultiOptimizer, Optimizer, OptimizerMap
from jkeras.paths import flatten, merge
from jkeras.training.state import arrays_of


@checked_arguments
class SwapEMAWeights(Callback):
    """Replaces the weights by their moving averages for evaluation and prediction.

    The optimizer must maintain them (`use_ema=True`).

    Args:
        swap_on_epoch: also swaps at the end of each epoch, for callbacks that save the model; put this callback
            before those.

    Raises:
        ArgumentError: the optimizer does not maintain averages.

    >>> swap = SwapEMAWeights(swap_on_epoch=True)
    >>> swap.swap_on_epoch
    True
    """

    state_names: tuple[str, ...] = ("_weights",)

    def __init__(self, swap_on_epoch: bool = False):
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        self._weights: Any = None

    def _put_averages(self) -> None:
        if self._weights is not None:
            return
        model = self.model.value
        if arrays_of(model.state).opt_state is None:
            return
        if not _keeps_averages(model.recipe.optimizer):
            raise ArgumentError(
                "SwapEMAWeights needs an optimizer with moving averages, such as `Adam(use_ema=True)`; this model's is"
                f" {model.recipe.optimizer!r}."
            )
        state = model.state
        trained = {w.name for w in model.description.weights if w.collection == "params" and w.trainable}
        weights = {path: value for path, value in flatten(state.params).items() if path in trained}
        averages = owned_copy(model.recipe.optimizer.finalize(weights, arrays_of(state).opt_state))
        self._weights = weights
        self.model.value = model.with_state(state.replace(params=merge(state.params, averages)))

    def _put_weights(self) -> None:
        if self._weights is not None:
            model = self.model.value
            self.model.value = model.with_state(model.state.replace(params=merge(model.state.params, self._weights)))
            self._weights = None

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Restores the weights."""
        self._put_weights()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Swaps in the averages until the next epoch, if `swap_on_epoch`."""
        if self.swap_on_epoch:
            self._put_averages()

    def on_train_end(self, logs: Logs = None) -> None:
        """Restores the weights; the end of training replaces them by the averages anyway."""
        self._put_weights()

    def on_test_begin(self, logs: Logs = None) -> None:
        """Evaluates the averages."""
        self._put_averages()

    def on_test_end(self, logs: Logs = None) -> None:
        """Restores the weights."""
        self._put_weights()

    def on_predict_begin(self, logs: Logs = None) -> None:
        """Swaps in the averages."""
        self._put_averages()

    def on_predict_end(self, logs: Logs = None) -> None:
        """Restores the weights."""
        self._put_weights()


def _keeps_averages(optimizer: BaseOptimizer) -> bool:
    if isinstance(optimizer, LossScaleOptimizer):
        return _keeps_averages(optimizer.inner_optimizer)
    if isinstance(optimizer, MultiOptimizer):
        chooser = optimizer.optimizer_map
        return isinstance(chooser, OptimizerMap) and any(map(_keeps_averages, chooser.optimizers))
    return isinstance(optimizer, Optimizer) and optimizer.use_ema
