"""The `covet` command. One module per command; main.py finds and loads the one that was asked for."""

import time

# When the command began, as near as Python code can tell: what people wait for includes the imports.
BEGUN = time.perf_counter()
