"""The shipped protocol library: YAML files only; this line makes them findable once installed."""
