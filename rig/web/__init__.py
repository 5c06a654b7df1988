"""The web application of ``rig serve``: REST, live stream, access. Knows the store and the door, no engine.

``open_house`` opens what is served, ``create_app`` makes the application; with the pages of ``rig.web.pages`` in it.
"""
