"""The steps, chained by Alembic's revision numbers, which are our schema versions."""
