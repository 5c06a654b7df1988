"""The pages: HTML, styles and scripts that go out as they are, and speak REST like anybody else.

A page holds no data and knows no store: who may see or do something is decided by the routes that it
asks, and nowhere else (docs/decisions/0016-pages.md). Nothing is loaded from another computer.
"""
