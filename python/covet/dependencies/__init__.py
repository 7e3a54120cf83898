"""From a callable's signature to its arguments: analysed once (`signature`), filled for each request
(`resolve`).
"""
