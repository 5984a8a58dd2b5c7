"""Packs the code that template.yaml names for the local cloud's artefact bucket, as `sam build` and `sam package` do.

Archives are named by their content and built reproducibly: what did not change is neither built nor uploaded again.
"""

from __future__ import annotations

import copy
import hashlib
import io
import json
import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ascension_local import template as templates
from ascension_local.places import CACHE, VENVS
from ascension_local.template import Template

# What sam leaves out too, plus what editors and test runs leave behind.
_IGNORED_DIRECTORIES = frozenset({"__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache"})
_TIMESTAMP = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Artefact:
    """An object for the artefact bucket."""

    key: str
    body: bytes


class PackagingError(Exception):
    """The code cannot be packaged; the message says which and why."""


def package(template: Template, root: Path, values: Mapping[str, str], bucket: str) -> tuple[Template, list[Artefact]]:
    """The template with S3 addresses instead of paths below root, and the objects they stand for."""
    packaged = copy.deepcopy(template)
    default = packaged.get("Globals", {}).get("Function", {})
    artefacts: dict[str, Artefact] = {}

    def added(artefact: Artefact) -> str:
        artefacts[artefact.key] = artefact
        return artefact.key

    for logical_id, resource in templates.existing(packaged, values).items():
        properties = resource.setdefault("Properties", {})
        match resource["Type"]:
            case "AWS::Serverless::Function":
                source = _path(root, logical_id, properties.get("CodeUri", default.get("CodeUri")))
                runtime = str(templates.resolved(properties.get("Runtime", default.get("Runtime")), values))
                properties["CodeUri"] = {"Bucket": bucket, "Key": added(_archive(source, runtime, prefix=""))}
            case "AWS::Serverless::LayerVersion":
                source = _path(root, logical_id, properties["ContentUri"])
                is_built = "BuildMethod" in resource.get("Metadata", {})
                runtime = str(templates.resolved(properties["CompatibleRuntimes"][0], values))
                archive = _archive(source, runtime, prefix="python/" if is_built else "")
                properties["ContentUri"] = {"Bucket": bucket, "Key": added(archive)}
            case "AWS::Serverless::StateMachine":
                if "DefinitionUri" in properties:
                    source = _path(root, logical_id, properties["DefinitionUri"])
                    # LocalStack reads JSON only.
                    body = json.dumps(yaml.safe_load(source.read_text()), sort_keys=True).encode()
                    key = added(Artefact(f"definition/{_digest(body)}.json", body))
                    properties["DefinitionUri"] = {"Bucket": bucket, "Key": key}
    return packaged, list(artefacts.values())


def _path(root: Path, logical_id: str, uri: Any) -> Path:
    path = root / str(uri)
    if not isinstance(uri, str) or not path.exists():
        raise PackagingError(f"{logical_id}: its code {uri!r} is not there")
    return path


def _archive(source: Path, runtime: str, prefix: str) -> Artefact:
    """A directory's files below prefix, with what its requirements.txt names beside them."""
    archive = io.BytesIO()
    requirements = source / "requirements.txt"
    if requirements.exists():
        archive.write(_dependencies(requirements, runtime, prefix).read_bytes())
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as zipped:
        for path in _files(source):
            _write(zipped, prefix + path.relative_to(source).as_posix(), path)
    body = archive.getvalue()
    return Artefact(f"code/{_digest(body)}.zip", body)


def _dependencies(requirements: Path, runtime: str, prefix: str) -> Path:
    """An archive of the installed requirements, kept in the cache under a hash of what it was made from."""
    recipe = f"{runtime} {prefix}".encode() + requirements.read_bytes()
    kept = CACHE / "dependencies" / f"{_digest(recipe)}.zip"
    if kept.exists():
        return kept
    kept.parent.mkdir(parents=True, exist_ok=True)
    interpreter = (VENVS / f"runtime-{runtime}" / "interpreter").read_text().strip()
    with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
        target = Path(folder) / "installed"
        pip = [str(VENVS / "localstack" / "bin" / "python"), "-m", "pip", "--python", interpreter]
        install = ["install", "-qq", "--disable-pip-version-check", "--no-compile", "--target", str(target)]
        done = subprocess.run([*pip, *install, "-r", str(requirements)], capture_output=True, text=True, check=False)
        if done.returncode:
            raise PackagingError(f"{requirements} cannot be installed for {runtime}:\n{done.stderr.strip()}")
        shutil.rmtree(target / "bin", ignore_errors=True)
        # Compiled here once, valid wherever it is unpacked: a cold start then reads instead of compiling.
        compiling = [interpreter, "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash"]
        subprocess.run([*compiling, str(target)], stdout=subprocess.DEVNULL, check=False)
        archive = Path(folder) / "archive.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as zipped:
            for path in sorted(path for path in target.rglob("*") if path.is_file()):
                _write(zipped, prefix + path.relative_to(target).as_posix(), path)
        os.replace(archive, kept)
    return kept


def _files(source: Path) -> Iterable[Path]:
    for path in sorted(source.rglob("*")):
        if path.is_file() and path.suffix != ".pyc" and not _IGNORED_DIRECTORIES.intersection(path.parts):
            yield path


def _write(zipped: zipfile.ZipFile, name: str, path: Path) -> None:
    entry = zipfile.ZipInfo(name, _TIMESTAMP)
    entry.compress_type = zipfile.ZIP_DEFLATED
    # Readable by Lambda's user whatever the checkout's umask was.
    entry.external_attr = (0o755 if os.access(path, os.X_OK) else 0o644) << 16
    zipped.writestr(entry, path.read_bytes())


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:32]
