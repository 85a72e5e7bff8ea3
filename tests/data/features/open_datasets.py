"""Opens the datasets of all nodes as one table each, by pandas, Polars and DuckDB: open_datasets.py STAGE COLORS

STAGE has the folder "eigenvectors", COLORS "colors". Prints as JSON, of each program and model and layer: nodes, the sum
of the image numbers and of the first eigenvector's values; and the nodes of the nearest point 3 and the sum of their reds.
"""
import json
import sys

import duckdb
import polars
import pyarrow.dataset

stage, colors = sys.argv[1:]
vectors = pyarrow.dataset.dataset(f"{stage}/eigenvectors", format="ipc", partitioning="hive")
nodes = pyarrow.dataset.dataset(f"{colors}/colors", format="ipc", partitioning="hive")
found = {}

frame = vectors.to_table().to_pandas()
frame["first"] = [float(vector[0]) for vector in frame["vector"]]
sums = frame.groupby(["model", "layer"]).agg(n=("image", "size"), image=("image", "sum"), first=("first", "sum"))
near = nodes.to_table(filter=pyarrow.dataset.field("nearest") == 3).to_pandas()
found["pandas"] = [sums.reset_index().values.tolist(), [len(near), int(near["red"].sum())]]

scan = polars.scan_ipc(f"{stage}/eigenvectors/**/*.arrow", hive_partitioning=True)
sums = scan.group_by("model", "layer").agg(
    polars.len(), image=polars.col("image").sum(), first=polars.col("vector").arr.get(0).cast(polars.Float64).sum()
).sort("model", "layer").collect()
near = polars.scan_ipc(f"{colors}/colors/**/*.arrow", hive_partitioning=True).filter(polars.col("nearest") == 3)
near = near.select(polars.len(), polars.col("red").cast(polars.Int64).sum()).collect()
found["polars"] = [[list(row) for row in sums.rows()], list(near.row(0))]

sums = duckdb.sql(
    "select model, layer, count(*), sum(image), sum(vector[1]::double) from vectors group by all order by all"
).fetchall()
near = duckdb.sql("select count(*), sum(red) from nodes where nearest = 3").fetchall()[0]
found["duckdb"] = [[[m, l, n, int(image), first] for m, l, n, image, first in sums], [near[0], int(near[1])]]
print(json.dumps(found))
