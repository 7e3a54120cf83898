"""The OpenAPI document of an application, and the pages that show it. Loaded when the first one is asked
for.
"""
