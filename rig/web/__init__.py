"""The web application of ``rig serve``: REST, live stream, pages, access. Knows store and door, no engine.

``open_house`` opens what is served, ``create_app`` makes the application, pages included.
"""
