"""template.yaml as `up` sees it: conditions decided, what cannot exist locally left out, code packaged."""

import io
import json
import zipfile
from pathlib import Path

import pytest
from ascension_local import packaging
from ascension_local import template as templates
from ascension_local.absent import ABSENT

ROOT = Path(__file__).resolve().parents[3]

TEMPLATE = """
Parameters:
  Secret: {Type: String, Default: ""}
  Size: {Type: String, Default: small, AllowedValues: [small, large]}
Conditions:
  OwnDatabase: !Equals [!Ref Secret, ""]
  Given: !Not [!Condition OwnDatabase]
  Both: !And [!Condition Given, !Equals [!Ref Size, large]]
Resources:
  Database: {Type: "AWS::RDS::DBCluster", Condition: OwnDatabase}
  Cache: {Type: "AWS::ElastiCache::CacheCluster", Condition: Both}
  Network: {Type: "AWS::EC2::VPC"}
  Bucket:
    Type: AWS::S3::Bucket
    DependsOn: [Network, Queue]
    Properties:
      One: !Ref Network
      Two: !GetAtt Network.CidrBlock
      Three: !Sub "${Network}/${Network.CidrBlock}/${Queue.Arn}/${AWS::Region}"
      Four: !GetAtt Queue.Arn
  Queue: {Type: "AWS::SQS::Queue"}
  Function:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: code, Runtime: python3.13}
  Workflow:
    Type: AWS::Serverless::StateMachine
    Properties: {DefinitionUri: workflow.yaml}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    (tmp_path / "workflow.yaml").write_text("StartAt: Begin  # a comment\nStates: {Begin: {Type: Succeed}}\n")
    (tmp_path / "code" / "__pycache__").mkdir(parents=True)
    (tmp_path / "code" / "__pycache__" / "handler.pyc").write_bytes(b"x")
    (tmp_path / "code" / "handler.py").write_text("def handle(event, context): ...\n")
    return tmp_path


@pytest.mark.parametrize(
    ("given", "there"),
    [
        ({}, {"Database"}),
        ({"Secret": "arn"}, set()),
        ({"Secret": "arn", "Size": "large"}, {"Cache"}),
    ],
)
def test_a_resource_exists_when_its_condition_holds(root: Path, given: dict[str, str], there: set[str]) -> None:
    template = templates.read(root / "template.yaml")
    existing = templates.existing(template, templates.parameters(template, given))
    assert {"Database", "Cache"} & existing.keys() == there


def test_a_parameter_the_template_does_not_declare_is_left_out(root: Path) -> None:
    template = templates.read(root / "template.yaml")
    assert templates.parameters(template, {"Secret": "arn", "Other": "x"}) == {"Secret": "arn", "Size": "small"}


def test_a_parameter_value_that_is_not_allowed_is_refused_by_name(root: Path) -> None:
    with pytest.raises(ValueError, match="Size"):
        templates.parameters(templates.read(root / "template.yaml"), {"Size": "huge"})


def test_references_to_what_is_left_out_become_its_name(root: Path) -> None:
    pruned = templates.without(templates.read(root / "template.yaml"), ABSENT)
    assert pruned["Resources"].keys() == {"Bucket", "Queue", "Cache", "Function", "Workflow"}
    bucket = pruned["Resources"]["Bucket"]
    assert bucket["DependsOn"] == ["Queue"]
    assert bucket["Properties"] == {
        "One": "absent-Network",
        "Two": "absent-Network",
        "Three": {"Fn::Sub": "absent-Network/absent-Network/${Queue.Arn}/${AWS::Region}"},
        "Four": {"Fn::GetAtt": ["Queue", "Arn"]},
    }


def test_code_is_packed_without_what_running_it_leaves_behind(root: Path) -> None:
    template = templates.read(root / "template.yaml")
    packaged, artefacts = packaging.package(template, root, {"Secret": "arn", "Size": "small"}, "artefacts")
    address = packaged["Resources"]["Function"]["Properties"]["CodeUri"]
    assert address["Bucket"] == "artefacts"
    [body] = [artefact.body for artefact in artefacts if artefact.key == address["Key"]]
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert archive.namelist() == ["handler.py"]


def test_the_same_code_makes_the_same_package_and_other_code_another(root: Path) -> None:
    template = templates.read(root / "template.yaml")
    values = {"Secret": "arn", "Size": "small"}
    first = packaging.package(template, root, values, "artefacts")
    (root / "code" / "handler.py").touch()
    assert packaging.package(template, root, values, "artefacts") == first
    (root / "code" / "handler.py").write_text("def handle(event, context): return 1\n")
    assert packaging.package(template, root, values, "artefacts") != first


def test_a_workflow_written_in_yaml_is_packed_as_the_json_that_localstack_reads(root: Path) -> None:
    template = templates.read(root / "template.yaml")
    packaged, artefacts = packaging.package(template, root, {"Secret": "arn", "Size": "small"}, "artefacts")
    key = packaged["Resources"]["Workflow"]["Properties"]["DefinitionUri"]["Key"]
    [body] = [artefact.body for artefact in artefacts if artefact.key == key]
    assert json.loads(body) == {"StartAt": "Begin", "States": {"Begin": {"Type": "Succeed"}}}


def test_code_that_is_not_there_is_named(root: Path) -> None:
    (root / "workflow.yaml").unlink()
    template = templates.read(root / "template.yaml")
    with pytest.raises(packaging.PackagingError, match=r"Workflow.*workflow\.yaml"):
        packaging.package(template, root, {"Secret": "arn", "Size": "small"}, "artefacts")


def test_every_type_that_is_left_out_has_a_reason_and_is_in_the_template() -> None:
    used = {resource["Type"] for resource in templates.read(ROOT / "template.yaml")["Resources"].values()}
    assert ABSENT.keys() <= used
    assert all(ABSENT.values())
