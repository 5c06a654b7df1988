"""The routes of the REST API, one file for each thing that is asked about; rig/web/api.py takes them up."""
