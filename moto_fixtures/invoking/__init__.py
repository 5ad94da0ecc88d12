"""Lambda's Invoke, which really runs the function's package.

`invoke.py` is the operation; `choice.py` says which version it reaches, `serving.py` what serves
there. `environment.py` is one execution environment behind fleet's walls: provided.* under AWS's
Runtime Interface Emulator, go1.x by its own protocol (Go's net/rpc, spoken by ../rpc). `pool.py`
keeps environments for the next invocation, as Lambda does. Other runtimes are refused.

The userland is this machine's: what an image of Lambda holds or lacks does not show.
"""
