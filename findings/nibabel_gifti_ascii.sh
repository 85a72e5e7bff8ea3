#!/bin/sh
# nibabel 5.4.2 writes floats of a GIFTI file in ASCII with six decimals, and in rows under the name of ColumnMajorOrder.
#
# Guess: enough digits to read the same float32 again, as with its two base64 encodings; columns first where the header says so.
# Seen: −2e-7 is read again as −0 and 1e-9 as 0, 3.1415927 as 3.141593; base64 and gzip give them back to the bit. A 2 × 3
#       array with ind_ord "ColumnMajorOrder" stands row by row in ASCII (0 1 2 3 4 5), column by column in base64
#       (0 3 1 4 2 5); nibabel reads both back as they were, so that only other readers see it.
# So:   p values and small statistics do not outlive the encoding that people choose to look into a file; and a reader of ASCII
#       arrays has to ignore the order that nibabel's files state.
#
# Needs python3 with venv. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv py && py/bin/pip install -q --no-input nibabel==5.4.2 numpy==2.4.6
py/bin/python - <<'PY'
import base64, re, sys
import nibabel, numpy as np

def again(values, encoding, order="RowMajorOrder"):
    """The array read again, and the numbers in the file, in its order."""
    array = nibabel.gifti.GiftiDataArray(values, encoding=f"GIFTI_ENCODING_{encoding}", ordering=order)
    nibabel.save(nibabel.gifti.GiftiImage(darrays=[array]), "array.gii")
    text = open("array.gii").read()
    assert f'ArrayIndexingOrder="{order}"' in text
    data = re.search("<Data>(.*)</Data>", text, re.S).group(1)
    stored = np.array(data.split(), "f4") if encoding == "ASCII" else np.frombuffer(base64.b64decode(data), "f4") if encoding == "B64BIN" else None
    return nibabel.load("array.gii").darrays[0].data, stored

small = np.array([-2e-7, 1e-9, np.pi, 0.5], "f4")
for encoding in ["ASCII", "B64BIN", "B64GZ"]:
    print(encoding, again(small, encoding)[0].tolist())
holds = again(small, "ASCII")[0].tolist() == np.array([0, 0, 3.141593, 0.5], "f4").tolist()
holds &= all((again(small, encoding)[0] == small).all() for encoding in ["B64BIN", "B64GZ"])
square = np.arange(6, dtype="f4").reshape(2, 3)
for encoding, expected in [("ASCII", [0, 1, 2, 3, 4, 5]), ("B64BIN", [0, 3, 1, 4, 2, 5])]:
    read, stored = again(square, encoding, "ColumnMajorOrder")
    print("ColumnMajorOrder", encoding, stored.tolist(), "read again", read.tolist())
    holds &= stored.tolist() == expected and (read == square).all()
print("holds" if holds else "changed: this finding no longer holds")
sys.exit(0 if holds else 1)
PY
