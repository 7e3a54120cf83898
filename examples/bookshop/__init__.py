"""The demo: a small book catalogue over SQLite. `make demo` serves `bookshop.main:app`."""
