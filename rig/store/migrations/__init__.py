"""From one version of the schema to the next: one step a file, in ``versions/``, forward only.

A released step is never changed. ``meta.schema_version`` says how far a database has come, and
nothing else does; rig/store/upgrading.py takes the steps, all in one transaction.
"""
