"""Takes the TensorFlow library, its C headers and its licences out of a wheel: unpack.py WHEEL FOLDER"""

import os
import shutil
import sys
import zipfile

LIBRARIES = {
    "tensorflow/libtensorflow_cc.so.2",
    "tensorflow/libtensorflow_framework.so.2",
}
HEADERS = (
    "tensorflow/include/tensorflow/c/",
    "tensorflow/include/tensorflow/core/platform/ctstring",
    "tensorflow/include/tensorflow/tsl/c/",
    "tensorflow/include/tensorflow/tsl/platform/ctstring",
    "tensorflow/include/tsl/c/",
    "tensorflow/include/tsl/platform/ctstring",
)
LICENCES = ("/LICENSE", "/THIRD_PARTY_NOTICES.txt")


def target_of(name):
    """Where a file of the wheel goes, or None when it is not wanted."""
    if name in LIBRARIES:
        return os.path.join("lib", os.path.basename(name))
    if name.startswith(HEADERS):
        return os.path.join("include", name[len("tensorflow/include/"):])
    if ".dist-info/" in name and name.endswith(LICENCES):
        return os.path.basename(name)
    return None


def main(wheel, folder):
    missing = set(LIBRARIES)
    with zipfile.ZipFile(wheel) as archive:
        for info in archive.infolist():
            target = None if info.is_dir() else target_of(info.filename)
            if target is None:
                continue
            path = os.path.join(folder, target)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with archive.open(info) as source, open(path, "wb") as out:
                shutil.copyfileobj(source, out, 1 << 20)
            missing.discard(info.filename)
    if missing:
        sys.exit("the wheel has no " + ", ".join(sorted(missing)))


main(sys.argv[1], sys.argv[2])
