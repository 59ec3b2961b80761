"""Files and directories that models are saved in. Nothing else touches these formats."""
