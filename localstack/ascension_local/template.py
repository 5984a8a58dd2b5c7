"""template.yaml as CloudFormation would read it: intrinsic functions spelled out, conditions decided."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any

import yaml

Template = dict[str, Any]


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms: `!Sub x` becomes {"Fn::Sub": "x"}."""


def _intrinsic(loader: _Loader, suffix: str, node: yaml.Node) -> Any:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if name == "Fn::GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {name: value}


_Loader.add_multi_constructor("!", _intrinsic)


def read(path: Path) -> Template:
    template: Template = yaml.load(path.read_text(), Loader=_Loader)  # noqa: S506 - a subclass of SafeLoader
    return template


def parameters(template: Template, given: Mapping[str, str]) -> dict[str, str]:
    """What each declared parameter is: as given, else its default. What the template does not declare is left out."""
    declared = template.get("Parameters", {})
    values = {name: str(given.get(name, properties.get("Default", ""))) for name, properties in declared.items()}
    for name, properties in declared.items():
        allowed = properties.get("AllowedValues")
        if allowed and values[name] not in map(str, allowed):
            raise ValueError(f"parameter {name}: {values[name]!r} is none of {', '.join(map(str, allowed))}")
    return values


def existing(template: Template, values: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The resources there are with these parameters: those without a condition and those whose condition holds."""
    return {
        logical_id: resource
        for logical_id, resource in template["Resources"].items()
        if "Condition" not in resource or _holds(template, resource["Condition"], values)
    }


def resolved(value: Any, values: Mapping[str, str]) -> Any:
    """A plain value, or the parameter it refers to; None where only CloudFormation can say."""
    if not isinstance(value, dict):
        return value
    return values.get(value["Ref"]) if set(value) == {"Ref"} else None


def _holds(template: Template, condition: Any, values: Mapping[str, str]) -> bool:
    if isinstance(condition, str):
        return _holds(template, template["Conditions"][condition], values)
    [(name, argument)] = condition.items()
    match name:
        case "Condition":
            return _holds(template, argument, values)
        case "Fn::Equals":
            left, right = (resolved(side, values) for side in argument)
            return str(left) == str(right)
        case "Fn::Not":
            return not _holds(template, argument[0], values)
        case "Fn::And":
            return all(_holds(template, each, values) for each in argument)
        case "Fn::Or":
            return any(_holds(template, each, values) for each in argument)
    raise ValueError(f"a condition made with {name} is not understood here")


def without(template: Template, types: Container[str]) -> Template:
    """The template less the resources of these types; references to them become the text `absent-LogicalId`."""
    resources = template["Resources"]
    gone = {logical_id for logical_id, resource in resources.items() if resource["Type"] in types}
    kept = {logical_id: dict(resource) for logical_id, resource in resources.items() if logical_id not in gone}
    for resource in kept.values():
        needed = resource.pop("DependsOn", [])
        needed = [each for each in ([needed] if isinstance(needed, str) else needed) if each not in gone]
        if needed:
            resource["DependsOn"] = needed
    pruned: Template = _replaced({**template, "Resources": kept}, gone)
    return pruned


def _replaced(value: Any, gone: Container[str]) -> Any:
    if isinstance(value, list):
        return [_replaced(each, gone) for each in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Ref"} and value["Ref"] in gone:
        return f"absent-{value['Ref']}"
    if set(value) == {"Fn::GetAtt"}:
        target = value["Fn::GetAtt"]
        logical_id = target[0] if isinstance(target, list) else target.split(".")[0]
        return f"absent-{logical_id}" if logical_id in gone else value
    if set(value) == {"Fn::Sub"}:
        argument = value["Fn::Sub"]
        if isinstance(argument, str):
            return {"Fn::Sub": _without_references(argument, gone)}
        text, variables = argument
        return {"Fn::Sub": [_without_references(text, gone), _replaced(variables, gone)]}
    return {name: _replaced(each, gone) for name, each in value.items()}


def _without_references(text: str, gone: Container[str]) -> str:
    def replacement(match: re.Match[str]) -> str:
        return f"absent-{match[1]}" if match[1] in gone else match[0]

    return re.sub(r"\$\{([A-Za-z0-9]+)(?:\.[A-Za-z0-9.]+)?\}", replacement, text)
