"""Everything that the analysis can say has words in French and German, and the three dictionaries fit each other."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from ascension_vision.contacts.contact import LIMBS
from ascension_vision.ghost.beta import Dropped
from ascension_vision.metrics.catalogue import CATALOGUE

ROOT = Path(__file__).resolve().parents[3]
WORKER = ROOT / "gpu_batch"
ANALYSIS = WORKER / "ascension_vision"
# What these say is drawn, printed or logged; cues are told by their keys.
UNHEARD = ("commands", "drawing", "scene", "cli.py", "ghost/cues.py")
TRANSLATED = ("fr", "de")
CITATION = re.compile(r"[A-Z]\w+( et al\.)? \d{4}")


@cache
def words(language: str) -> dict[str, str]:
    text = (ROOT / f"web/words/{language}.js").read_text()
    entry = re.compile(r'^  (?:"((?:[^"\\]|\\.)+)"|(\w+)):\s+"((?:[^"\\]|\\.)*)",$', re.M)
    found = {quoted or bare: said for quoted, bare, said in entry.findall(text)}
    assert len(found) == len(re.findall(r'^  (?:"|\w+:)', text, re.M)), "an entry is written otherwise"
    return found


def names(template: str) -> list[str]:
    return sorted(re.findall(r"\{(\w+)\}", template))


def parsed(folder: Path) -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(folder.rglob("*.py")):
        yield path.relative_to(folder), ast.parse(path.read_text())


def calls(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
            yield node


def said(node: ast.AST) -> str | None:
    """The text of a literal, with {} for what is filled in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return None


def told(tree: ast.Module) -> Iterator[str]:
    """Sentences among the literals of a module that are neither its documentation nor a program's errors."""
    unheard: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise | ast.JoinedStr) or (isinstance(node, ast.Expr) and said(node.value)):
            unheard |= set(ast.walk(node)) - {node}
    for problem in calls(tree, "Problem"):
        unheard |= set(ast.walk(problem))
    for node in ast.walk(tree):
        text = None if node in unheard else said(node)
        if text and re.fullmatch(r"[A-Z].* .*(\.|: \{\})", text, re.S):
            yield text
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "assumes":
            yield str(said(node.value))


@cache
def sentences() -> frozenset[str]:
    modules = (tree for path, tree in parsed(ANALYSIS) if not str(path).startswith(UNHEARD))
    every = {text for tree in modules for text in told(tree)}
    for entry in CATALOGUE.values():
        every.discard(entry.meaning)
        every |= {text for text in (entry.assumes, entry.source) if text and not CITATION.fullmatch(text)}
    return frozenset(every)


def unfilled(template: str) -> str:
    return re.sub(r"\{\w+\}", "{}", template)


def test_the_analysis_is_heard() -> None:
    assert "The climb is too short." in sentences()
    assert "There is no Ghost: {}" in sentences()
    assert "a camera that stands still" in sentences()


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_sentence_of_the_analysis_is_translated(language: str) -> None:
    assert sentences() - {unfilled(key) for key in words(language)} == set()


@pytest.mark.parametrize("language", TRANSLATED)
def test_nothing_is_translated_that_nobody_says_any_more(language: str) -> None:
    keys = {key for key in words(language) if " " in key and not re.match(r"\w+\.", key)}
    assert {unfilled(key) for key in keys} - sentences() == set()


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_number_has_its_name_its_meaning_and_what_it_comes_from(language: str) -> None:
    wanted = {f"{kind}.{name}" for name in CATALOGUE for kind in ("metric", "meaning")}
    wanted |= {f"from.{part}" for entry in CATALOGUE.values() for part in (*entry.needs, "poses")}
    assert wanted - words(language).keys() == set()


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_cue_and_what_it_names_is_translated(language: str) -> None:
    tree = ast.parse((ANALYSIS / "ghost/cues.py").read_text())
    keys = {str(said(call.args[1])) for call in calls(tree, "Cue") if said(call.args[1])}
    keys |= {str(key) for key in re.findall(r'^    \("(\w+)", "', (ANALYSIS / "ghost/cues.py").read_text(), re.M)}
    keys |= set(get_args(get_type_hints(Dropped)["kind"]))
    assert {"hips_to_wall", "foot_before_hand", "regrip", "straighter"} <= keys
    wanted = {f"cue.{key}" for key in keys} | {f"value.{limb}" for limb in LIMBS}
    assert wanted - words(language).keys() == set()


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_problem_with_a_video_or_a_correction_is_translated(language: str) -> None:
    types = {str(said(call.args[0])) for _, tree in parsed(WORKER) for call in calls(tree, "Problem") if call.args}
    assert {"no-climber", "damaged-video"} <= types
    types -= {"None"}
    assert {f"problem.{name}" for name in types} - words(language).keys() == set()


@pytest.mark.parametrize("language", TRANSLATED)
def test_what_the_page_says_in_english_it_says_in_every_language(language: str) -> None:
    assert words("en").keys() - words(language).keys() == set()


def test_the_translations_have_words_for_the_same() -> None:
    assert words("fr").keys() == words("de").keys()


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_fills_in_what_the_original_does(language: str) -> None:
    for key, template in words(language).items():
        original = words("en").get(key, key if "{" in key else None)
        if original is not None:
            assert names(template) == names(original), key
