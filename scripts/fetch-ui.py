#!/usr/bin/env python3
"""Fills python/covet/openapi/ui with the files that covet/openapi/bundles.py lists. Safe to repeat.

npm downloads each package; nothing of it runs. An archive with another hash than the pinned one is refused.
What is there already is kept, so that later builds need no network.
"""

import base64
import gzip
import hashlib
import importlib.util
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[1]
MAP_COMMENT = re.compile(rb"\s*(//# sourceMappingURL=\S+|/\*# sourceMappingURL=\S+ ?\*/)\s*\Z")
PATIENCE = 180  # seconds for one download


class FetchError(Exception):
    """Why a bundle could not be had, in words for the person who builds."""


def load_bundles():
    """Return the module that lists the bundles, without importing covet, which may not be built yet."""
    path = ROOT / "python/covet/openapi/bundles.py"
    spec = importlib.util.spec_from_file_location("covet_bundles", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def fetch_missing(bundles=None) -> list[str]:
    """Fetch what is missing; return the labels of what was fetched.

    Raises:
        FetchError: npm is missing or fails, or an archive is not the pinned one.
    """
    module = bundles or load_bundles()
    fetched = []
    for bundle in module.BUNDLES:
        place = module.UI_FOLDER / bundle.label
        if bundle.is_packaged() and (place / "SOURCE").read_text() == source_of(bundle):
            continue
        with tempfile.TemporaryDirectory() as folder:
            unpack(bundle, download(bundle, Path(folder)), place)
        fetched.append(bundle.label)
    for old in module.UI_FOLDER.iterdir():
        if old.name not in {bundle.label for bundle in module.BUNDLES}:
            shutil.rmtree(old)
    return fetched


def source_of(bundle) -> str:
    """Return what a folder was made of, to notice when that has changed."""
    return f"{bundle.label} sha512-{bundle.sha512}\nreplaced: {bundle.replaced}\n"


def download(bundle, folder: Path) -> Path:
    """Have npm download the package's archive into a folder."""
    npm = shutil.which("npm")
    if npm is None:
        raise FetchError("npm not found; install it with: apt-get install npm (or from https://nodejs.org)")
    command = [npm, "pack", "--silent", "--ignore-scripts", "--pack-destination", folder, bundle.label]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, cwd=folder)
    except subprocess.TimeoutExpired:
        raise FetchError(f"npm gave no answer within {PATIENCE} seconds") from None
    archives = list(folder.glob("*.tgz"))
    if done.returncode or len(archives) != 1:
        raise FetchError(f"npm cannot download {bundle.label}:\n{done.stderr.strip()}")
    return archives[0]


def unpack(bundle, archive: Path, place: Path) -> None:
    """Put the listed files of an archive, compressed, and its licences into a folder that is complete or not
    there.
    """
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if digest != bundle.sha512:
        raise FetchError(
            f"{bundle.label} hashes to sha512-{digest}, not to the pinned sha512-{bundle.sha512}"
        )
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent) as scratch, tarfile.open(archive) as packed:
        made = Path(scratch, "made")
        made.mkdir()
        for name in bundle.files:
            text = MAP_COMMENT.sub(b"\n", replaced(bundle, member(packed, bundle.folder, name)))
            (made / f"{name}.gz").write_bytes(gzip.compress(text, 9, mtime=0))
        for name in bundle.licences:
            (made / PurePosixPath(name).name).write_bytes(member(packed, bundle.folder, name))
        (made / "SOURCE").write_text(source_of(bundle))
        if place.exists():
            shutil.rmtree(place)
        made.rename(place)


def member(packed: tarfile.TarFile, folder: str, name: str) -> bytes:
    """Return a file of an archive; npm puts everything below `package`."""
    parent = PurePosixPath(folder)
    while name.startswith("../"):
        parent, name = parent.parent, name.removeprefix("../")
    found = packed.extractfile(str("package" / parent / name))
    if found is None:
        raise FetchError(f"{name} is not a file of the archive")
    return found.read()


def replaced(bundle, text: bytes) -> bytes:
    """Return a file with the bundle's replacements made."""
    for old, new in bundle.replaced:
        if text.count(old.encode()) != 1:
            raise FetchError(f"{bundle.label} does not have {old} once; look at it and adapt bundles.py")
        text = text.replace(old.encode(), new.encode())
    return text


def main() -> int:
    """Fetch and say what was fetched; a failure is 1 and one paragraph."""
    try:
        fetched = fetch_missing()
    except FetchError as error:
        print(f"note: the files of Swagger UI and ReDoc could not be fetched: {error}", file=sys.stderr)
        print("  without them /docs and /redoc load theirs from a CDN", file=sys.stderr)
        return 1
    for label in fetched:
        print(f"fetched {label}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
