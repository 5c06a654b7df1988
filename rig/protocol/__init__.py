"""YAML protocol -> checked model -> flat program. Knows no instrument, no engine and no database."""

from rig.protocol.load import json_schema, load_protocol, loads_protocol

__all__ = ["json_schema", "load_protocol", "loads_protocol"]
