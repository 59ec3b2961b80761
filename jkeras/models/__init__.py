"""Models, with the names of `keras.models`."""

from typing import TYPE_CHECKING

from jkeras.lazy import names_from, names_in

if TYPE_CHECKING:
    from jkeras.files.loading import clone_model as clone_model
    from jkeras.files.loading import load_model as load_model
    from jkeras.files.loading import model_from_config as model_from_config
    from jkeras.files.loading import model_from_json as model_from_json
    from jkeras.files.objects import save_model as save_model
    from jkeras.models.ensemble import Ensemble as Ensemble
    from jkeras.models.history import History as History
    from jkeras.models.model import Model as Model
    from jkeras.models.sequential import Sequential as Sequential
else:
    _TABLE = names_in(
        {
            "jkeras.models.ensemble": "Ensemble",
            "jkeras.models.history": "History",
            "jkeras.files.loading": "clone_model load_model model_from_config model_from_json",
            "jkeras.models.model": "Model",
            "jkeras.files.objects": "save_model",
            "jkeras.models.sequential": "Sequential",
        }
    )
    __all__ = [*_TABLE]
    __getattr__, __dir__ = names_from(__name__, _TABLE)
