"""Lets CPython import modules that are named .gen, so that the test scripts run under it unchanged.

scripts/oracle puts this folder on PYTHONPATH, from which Python loads sitecustomize at its start.
"""

import os
import sys
from importlib import machinery

_loaders = [
    (machinery.ExtensionFileLoader, machinery.EXTENSION_SUFFIXES),
    (machinery.SourceFileLoader, [".gen", *machinery.SOURCE_SUFFIXES]),
    (machinery.SourcelessFileLoader, machinery.BYTECODE_SUFFIXES),
]
sys.path_hooks.insert(0, machinery.FileFinder.path_hook(*_loaders))
sys.path_importer_cache.clear()
sys.path[:] = [entry for entry in sys.path if entry != os.path.dirname(__file__)]
