"""Pictures of models, of training, of sweeps and of predictions.

Diagrams of models need nothing but jkeras; the others need matplotlib: `pip install 'jkeras[plot]'`.
"""

from jkeras.plots.curves import plot_history as plot_history
from jkeras.plots.curves import plot_sweep as plot_sweep
from jkeras.plots.diagram import Diagram as Diagram
from jkeras.plots.diagram import diagram as diagram
from jkeras.plots.pictures import image_grid as image_grid
from jkeras.plots.pictures import plot_confusion as plot_confusion
