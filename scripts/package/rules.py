"""What the package is made of, and what of the wheels does not go in: a table to read.

A rule that matches nothing fails the build: with other versions pinned, its reason has to be
looked at again.
"""

from __future__ import annotations

from dataclasses import dataclass

FUNCTION_FILES = ("lambda_function.py", "gateway", "inference", "service", "pages")
"""What the function imports and serves. The models come on top, by their manifests."""

LIMIT_BYTES = {"arm64": 200_000_000, "x86_64": 245_000_000}
"""Our own limits, below the 262,144,000 bytes that Lambda takes with all layers
(https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html): a package that comes
near them has taken in something that nobody weighed."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Files that run time never opens.

    Attributes:
        name: For the table that the build prints.
        reason: Why nothing misses them.
        patterns: Globs below the package's root, of files or of whole directories.
    """

    name: str
    reason: str
    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cut:
    """Shared libraries that a module is linked to, for features that the product does not use.

    Attributes:
        name: For the table that the build prints.
        reason: Which features these are.
        module: Glob of the module, below the package's root.
        libraries: Globs of the libraries' file names.
    """

    name: str
    reason: str
    module: str
    libraries: tuple[str, ...]


RULES = (
    Rule(
        "onnxruntime's C library",
        "for programs in other languages; the Python module has all of it linked into itself",
        ("onnxruntime/capi/libonnxruntime.so.*",),
    ),
    Rule(
        "onnxruntime's tools",
        "they make, convert and quantize models; running one needs `capi` alone",
        tuple(
            f"onnxruntime/{folder}"
            for folder in ("transformers", "quantization", "tools", "datasets", "backend")
        ),
    ),
    Rule(
        "tests",
        "numpy's own tests, and the modules in C that only they import",
        (
            "**/tests",
            "numpy/conftest.py",
            "numpy/_core/_simd.*.so",
            "numpy/_core/_*_tests.*.so",
        ),
    ),
    Rule(
        "f2py",
        "numpy's compiler of Fortran modules",
        ("numpy/f2py",),
    ),
    Rule(
        "files for compilers",
        "headers, Cython declarations and static libraries to build other modules with",
        (
            "numpy/_core/include",
            "numpy/_core/lib",
            "numpy/random/lib",
            "numpy/random/_examples",
            "numpy/**/*.pxd",
        ),
    ),
    Rule(
        "files for editors",
        "annotations of compiled modules; Python never reads them",
        ("**/*.pyi", "**/py.typed"),
    ),
    Rule(
        "installer's records",
        "lists of what pip installed; METADATA and the licences stay",
        (
            "*.dist-info/RECORD",
            "*.dist-info/WHEEL",
            "*.dist-info/INSTALLER",
            "*.dist-info/REQUESTED",
            "*.dist-info/top_level.txt",
            "*.dist-info/entry_points.txt",
            "*.dist-info/sboms",
            "bin",
        ),
    ),
    Rule(
        "second copies of licences",
        "the same files are in OpenCV's dist-info",
        ("cv2/LICENSE*.txt",),
    ),
    Rule(
        "Pillow's AVIF",
        "not among the six formats; without it Pillow says that it has no AVIF",
        ("PIL/_avif.*.so",),
    ),
    Rule(
        "Pillow's colour profiles",
        "not applied (inference/decoding/decode.py); without it ImageCms says that it is not there",
        ("PIL/_imagingcms.*.so",),
    ),
    Rule(
        "Pillow's Tk",
        "shows pictures in windows; the Lambda runtime has no Tk",
        ("PIL/_imagingtk.*.so",),
    ),
)

CUTS = (
    Cut(
        "OpenCV's FFmpeg",
        "VideoCapture and VideoWriter; there are no videos in this API",
        "cv2/cv2.abi3.so",
        ("libavcodec-*", "libavformat-*", "libavutil-*", "libswscale-*"),
    ),
    Cut(
        "OpenCV's OpenBLAS",
        "linear algebra of large matrices (numpy has an OpenBLAS of its own); we only resize",
        "cv2/cv2.abi3.so",
        ("libopenblas*",),
    ),
    Cut(
        "Pillow's X11",
        "screenshots of a desktop",
        "PIL/_imaging.*.so",
        ("libxcb-*",),
    ),
)
