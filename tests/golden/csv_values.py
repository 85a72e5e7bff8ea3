"""Writes csv_values.json: what pandas, polars and pyarrow read of numbers as `saveTable` writes them.

python tests/golden/csv_values.py
"""

import io
import json
import math
import pathlib

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv

TEXT = '''name,float32,float64,whole,int32
a,-0.0,-0.0,1.0,-1
"b, c",inf,-inf,-0.0,0
"d ""e""",NaN,NaN,2.0,1
ä,0.100000001,0.1,100000000000000000000.0,2147483647
f,16777216.0,5e-324,1e+21,-2147483648
'''


def word(value):
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else repr(value)
    return str(value)


read = {
    "pandas": pd.read_csv(io.StringIO(TEXT)),
    "polars": pl.read_csv(io.StringIO(TEXT)),
    "pyarrow": pa.csv.read_csv(io.BytesIO(TEXT.encode())).to_pandas(),
}
found = {tool: {name: [word(value) for value in table[name].to_list()] for name in table.columns} for tool, table in read.items()}
versions = {one.__name__: one.__version__ for one in [pd, pl, pa]}
made = {"versions": versions, "text": TEXT, "found": found}
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(made, ensure_ascii=False, indent=1) + "\n")
