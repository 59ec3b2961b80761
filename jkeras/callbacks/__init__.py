"""Callbacks: code that runs while a model trains."""

from typing import TYPE_CHECKING

from jkeras.lazy import names_from, names_in

if TYPE_CHECKING:
    from jkeras.callbacks.averages import SwapEMAWeights as SwapEMAWeights
    from jkeras.callbacks.backup import BackupAndRestore as BackupAndRestore
    from jkeras.callbacks.callback import Callback as Callback
    from jkeras.callbacks.callback import CallbackList as CallbackList
    from jkeras.callbacks.checkpoint import ModelCheckpoint as ModelCheckpoint
    from jkeras.callbacks.experiment_logger import MLflowLogger as MLflowLogger
    from jkeras.callbacks.experiment_logger import WandbLogger as WandbLogger
    from jkeras.callbacks.orbax import OrbaxCheckpoint as OrbaxCheckpoint
    from jkeras.callbacks.pruning import OptunaPruning as OptunaPruning
    from jkeras.callbacks.reporting import CSVLogger as CSVLogger
    from jkeras.callbacks.reporting import History as History
    from jkeras.callbacks.reporting import LambdaCallback as LambdaCallback
    from jkeras.callbacks.reporting import ProgbarLogger as ProgbarLogger
    from jkeras.callbacks.reporting import RemoteMonitor as RemoteMonitor
    from jkeras.callbacks.schedule import EarlyStopping as EarlyStopping
    from jkeras.callbacks.schedule import LearningRateScheduler as LearningRateScheduler
    from jkeras.callbacks.schedule import ReduceLROnPlateau as ReduceLROnPlateau
    from jkeras.callbacks.schedule import TerminateOnNaN as TerminateOnNaN
    from jkeras.callbacks.tensorboard import TensorBoard as TensorBoard
else:
    _TABLE = names_in(
        {
            "jkeras.callbacks.averages": "SwapEMAWeights",
            "jkeras.callbacks.backup": "BackupAndRestore",
            "jkeras.callbacks.callback": "Callback CallbackList",
            "jkeras.callbacks.checkpoint": "ModelCheckpoint",
            "jkeras.callbacks.experiment_logger": "MLflowLogger WandbLogger",
            "jkeras.callbacks.orbax": "OrbaxCheckpoint",
            "jkeras.callbacks.pruning": "OptunaPruning",
            "jkeras.callbacks.reporting": "CSVLogger History LambdaCallback ProgbarLogger RemoteMonitor",
            "jkeras.callbacks.schedule": "EarlyStopping LearningRateScheduler ReduceLROnPlateau TerminateOnNaN",
            "jkeras.callbacks.tensorboard": "TensorBoard",
        }
    )
    __all__ = [*_TABLE]
    __getattr__, __dir__ = names_from(__name__, _TABLE)
