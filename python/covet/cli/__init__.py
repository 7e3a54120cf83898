"""The `covet` command. One module per command; main.py finds and loads the one that was asked for."""
