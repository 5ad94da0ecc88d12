"""The bootstrap that starts a handler where it lies; Handler stays as it is.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html
"""

from __future__ import annotations

SHIM = b'#!/bin/sh\nexec "$LAMBDA_TASK_ROOT/$_HANDLER"\n'
