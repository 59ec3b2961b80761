"""Training a student on what a teacher says: the names of `keras.distillation`."""

from jkeras.models.distillation import DistillationLoss as DistillationLoss
from jkeras.models.distillation import Distiller as Distiller
from jkeras.models.distillation import FeatureDistillation as FeatureDistillation
from jkeras.models.distillation import LogitsDistillation as LogitsDistillation
