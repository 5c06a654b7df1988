"""Makes ideal_cell.py importable from the tests below this directory."""
