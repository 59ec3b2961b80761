"""The command line: `jkeras COMMAND`, a module for each command and one line for it in `main.COMMANDS`."""
