"""How each language writes dates, times and numbers, by the names that templates use: {{ day|date:"DATE_FORMAT" }}.

Django looks here before its own formats. Every language has every name; a test compares them.
"""
