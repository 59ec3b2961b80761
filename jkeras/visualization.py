"""Pictures of images with labels, boxes and masks: the names of `keras.visualization`."""

from jkeras.plots.galleries import plot_bounding_box_gallery as plot_bounding_box_gallery
from jkeras.plots.galleries import plot_image_gallery as plot_image_gallery
from jkeras.plots.galleries import plot_segmentation_mask_gallery as plot_segmentation_mask_gallery
from jkeras.plots.overlays import draw_bounding_boxes as draw_bounding_boxes
from jkeras.plots.overlays import draw_segmentation_masks as draw_segmentation_masks
