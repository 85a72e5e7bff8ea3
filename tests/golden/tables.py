"""Writes tables.json: files of embeddings as pandas, polars, pyarrow, NumPy and safetensors write them, with what is in them.

python tests/golden/tables.py
"""

import base64
import datetime
import decimal
import json
import pathlib
import tempfile

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import safetensors
import safetensors.torch
import torch

ROWS = 6
X = np.array([[0.5, -1.25, 2], [1, 0.1, -7], [3e-5, 4, 100], [-0.0, 8, 9.5], [1.5, 2.5, 3.5], [6, 7, 8.125]])
NAMES = ["a", "two, with a comma", 'three "quoted"', "vier ä", "五 and a long name", ""]
DAYS = [datetime.date(2026, 1, 1 + i) for i in range(ROWS)]
folder = pathlib.Path(tempfile.mkdtemp())
files = {}


def add(name, values=X, names=NAMES, left_out=(), error=None, note=None):
    """What is read of folder/name: values, names, columns that are left out, a word of another note; or an error."""
    path = folder / name
    found = {"base64": base64.b64encode(path.read_bytes()).decode()}
    if error:
        found["error"] = error
    else:
        values = np.asarray(values, dtype="f4")
        found |= {"shape": list(values.shape), "values": values.astype("f8").ravel().tolist()}
        found |= {"names": list(names) if names else None, "leftOut": list(left_out), "note": note}
    files[name] = found


def ipc(name, table, stream=False, codec=None, batch=None, **expected):
    options = pa.ipc.IpcWriteOptions(compression=codec, emit_dictionary_deltas=stream)
    make = pa.ipc.new_stream if stream else pa.ipc.new_file
    with make(str(folder / name), table.schema, options=options) as file:
        file.write_table(table, batch)
    add(name, **expected)


def arrow(names, **columns):
    return pa.table({"name": names} | columns)


def dims(kind=pa.float32(), values=X):
    return {f"x{c}": pa.array(values[:, c].astype(kind.to_pandas_dtype()), kind) for c in range(3)}


text = pa.array(NAMES)
df = pd.DataFrame(X.astype("f4"), columns=["x", "y", "z"])
df.insert(1, "name", NAMES)
polar = pl.DataFrame({"name": NAMES} | {f"x{c}": X[:, c].astype("f4") for c in range(3)})

# Names
ipc("string.arrow", arrow(text, **dims()))
ipc("large_string.arrow", arrow(text.cast(pa.large_string()), **dims()))
ipc("string_view.arrow", arrow(text.cast(pa.string_view()), **dims()), batch=4)
ipc("dictionary_int64.arrow", arrow(text.dictionary_encode().cast(pa.dictionary(pa.int64(), pa.string())), **dims()))
ipc("dictionary_uint8.arrow", arrow(text.dictionary_encode().cast(pa.dictionary(pa.uint8(), pa.large_string())), **dims()))
ipc("run_end.arrow", arrow(pc.run_end_encode(pa.array(["a", "a", "b", "b", "b", "c"])), **dims()), names=["a", "a", "b", "b", "b", "c"])
ipc("null_name.arrow", arrow(pa.array(["a", None, "c", "d", "e", "f"]), **dims()), names=["a", "", "c", "d", "e", "f"])
parts = [pa.array(NAMES[:3]).dictionary_encode(), pa.array(NAMES[3:]).dictionary_encode()]
whole = pa.table({"name": pa.chunked_array(parts), "x": pa.chunked_array([X[:3, 0], X[3:, 0]]), "y": pa.chunked_array([X[:3, 1], X[3:, 1]])})
ipc("dictionary_replaced.arrows", whole, stream=True, values=X[:, :2])
grown = [pa.DictionaryArray.from_arrays([0, 1, 2], NAMES[:3]), pa.DictionaryArray.from_arrays([3, 4, 5], NAMES)]
whole = pa.table({"name": pa.chunked_array(grown), "x": pa.chunked_array([X[:3, 0], X[3:, 0]]), "y": pa.chunked_array([X[:3, 1], X[3:, 1]])})
ipc("dictionary_delta.arrow", whole, stream=True, values=X[:, :2])
polar.write_ipc(folder / "polars.arrow")
add("polars.arrow")
for codec in ["lz4", "zstd"]:
    polar.write_ipc(folder / f"polars_{codec}.arrow", compression=codec)
    add(f"polars_{codec}.arrow")
polar.write_ipc_stream(folder / "polars_stream.arrow")
add("polars_stream.arrow")
for kind in [pl.Categorical, pl.Enum(sorted(set(NAMES)))]:
    name = f"polars_{str(kind).split('(')[0].lower()}.arrow"
    polar.with_columns(pl.col("name").cast(kind)).write_ipc(folder / name)
    add(name)
df.to_feather(folder / "pandas.feather")
add("pandas.feather")
long = pd.concat([df] * 40, ignore_index=True)
long.to_feather(folder / "pandas_lz4.feather")
add("pandas_lz4.feather", values=np.tile(X, (40, 1)), names=NAMES * 40)
df.assign(name=df["name"].astype("category")).to_feather(folder / "pandas_category.feather")
add("pandas_category.feather")

# Numbers
ints = np.array([[0, 1, 2], [3, 4, 127], [5, 6, 7], [8, 9, 10], [0, 0, 1], [1, 2, 3]])
for bits in [8, 16, 32, 64]:
    for sign in ["", "u"]:
        kind = f"{sign}int{bits}"
        ipc(f"{kind}.arrow", arrow(text, **dims(getattr(pa, kind)(), ints)), values=ints)
for kind in ["float16", "float64"]:
    own = X.astype(kind).astype("f4")
    ipc(f"{kind}.arrow", arrow(text, **dims(getattr(pa, kind)())), values=own)
flags = X > 1
ipc("bool.arrow", arrow(text, **{f"x{c}": pa.array(flags[:, c]) for c in range(3)}), values=flags, batch=4)
money = [decimal.Decimal(value).quantize(decimal.Decimal("0.01")) for value in ["1.5", "-2.25", "0.1", "1000.25", "0", "-0.01"]]
for kind in [pa.decimal32(9, 2), pa.decimal64(18, 2), pa.decimal128(38, 2), pa.decimal256(50, 2)]:
    name = str(kind).split("(")[0]
    ipc(f"{name}.arrow", arrow(text, x=pa.array(money, kind), y=pa.array(X[:, 0])), values=np.column_stack([np.array(money, dtype="f8"), X[:, 0]]))
ipc("dictionary_numbers.arrow", arrow(text, x=pa.array(X[:, 0]).dictionary_encode(), y=pa.array(X[:, 1])), values=X[:, :2])
ipc("null_number.arrow", arrow(text, x=pa.array([1.0, None, 2, 3, 4, 5])), error='row 1: column "x" is empty, expected a finite float32.')
ipc("nan.arrow", arrow(text, x=pa.array([1.0, np.nan, 2, 3, 4, 5])), error='row 1: column "x" is NaN, expected a finite float32.')

# Lists
items = {"list": pa.list_(pa.float32()), "large_list": pa.large_list(pa.float64()), "fixed": pa.list_(pa.float32(), 3), "list_view": pa.list_view(pa.float32()), "large_list_view": pa.large_list_view(pa.float32())}
for name, kind in items.items():
    for codec in [None, "lz4", "zstd"] if name == "fixed" else [None]:
        ipc(f"{name}{'_' + codec if codec else ''}.arrow", arrow(text, v=pa.array(X.tolist(), kind)), codec=codec, batch=4)
ipc("tensor.arrow", arrow(text, v=pa.FixedShapeTensorArray.from_numpy_ndarray(X.astype("f4"))))
ipc("list_half.arrow", arrow(text, v=pa.array(list(X.astype("f2")), pa.list_(pa.float16()))), values=X.astype("f2"))
ipc("list_and_id.arrow", arrow(text, id=pa.array(range(ROWS)), v=pa.array(X.tolist())), left_out=["id (int64)"])
ipc("two_lists.arrow", arrow(text, v=pa.array(X.tolist()), w=pa.array(X.tolist())), error='2 columns of lists, "v", "w"')
ipc("ragged.arrow", arrow(text, v=pa.array([[1.0, 2.0]] * 5 + [[3.0]])), error='row 5 has 1 values in "v", row 0 2')
ipc("null_list.arrow", arrow(text, v=pa.array([[1.0, 2.0]] * 5 + [None])), error='row 5: column "v" is empty')

# What is left out
others = {
    "day": pa.array(DAYS), "at": pa.array([datetime.datetime(2026, 1, 1)] * ROWS, pa.timestamp("us")), "raw": pa.array([b"x"] * ROWS),
    "time": pa.array([datetime.time(1)] * ROWS, pa.time64("us")), "wait": pa.array([datetime.timedelta(1)] * ROWS), "none": pa.nulls(ROWS),
    "pair": pa.array([{"a": 1, "b": "c"}] * ROWS), "map": pa.array([[("k", 1)]] * ROWS, pa.map_(pa.string(), pa.int32())), "words": pa.array([["a"]] * ROWS),
    "view": pa.array([b"a long binary value"] * ROWS, pa.binary_view()), "fixed": pa.array([b"ab"] * ROWS, pa.binary(2)), "note": pa.array(["n"] * ROWS),
    "union": pa.UnionArray.from_sparse(pa.array([0, 1, 0, 1, 0, 1], pa.int8()), [pa.array(range(ROWS)), pa.array(["u"] * ROWS)]),
    "dense": pa.UnionArray.from_dense(pa.array([0, 1, 0, 1, 0, 1], pa.int8()), pa.array([0, 0, 1, 1, 2, 2], pa.int32()), [pa.array([1, 2, 3]), pa.array(["u"] * 3)]),
}
types = {"day": "date", "at": "timestamp", "raw": "binary", "time": "time", "wait": "duration", "none": "null", "pair": "struct of int64, utf8", "map": "map of struct of utf8, int32",
         "words": "list of utf8", "view": "binaryview", "fixed": "fixedsizebinary", "note": "utf8", "union": "union of int64, utf8", "dense": "union of int64, utf8"}
ipc("others.arrow", arrow(text, **others, **dims()), left_out=[f"{name} ({kind})" for name, kind in types.items()])
ipc("others_only.arrow", arrow(text, day=others["day"]), error='has no column of numbers: found "name" (utf8), "day" (date)')

# The index that pandas writes
shuffled = df.set_index(pd.Index([5, 3, 9, 1, 0, 7]))
named = df.set_index(pd.Index([5, 3, 9, 1, 0, 7], name="id"))
words = df.drop(columns="name").set_index(pd.Index(NAMES, name="word"))
both = df.set_index(pd.MultiIndex.from_arrays([[5, 3, 9, 1, 0, 7], DAYS], names=["id", "day"]))
frames = {"shuffled": (shuffled, []), "named_index": (named, ["id (the index, int64)"]), "word_index": (words, []), "multi_index": (both, ["id (the index, int64)", "day (the index, date)"])}
for name, (frame, left_out) in frames.items():
    ipc(f"{name}.arrow", pa.Table.from_pandas(frame), left_out=left_out)

# Parquet
for codec in ["snappy", "gzip", "zstd", "lz4", "brotli", "none"]:
    pq.write_table(pa.Table.from_pandas(df), folder / f"{codec}.parquet", compression=codec)
    add(f"{codec}.parquet")
df.assign(at=pd.Timestamp("2026-01-01"), raw=[b"\x89PNG\xff"] * ROWS).to_parquet(folder / "others.parquet")
add("others.parquet", left_out=["at (timestamp)", "raw (byte_array)"])
for name, (frame, left_out) in frames.items():
    frame.to_parquet(folder / f"{name}.parquet")
    add(f"{name}.parquet", left_out=left_out)
polar.write_parquet(folder / "polars.parquet")
add("polars.parquet")
small = pa.table({"name": text.dictionary_encode(), "u": pa.array(ints[:, 0], pa.uint64()), "h": pa.array(X[:, 0].astype("f2")), "b": pa.array(flags[:, 0]), "i": pa.array(ints[:, 1], pa.int8()), "d": pa.array(money, pa.decimal128(20, 2))})
wanted = np.column_stack([ints[:, 0], X[:, 0].astype("f2"), flags[:, 0], ints[:, 1], np.array(money, dtype="f8")])
for version in ["1.0", "2.0"]:
    pq.write_table(small, folder / f"kinds_{version}.parquet", data_page_version=version, use_dictionary=version == "1.0", row_group_size=4)
    add(f"kinds_{version}.parquet", values=wanted)
for name, kind in {"list": pa.list_(pa.float32()), "fixed": pa.list_(pa.float64(), 3)}.items():
    pq.write_table(arrow(text, v=pa.array(X.tolist(), kind)), folder / f"{name}.parquet", row_group_size=4)
    add(f"{name}.parquet")
pq.write_table(arrow(text, x=pa.array([1.0, None, 2, 3, 4, 5])), folder / "null.parquet")
add("null.parquet", error='row 1: column "x" is empty')

# Arrays
np.savez(folder / "named.npz", emb=X.astype(">f4"), names=np.array(NAMES), epoch=np.array(3))
add("named.npz", left_out=["epoch (<i8)"])
np.savez_compressed(folder / "bytes.npz", X, np.array(["a", "b", "c", "d", "e", "f"], dtype="S"))
add("bytes.npz", names=list("abcdef"))
np.savez(folder / "two.npz", x=X, y=X[:, :2])
add("two.npz", error='two.npz holds the matrices "x" (6 × 3, <f8), "y" (6 × 2, <f8): save one of them alone.')
for kind in ["float32", "float16", "bfloat16", "float64", "int64", "int32", "int16", "int8", "uint8", "bool"]:
    own = torch.from_numpy(np.abs(X) if kind == "uint8" else X).to(getattr(torch, kind))
    name = f"{kind}.safetensors"
    safetensors.torch.save_file({"x": own.contiguous(), "step": torch.zeros(1)}, folder / name, metadata={"made": "here"})
    add(name, values=own.to(torch.float32).numpy(), names=None, left_out=["step (1, F32)"])
safetensors.torch.save_file({"x": torch.zeros(2, 2).to(torch.float8_e4m3fn)}, folder / "float8.safetensors")
add("float8.safetensors", error='"x" is of type F8_E4M3, which is not read')
safetensors.torch.save_file({f"w{i}": torch.zeros(1, 1) for i in range(20)}, folder / "model.safetensors")
add("model.safetensors", error="and 14 more: save one of them alone.")
safetensors.torch.save_file({"x": torch.zeros(2, 2), "y": torch.zeros(2, 2)}, folder / "two.safetensors")
add("two.safetensors", error='holds the matrices "x" (2 × 2, F32), "y" (2 × 2, F32)')

# CSV
def csv(name, content, **expected):
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    add(name, **expected)


numbers = pd.DataFrame(X.astype("f4"))
numbers.to_csv(folder / "default.csv", index=False)
add("default.csv", names=None, note="0, 1, 2 are whole numbers, and all others are written as fractions")
numbers.to_csv(folder / "default_index.csv")
add("default_index.csv", names=None)
numbers.to_csv(folder / "no_header.csv", header=False, index=False)
add("no_header.csv", names=None)
for name, columns in {"years": [2019, 2020, 2021], "years_down": [2021, 2015, 1999]}.items():
    numbers.set_axis(columns, axis=1).to_csv(folder / f"{name}.csv", index=False)
    add(f"{name}.csv", names=None, note="are years")
numbers.set_axis([12, 5, 40], axis=1).to_csv(folder / "channels.csv", index=False)
add("channels.csv", names=None, note="12, 5, 40 are whole numbers, and all others are written as fractions")
csv("thirds.csv", "0.1,0.2,0.3\n3,1,2\n2,3,1\n", values=[[0.1, 0.2, 0.3], [3, 1, 2], [2, 3, 1]], names=None, note="is read as numbers, not as names")
csv("javascript.csv", "3,1\n0.5,0.25\n0.75,2\n", values=[[3, 1], [0.5, 0.25], [0.75, 2]], names=None)
csv("name_years.csv", "name,2019,2020\na,1,2\nb,3,5\n", values=[[1, 2], [3, 5]], names=["a", "b"], note="2019, 2020 are years")
years = pd.DataFrame(ints, columns=[1990, 1995, 2001])
years.to_csv(folder / "years_of_ints.csv", index=False)
add("years_of_ints.csv", values=ints, names=None, note="are years")
pd.DataFrame(ints).to_csv(folder / "default_ints.csv", index=False)
add("default_ints.csv", values=ints, names=None, note="0, 1, 2 count the columns")
numbers.rename_axis("id").to_csv(folder / "named_index.csv")
add("named_index.csv", names=None, left_out=["id (the index, numbers)"], note='"id" stands over numbers')
df.drop(columns="name").rename_axis("id").to_csv(folder / "named_index_names.csv")
add("named_index_names.csv", names=None, left_out=["id (the index, numbers)"])
numbers.set_index(pd.Index(NAMES[:5] + ["six"], name="word")).to_csv(folder / "word_index.csv")
add("word_index.csv", names=NAMES[:5] + ["six"], note="0, 1, 2 are whole numbers")
df.drop(columns="name").rename_axis("time").to_csv(folder / "counting.csv")
add("counting.csv", values=np.column_stack([range(ROWS), X]), names=None, note='"time" counts the rows')
df.to_csv(folder / "quoted.csv", quoting=2)
add("quoted.csv")
df.to_csv(folder / "pandas.tsv", sep="\t", index=False)
add("pandas.tsv")
df.to_csv(folder / "semicolons.csv", sep=";", decimal=",", index=False)
add("semicolons.csv", note="decimal marks")
df.to_csv(folder / "commas.csv", decimal=",", index=False)
add("commas.csv", note="decimal marks")
df.to_csv(folder / "tabs.txt", sep="\t", decimal=",", index=False)
add("tabs.txt", note="decimal marks")
df.to_csv(folder / "bom.csv", encoding="utf-8-sig", index=False)
add("bom.csv")
df.to_csv(folder / "utf16.csv", encoding="utf-16", sep="\t", index=False)
add("utf16.csv")
csv("latin1.csv", "name,x\nä,1\n".encode("latin-1"), error="is not text in UTF-8")
polar.write_csv(folder / "polars.csv")
add("polars.csv")
df.assign(flag=flags[:, 0], day=[str(day) for day in DAYS])[["name", "x", "flag", "day"]].to_csv(folder / "flags.csv", index=False)
add("flags.csv", values=np.column_stack([X[:, 0], flags[:, 0]]), left_out=["day (text)"])
df.assign(x=[1, np.nan, 2, 3, 4, 5])[["name", "x"]].to_csv(folder / "empty.csv", index=False)
add("empty.csv", error='line 3: column "x" is "", expected a finite float32.')
csv("na_first.csv", "name,x,y\na,NA,1\nb,2,3\n", error='line 2: column "x" is "NA"')
csv("text_in_numbers.csv", "name,x\na,1\nb,two\nc,3\n", error='line 3: column "x" is "two"')
csv("nan_names.csv", "a,nan\nb,2\nc,3\n", error='line 1: column 2 is "nan"')
csv("r.csv", '"","2019","2020"\n"a",1.5,2\n"b",2.5,3\n', values=[[1.5, 2], [2.5, 3]], names=["a", "b"])
csv("r_quoted.csv", '"5","3"\n1,2\n2,1\n', values=[[1, 2], [2, 1]], names=None, note="stand in quotes")
csv("unclear.csv", "0,1\n5,6\n7,8\n", error='the first line, 0, 1, may name the columns or hold numbers')
csv("unclear_one.csv", "0\n0.5\n0.25\n", error="may name the columns")
csv("labels.csv", "0,1\n1,0\n1,0\n", values=[[0, 1], [1, 0], [1, 0]], names=None)
csv("counts.csv", "1,2,3\n4,5,6\n", values=[[1, 2, 3], [4, 5, 6]], names=None, note="is read as numbers, not as names")
csv("times.csv", "0.0,0.1,0.2,0.3,0.4,0.5\n3,1,2,5,4,6\n", values=[[3, 1, 2, 5, 4, 6]], names=None, note="ascend, and no other line's numbers do")
csv("thousands.csv", "x;y\n1,234;5,678\n2,345;6,789\n", error="commas may be decimal marks or part thousands")
csv("both_marks.csv", "x;y\n1,5;5.25\n", error='has "1,5" and "5.25"')
csv("windows.csv", "name,x,y\r\na,1,2\r\nb,3,4\r\n", values=[[1, 2], [3, 4]], names=["a", "b"])
csv("old_mac.csv", "name,x,y\ra,1,2\rb,3,4\r", values=[[1, 2], [3, 4]], names=["a", "b"])
csv("gzip.csv", b"\x1f\x8b\x08\x00", error="is compressed with gzip")
(folder / "old.feather").write_bytes(b"FEA1" + bytes(40) + b"FEA1")
add("old.feather", error="it is Feather of version 1")


numbers.set_axis(list("xyz"), axis=1).set_index(np.arange(ROWS) * 0.5).to_csv(folder / "float_index.csv")
add("float_index.csv", names=None, note="left out as the index: 1 of 4 columns")
numbers.set_axis(list("xyz"), axis=1).set_index(np.arange(ROWS) - 3).to_csv(folder / "negative_index.csv")
add("negative_index.csv", names=None, note="left out as the index: 1 of 4 columns")
levels = pd.MultiIndex.from_product([[1, 2], [0, 1, 2]])
numbers.set_axis(list("xyz"), axis=1).set_index(levels).to_csv(folder / "levels.csv")
add("levels.csv", names=None, note="left out as the index: 2 of 5 columns")
numbers.set_axis(pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)]), axis=1).to_csv(folder / "two_headers.csv")
add("two_headers.csv", error="line 2 has no cell for the index: expected one line of names")
numbers.set_axis(list("xyz"), axis=1).assign(id=[17, 4, 230, 8, 99, 1])[["id", "x", "y", "z"]].to_csv(folder / "id.csv", index=False)
add("id.csv", values=np.column_stack([[17, 4, 230, 8, 99, 1], X]), names=None, note='"id" has another whole number in each row')
ipc("id.arrow", pa.table({"id": pa.array(range(ROWS))} | dims()), values=np.column_stack([range(ROWS), X]), names=None, note='"id" has another whole')
csv("padded.csv", "subject,x,y\n001,1,2\n002,3,4\n013,5,7\n", values=[[1, 2], [3, 4], [5, 7]], names=["001", "002", "013"], note='"subject" is read as names, not as numbers: its first cell is "001"')
np.savetxt(folder / "savetxt.txt", X)
add("savetxt.txt", names=None)
np.savetxt(folder / "savetxt_header.txt", X, header="x y z")
add("savetxt_header.txt", names=None)
np.savetxt(folder / "savetxt_comment.csv", X, header="made here\nx,y,z", delimiter=",")
add("savetxt_comment.csv", names=None, note="lines of comment (#) are passed over: 1")
csv("glove.txt", "the 0.1 0.2\n, 0.3 0.4\nof 0.5 0.6\n", values=[[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]], names=["the", ",", "of"])
csv("hash_names.csv", "#a,1,2\n#b,3,4\nc,5,7\n", values=[[1, 2], [3, 4], [5, 7]], names=["#a", "#b", "c"])
r_table = "their first cells name the rows"
csv("r_table.txt", '"x" "y"\n"a b" 1 2\n"c" 3 4\n', values=[[1, 2], [3, 4]], names=["a b", "c"], note=r_table)
csv("r_table.tsv", "x\ty\na\t1\t2\nb\t3\t4\n", values=[[1, 2], [3, 4]], names=["a", "b"], note=r_table)
csv("excel.csv", "sep=;\nx;y\n1,5;2\n3;4,25\n", values=[[1.5, 2], [3, 4.25]], names=None, note="decimal marks")
csv("bars.csv", "name|x|y\na|1|2\nb|3|4\n", values=[[1, 2], [3, 4]], names=["a", "b"])
csv("empty_last.csv", "x,y,z,\n1,2,3,\n4,5,6,\n", values=[[1, 2, 3], [4, 5, 6]], names=None)
csv("utf16_unmarked.csv", "name,x\na,1\n".encode("utf-16-le"), error="is not text in UTF-8")
durations = pa.table({"wait": others["wait"], "waits": pa.array([[datetime.timedelta(1)]] * ROWS)} | dims())
pq.write_table(durations, folder / "durations.parquet")
add("durations.parquet", names=None, left_out=["wait (duration)", "waits (list of duration)"])
pl.DataFrame({"x": [1, -2, 3], "y": [0.5, 1, 2]}, schema={"x": pl.Int128, "y": pl.Float32}).write_ipc(folder / "int128.arrow")
add("int128.arrow", values=[[1, 0.5], [-2, 1], [3, 2]], names=None)
pl.DataFrame({"x": [1, 2]}, schema={"x": pl.UInt128}).write_ipc(folder / "uint128.arrow")
add("uint128.arrow", error='"x" holds unsigned integers of 128 bits')
csv("percent.csv", "x,y\n15%,2\n3%,4\n", values=[[2], [4]], names=["15%", "3%"], note='"x" is read as names, not as numbers: its first cell is "15%"')
csv("quotes_after_blanks.csv", '"x", "y"\n"1", "2"\n"3", "5"\n', values=[[1, 2], [3, 5]], names=None)
csv("commas.tsv", "name,x,y\na,1,2\nb,3,4\n", values=[[1, 2], [3, 4]], names=["a", "b"])
pd.DataFrame({"name": NAMES[:5] + ["f"], "v": X.tolist(), "n": range(ROWS)}).to_csv(folder / "lists.csv", index=False)
add("lists.csv", names=NAMES[:5] + ["f"], left_out=["n (numbers)"])
pd.DataFrame({"v": list(X)}).to_csv(folder / "arrays.csv", index=False)
add("arrays.csv", names=None)
csv("short_array.csv", 'v\n"[1 2 ... 3]"\n"[4 5 ... 6]"\n', error='line 2: column "v" is "[1 2 ... 3]", expected a finite float32.')
periods = pd.DataFrame(X.astype("f4"), columns=list("xyz")).assign(day=pd.period_range("2026", periods=ROWS, freq="D"))
periods.to_feather(folder / "periods.feather")
add("periods.feather", names=None, left_out=["day (pandas.period)"])
periods.to_parquet(folder / "periods.parquet")
add("periods.parquet", names=None, left_out=["day (pandas.period)"])
ipc("bool8.arrow", pa.table({"x": pa.array([True, False, True]).cast(pa.bool8()), "y": [0.5, 1, 2]}), values=[[1, 0.5], [0, 1], [1, 2]], names=None)
twice = pa.Table.from_arrays([pa.array(X[:, 0]), pa.array(X[:, 1])], names=["x", "x"])
ipc("twice.arrow", twice, values=X[:, :2], names=None)
pq.write_table(twice, folder / "twice.parquet")
add("twice.parquet", error='two of its columns are called "x"')

versions = {one.__name__: one.__version__ for one in [np, pd, pl, pa, safetensors, torch]}
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps({"versions": versions, "files": files}, ensure_ascii=False) + "\n")
