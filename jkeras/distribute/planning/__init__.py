"""What training would take on accelerators that are not here: `jk.distribute.plan`."""
