"""Image files of all kinds by Pillow, and the SHA-256 of their RGB bytes by Pillow's convert("RGB"), for image.ts to equal.

Images with transparency are laid over white, as by convert_to_rgb of transformers 5; images with EXIF stand upright, as by
ImageOps.exif_transpose. What readers disagree on has none: null (16-bit gray values are cut off at 255 by Pillow).
Run: python images.py (Pillow 13, numpy, tifffile); it writes images.json beside itself. Pillow 12.3 gives the same.
"""
import base64
import hashlib
import io
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import PIL
import tifffile
from PIL import Image, ImageCms, ImageOps
from resize import pixels

W, H = 13, 9
RGB = pixels(W, H)
GRAY = np.asarray(Image.fromarray(RGB).convert("L"))
FILES = {}
REFUSED = {
    *["gray_16.png", "gray_16.tif", "float.tif", "int16.tif", "ycbcr.tif", "lab.tif", "five_channels.tif"],
    *["unspecified_channel.tif", "premultiplied.tif", "big.tif", "smaller_than_canvas.gif"],
}


def save(name, image, **options):
    out = io.BytesIO()
    image.save(out, {"jpg": "JPEG", "tif": "TIFF"}.get(name.split(".")[1], name.split(".")[1].upper()), **options)
    FILES[name] = out.getvalue()


def tiff(name, array, photometric="rgb", **options):
    out = io.BytesIO()
    tifffile.imwrite(out, array, photometric=photometric, metadata=None, software="", datetime=False, **options)
    FILES[name] = out.getvalue()


def png16(channels, color):
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in channels)
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", W, H, 16, color, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def segment(data, code):
    """Start and end of the first segment of this marker."""
    at = 2
    while data[at + 1] != code:
        at += 2 + struct.unpack(">H", data[at + 2:at + 4])[0]
    return at, at + 2 + struct.unpack(">H", data[at + 2:at + 4])[0]


def cmyk():
    inks = np.asarray(Image.fromarray(RGB).convert("CMYK")).copy()
    inks[..., 3] = (np.arange(W * H).reshape(H, W) * 7) % 256
    image = Image.fromarray(inks, "CMYK")
    save("cmyk_adobe.jpg", image, quality=95)
    save("cmyk_profile.jpg", image, quality=95, icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    save("cmyk_progressive.jpg", image, quality=90, progressive=True)
    save("cmyk.tif", image, compression="tiff_lzw")
    plain = FILES["cmyk_adobe.jpg"]
    start, end = segment(plain, 0xEE)
    FILES["cmyk_without_adobe.jpg"] = plain[:start] + plain[end:]
    ycck = bytearray(plain)
    ycck[end - 1] = 2  # the transform of an Adobe segment
    FILES["ycck.jpg"] = bytes(ycck)


def others():
    rgb, gray = Image.fromarray(RGB), Image.fromarray(GRAY)
    save("rgb.png", rgb)
    save("rgb.jpg", rgb, quality=80)
    save("rgb_444.jpg", rgb, quality=95, subsampling=0)
    save("rgb_progressive.jpg", rgb, progressive=True)
    save("rgb_restarts.jpg", rgb, quality=90, restart_marker_blocks=1)
    save("rgb_profile.jpg", rgb, icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    save("rgb_lossless.webp", rgb, lossless=True)
    save("rgb_lossy.webp", rgb, quality=80)
    save("rgb.tif", rgb)
    save("gray.png", gray)
    save("gray.jpg", gray)
    save("bits_1.png", rgb.convert("1"))
    palette = rgb.convert("P", palette=Image.Palette.ADAPTIVE, colors=17)
    save("palette.png", palette)
    save("palette.gif", palette)
    save("palette_one_transparent.png", palette, transparency=3)
    save("palette_one_transparent.gif", palette, transparency=3)
    save("palette_alpha.png", palette, transparency=bytes([0, 100, 255, 30]))
    for bits in (1, 2, 4):
        few = Image.fromarray((RGB[..., 2] >> (8 - bits)).astype(np.uint8)).convert("P")
        few.putpalette(sum(([16 * i, 255 - 15 * i, 7 * i] for i in range(2**bits)), []))
        save(f"palette_{bits}.png", few, bits=bits)
    save("gray_opaque.png", gray.convert("LA"))
    save("gray_alpha.png", Image.fromarray(np.dstack([GRAY, RGB[..., 0]])))
    save("gray_one_transparent.png", gray, transparency=int(GRAY[2, 2]))
    save("rgba.png", Image.fromarray(np.dstack([RGB, RGB[..., 2]])))
    save("rgba.webp", Image.fromarray(np.dstack([RGB, RGB[..., 2]])), lossless=True)
    save("rgb_one_transparent.png", rgb, transparency=tuple(map(int, RGB[3, 4])))
    wide = (RGB.astype(np.uint16) * 257) ^ 0x35
    FILES["rgb_16.png"] = png16(wide, 2)
    FILES["rgba_16.png"] = png16(np.dstack([wide, wide[..., 0]]), 6)
    FILES["gray_alpha_16.png"] = png16(np.dstack([wide[..., 1], wide[..., 0]]), 4)
    FILES["gray_16.png"] = png16(wide[..., 0], 0)
    save("gray_16.tif", Image.fromarray(wide[..., 0]))
    save("float.tif", Image.fromarray(np.float32(GRAY)))
    save("ycbcr.tif", rgb.convert("YCbCr"))
    save("lab.tif", rgb.convert("LAB"))
    save("white_is_zero.tif", gray, tiffinfo={262: 0})
    save("palette.tif", palette)
    save("rgba.tif", Image.fromarray(np.dstack([RGB, RGB[..., 2]])))
    tiff("unspecified_channel.tif", np.dstack([RGB, RGB[..., 2]]), extrasamples=["unspecified"])
    tiff("premultiplied.tif", np.dstack([RGB, RGB[..., 2]]), extrasamples=["assocalpha"])
    tiff("five_channels.tif", np.dstack([RGB, RGB[..., :2]]))
    tiff("int16.tif", GRAY.astype(np.int16) - 50, photometric="minisblack")
    tiff("planar_big_endian.tif", np.ascontiguousarray(np.moveaxis(RGB, -1, 0)), planarconfig="separate", byteorder=">")
    tiff("rgb_16.tif", wide)
    tiff("big.tif", RGB, bigtiff=True)
    larger = bytearray(FILES["palette.gif"])
    larger[6] += 3  # the canvas
    FILES["smaller_than_canvas.gif"] = bytes(larger)
    save("animated.gif", palette, save_all=True, append_images=[palette.transpose(0)], duration=50)
    save("animated.webp", rgb, save_all=True, append_images=[rgb.transpose(0)], lossless=True)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        save(f"exif_{orientation}.jpg", rgb, quality=90, exif=exif)
    for orientation in (3, 5, 6):
        save(f"xmp_{orientation}.jpg", rgb, quality=90, xmp=f'<rdf:Description tiff:Orientation="{orientation}"/>'.encode())
    exif = Image.Exif()
    exif[0x0112] = 8
    save("exif_8_xmp_6.jpg", rgb, quality=90, exif=exif, xmp=b'<tiff:Orientation>6</tiff:Orientation>')


def expected(name, data):
    if name in REFUSED:
        return None
    image = Image.open(io.BytesIO(data))
    image = ImageOps.exif_transpose(image)
    if "A" in image.getbands() or image.info.get("transparency") is not None:
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, image.convert("RGBA"))
    rgb = image.convert("RGB")
    return {"width": rgb.width, "height": rgb.height, "sha256": hashlib.sha256(rgb.tobytes()).hexdigest()}


def main():
    cmyk()
    others()
    cases = [
        {"name": name, "file": base64.b64encode(data).decode(), "rgb": expected(name, data)}
        for name, data in FILES.items()
    ]
    out = {"pillow": PIL.__version__, "cases": cases}
    Path(__file__).with_suffix(".json").write_text(json.dumps(out, indent=1) + "\n")


if __name__ == "__main__":
    main()
