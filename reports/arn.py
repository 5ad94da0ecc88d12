"""The ARN that every output carries with a row."""

from __future__ import annotations

import pandas as pd

from fleet.model import LATEST


def arns(functions: pd.DataFrame, partition: str) -> list[str]:
    """Write each row's ARN as FunctionRef.arn does, without 100,000 objects in between."""
    return [
        f"arn:{partition}:lambda:{region}:{account}:function:{name}"
        f"{'' if qualifier == LATEST else f':{qualifier}'}"
        for account, region, name, qualifier in zip(
            functions["account"].tolist(),
            functions["region"].tolist(),
            functions["name"].tolist(),
            functions["qualifier"].tolist(),
            strict=True,
        )
    ]
