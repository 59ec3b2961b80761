"""Models as programs that run without jkeras: the names of `keras.export`."""

from jkeras.files.export_archive import ExportArchive as ExportArchive
