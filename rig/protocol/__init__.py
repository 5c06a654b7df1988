"""YAML protocol -> checked model -> flat program. Knows no instrument, no engine and no database."""
