"""One pydantic field at a time: what a parameter, body or response is validated and serialised by.

Everything above (`params` excepted, which is below nobody's needs here) takes its pydantic from this package.
"""
