"""The functions as the template deploys them: sample events, imports, and the template itself."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = sorted(path.parent for path in (ROOT / "functions").glob("*/handler.py"))
HEAVY = {"torch", "cv2", "av", "numpy", "mediapipe", "ascension_vision"}


class Loader(yaml.SafeLoader):
    """CloudFormation's short forms, kept as {"!Tag": value}."""


def keep(loader: Loader, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return {f"!{suffix}": loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {f"!{suffix}": loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {f"!{suffix}": loader.construct_mapping(node, deep=True)}


Loader.add_multi_constructor("!", keep)


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    found: dict[str, Any] = yaml.load((ROOT / "template.yaml").read_text(), Loader)["Resources"]  # noqa: S506
    return found


def imported(source: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def test_functions_and_their_layer_import_nothing_of_the_analysis() -> None:
    sources = [*(ROOT / "functions").rglob("*.py"), *(ROOT / "layers").rglob("*.py")]
    assert len(sources) > 20
    offenders = {str(source.relative_to(ROOT)): HEAVY & set(imported(source)) for source in sources}
    assert not {source: names for source, names in offenders.items() if names}


def test_every_function_of_the_template_is_a_folder_and_every_folder_is_deployed(resources: dict[str, Any]) -> None:
    deployed = {
        resource["Properties"]["CodeUri"]
        for resource in resources.values()
        if resource["Type"] == "AWS::Serverless::Function"
    }
    assert deployed == {str(folder.relative_to(ROOT)) for folder in FUNCTIONS}


def test_every_function_logs_to_a_group_that_forgets(resources: dict[str, Any]) -> None:
    groups = {
        str(resource["Properties"]["LogGroupName"]): resource["Properties"]
        for resource in resources.values()
        if resource["Type"] == "AWS::Logs::LogGroup"
    }
    assert all("RetentionInDays" in group for group in groups.values())
    for folder in FUNCTIONS:
        assert str({"!Sub": f"/aws/lambda/ascension-${{Environment}}-{folder.name}"}) in groups


def test_no_policy_allows_every_action(resources: dict[str, Any]) -> None:
    text = json.dumps([resource.get("Properties", {}).get("Policies") for resource in resources.values()], default=str)
    assert '"*:*"' not in text
    assert '"Action": "*"' not in text
    assert "FullAccess" not in text


def test_every_sample_event_names_a_function_and_is_json() -> None:
    names = {path.stem.split("-")[0] for path in (ROOT / "events").glob("*.json")}
    assert names == {folder.name for folder in FUNCTIONS}
    for path in (ROOT / "events").glob("*.json"):
        json.loads(path.read_text())


def test_the_template_passes_cfn_lint() -> None:
    cfn_lint = [str(Path(sys.executable).parent / "cfn-lint"), str(ROOT / "template.yaml")]
    done = subprocess.run(cfn_lint, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
