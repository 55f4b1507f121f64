"""Makes the pictures beside this file, and what they must become: with Pillow
12 (others resample some sizes in another order of rows and columns), and
transformers 5.24.

  NAME.png, NAME.jpg     a picture
  NAME.rgb               its pixels after convert("RGB")
  noise_WxH_FILTER.rgb   noise.png after resize((W, H), FILTER); so is strip_...
  PROCESSOR.f32          pixel_values of noise.png, 8 x 8

  python make_images.py
"""

import pathlib
import struct
import zlib

import numpy as np
from PIL import Image
from transformers.models.bit.image_processing_pil_bit import BitImageProcessorPil
from transformers.models.convnext.image_processing_pil_convnext import ConvNextImageProcessorPil
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

HERE = pathlib.Path(__file__).parent
RANDOM = np.random.default_rng(42)
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def packed(values, depth):
    """One row of samples, without a filter."""
    if depth == 16:
        return b"\0" + np.asarray(values, ">u2").tobytes()
    bits = "".join(f"{int(value):0{depth}b}" for value in np.ravel(values))
    bits += "0" * (-len(bits) % 8)
    return b"\0" + bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))


def write_png(name, samples, depth, color, chunks=b"", interlaced=False):
    """What Pillow does not write: samples [height, width, channels]."""
    height, width = samples.shape[:2]
    passes = ADAM7 if interlaced else [(0, 0, 1, 1)]
    raw = b""
    for left, top, right, down in passes:
        part = samples[top::down, left::right]
        if part.shape[1] > 0:
            raw += b"".join(packed(row, depth) for row in part)
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, int(interlaced))
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunks
    data += chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
    (HERE / f"{name}.png").write_bytes(data)


def bytes_of(*shape):
    return RANDOM.integers(0, 256, shape, dtype=np.uint8)


def smooth(height, width, channels):
    """A picture that JPEG keeps well."""
    y, x, c = np.mgrid[0:height, 0:width, 0:channels]
    return ((x * 9 + y * 5 + c * 70) % 256).astype(np.uint8)


def write_pictures():
    Image.fromarray(bytes_of(5, 7, 3)).save(HERE / "color.png")
    Image.fromarray(bytes_of(5, 7, 4)).save(HERE / "color_alpha.png")
    Image.fromarray(bytes_of(5, 7)).save(HERE / "grey.png")
    Image.fromarray(bytes_of(5, 7, 2)).save(HERE / "grey_alpha.png")
    for depth in (1, 2, 4):
        write_png(f"grey_{depth}_bits", RANDOM.integers(0, 2**depth, (5, 7, 1)), depth, 0)
    colors = bytes_of(4, 3)
    palette = chunk(b"PLTE", colors.tobytes())
    indices = RANDOM.integers(0, 4, (5, 7, 1))
    write_png("palette", indices, 8, 3, palette)
    write_png("palette_2_bits", indices, 2, 3, palette)
    write_png("palette_alpha", indices, 8, 3, palette + chunk(b"tRNS", b"\0\x80"))
    write_png("palette_short", indices, 8, 3, chunk(b"PLTE", colors[:3].tobytes()))
    write_png("color_16_bits", RANDOM.integers(0, 65536, (5, 7, 3)), 16, 2)
    write_png("grey_16_bits", RANDOM.integers(0, 65536, (5, 7, 1)), 16, 0)
    gamma = chunk(b"gAMA", struct.pack(">I", 100000))
    write_png("gamma", RANDOM.integers(0, 256, (5, 7, 3)), 8, 2, gamma)
    write_png("interlaced", RANDOM.integers(0, 256, (9, 11, 3)), 8, 2, interlaced=True)

    picture = Image.fromarray(smooth(17, 19, 3))
    picture.save(HERE / "color.jpg", quality=90)
    picture.save(HERE / "progressive.jpg", quality=90, progressive=True)
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(HERE / "turned.jpg", quality=90, exif=exif)
    Image.fromarray(smooth(17, 19, 1)[..., 0]).save(HERE / "grey.jpg", quality=90)
    Image.fromarray(smooth(17, 19, 4), "CMYK").save(HERE / "cmyk.jpg", quality=90)


def main():
    write_pictures()
    Image.fromarray(bytes_of(9, 13, 3)).save(HERE / "noise.png")
    Image.fromarray(bytes_of(201, 2, 3)).save(HERE / "strip.png")
    for path in sorted(HERE.glob("*.png")) + sorted(HERE.glob("*.jpg")):
        if path.name not in ("grey_16_bits.png", "palette_short.png"):
            rgb = Image.open(path).convert("RGB").tobytes()
            (HERE / f"{path.stem}{path.suffix.replace('.', '_')}.rgb").write_bytes(rgb)
    noise = Image.open(HERE / "noise.png")
    for name, kind in (("nearest", 0), ("bilinear", 2), ("bicubic", 3)):
        for width, height in ((5, 4), (13, 6), (16, 5), (30, 21), (6, 20)):
            resized = noise.resize((width, height), kind)
            (HERE / f"noise_{width}x{height}_{name}.rgb").write_bytes(resized.tobytes())
    strip = Image.open(HERE / "strip.png")
    for width, height in ((5, 20), (5, 210)):
        (HERE / f"strip_{width}x{height}_bicubic.rgb").write_bytes(strip.resize((width, height), 3).tobytes())
    processors = {
        "vit": ViTImageProcessorPil(size={"height": 8, "width": 8}),
        "convnext": ConvNextImageProcessorPil(size={"shortest_edge": 8}),
        "bit": BitImageProcessorPil(size={"shortest_edge": 10}, crop_size={"height": 8, "width": 8}),
    }
    for name, processor in processors.items():
        pixels = processor(noise, return_tensors="np")["pixel_values"][0]
        (HERE / f"{name}.f32").write_bytes(pixels.astype("<f4").tobytes())


if __name__ == "__main__":
    main()
