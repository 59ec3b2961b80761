"""Models, with the names of `keras.models`."""

from jkeras.lazy import names_from as _names_from

__getattr__, __dir__ = _names_from(
    __name__,
    {
        "Ensemble": "jkeras.models.ensemble",
        "History": "jkeras.models.history",
        "Model": "jkeras.models.model",
        "Sequential": "jkeras.models.sequential",
        "clone_model": "jkeras.models.loading",
        "load_model": "jkeras.models.loading",
        "model_from_config": "jkeras.models.loading",
        "model_from_json": "jkeras.models.loading",
        "save_model": "jkeras.models.objects",
    },
)
