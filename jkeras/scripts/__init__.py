"""Support for scripts written for Keras 1, Keras 2 and TensorFlow, active only under `jkeras run` or `as_keras`.

    spellings.py, layers.py, optimizers.py, models.py, callbacks.py   old arguments and methods
    old_modules.py, backend.py, preprocessing/, scikit_learn.py        old names and modules
    tensorflow/                                                        a thin `tf`

`jkeras.keras` is not changed permanently: `Spellings` installs all of this and removes it again.
"""

from jkeras.scripts.notes import OldSpellingWarning as OldSpellingWarning
from jkeras.scripts.old_modules import KerasModule as KerasModule
from jkeras.scripts.old_modules import home_of as home_of
from jkeras.scripts.spellings import Spellings as Spellings
