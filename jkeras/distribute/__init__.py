"""Training on several devices and in several processes: one pure step under every strategy."""

from jkeras.distribute.describing import Placement as Placement
from jkeras.distribute.describing import describe as describe
from jkeras.distribute.devices import get_device_count as get_device_count
from jkeras.distribute.devices import list_devices as list_devices
from jkeras.distribute.mesh import DeviceMesh as DeviceMesh
from jkeras.distribute.mesh import LayoutMap as LayoutMap
from jkeras.distribute.mesh import TensorLayout as TensorLayout
from jkeras.distribute.mesh import distribute_tensor as distribute_tensor
from jkeras.distribute.mirrored import MirroredStrategy as MirroredStrategy
from jkeras.distribute.planning.planner import plan as plan
from jkeras.distribute.planning.value import Plan as Plan
from jkeras.distribute.processes import initialize as initialize
from jkeras.distribute.sharded import FSDP as FSDP
from jkeras.distribute.sharded import DataParallel as DataParallel
from jkeras.distribute.sharded import ModelParallel as ModelParallel
from jkeras.distribute.workers import MultiWorkerMirroredStrategy as MultiWorkerMirroredStrategy
from jkeras.training.strategy import Strategy as Strategy
