"""What is fast, measured: each figure is a ratio against a physical limit or a peer, in the same run.

`./run bench` runs all; `./run bench claim rating_loop` runs those. Nothing here passes or fails.
"""
