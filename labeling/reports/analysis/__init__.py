"""Every report of a project from its judgments: rows are read once, each module makes one report of them.

`shape` is what a report looks like, `loading` reads, `catalogue` names the reports in the order they are computed.
"""
