"""moto made to behave as AWS documents, as far as scanning and moving functions lean on it.

Every request passes one gate (`gate.py`): whose credentials are these, may they, is the region
on, is the rate exceeded. Then either an operation of `table.py` answers it, or moto does. moto's
own classes stay as they are; operations read and write moto's backends.

Where no AWS page says what is done here, the docstring says *believed*.
"""
