"""The TOML reader of the standard library, or its twin on Python 3.10."""

import sys

if sys.version_info >= (3, 11):
    from tomllib import TOMLDecodeError, loads
else:  # pragma: no cover - depends on the interpreter
    from tomli import TOMLDecodeError, loads

__all__ = ["TOMLDecodeError", "loads"]
