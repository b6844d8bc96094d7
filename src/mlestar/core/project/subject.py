"""What a project is, where the rubric asks for more than it can be: said beside the score, never scored."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from mlestar.core.facts.project import is_own
from mlestar.core.project.batch_jobs import batch_jobs
from mlestar.core.project.declared_pipelines import declared_pipelines, training_modules
from mlestar.core.project.deployment import is_deployed, mapping
from mlestar.core.wording import counted

if TYPE_CHECKING:
    from mlestar.core.facts.project import ProjectFacts

_LIBRARIES = frozenset(
    """
    sklearn torch tensorflow keras jax flax xgboost lightgbm catboost statsmodels prophet transformers datasets
    sentence_transformers langchain llama_index openai anthropic spacy gensim fastai lightning pytorch_lightning mlflow
    wandb dvc feast evidently pandera great_expectations shap optuna ray pyspark sktime darts implicit surprise onnx
    onnxruntime ultralytics timm diffusers peft trl tfx kfp zenml metaflow
    """.split()  # noqa: SIM905 - a list of names reads better than a wall of quotes
)
_READ_AS_TEXT = {
    "R": "r rmd qmd", "Julia": "jl", "Scala": "scala", "Java": "java kt", "C++": "cc cpp cu", "Rust": "rs", "Go": "go",
}  # fmt: skip
_LANGUAGES = {ending: language for language, endings in _READ_AS_TEXT.items() for ending in endings.split()}
NOTHING = "the folder has no file to judge"
NO_ML = (
    "nothing of a machine learning system was found: no code that trains, no model, no data, no recorded run and no "
    "import of a library for it ({seen}); the score says how far this is from such a system, not how good it is as "
    "what it is"
)
LIBRARY = (
    "this looks like a library: a package with code that fits, and no declared pipeline, recorded run, model or "
    "service of its own; much of what is asked is for the systems that use it"
)
AS_TEXT = (
    "{files} of {language} against {modules} of Python: such code is read as text only, so much of it stays unknown"
)


def notes_on(project: ProjectFacts) -> list[str]:
    """Sentences on what the project is, when the rubric was made for something else; usually none."""
    if not project.files:
        return [NOTHING]
    found = [_as_text(project)]
    if not _is_of_ml(project):
        seen = f"{counted(len(project.files), 'file')}, {counted(len(project.modules), 'Python module')}"
        found.append(NO_ML.format(seen=seen))
    elif _is_library(project):
        found.append(LIBRARY)
    return [note for note in found if note]


def _as_text(project: ProjectFacts) -> str:
    endings = ((path, path.rpartition(".")[2].lower()) for path in project.files)
    counts = Counter(_LANGUAGES[ending] for path, ending in endings if ending in _LANGUAGES and is_own(path))
    if not counts:
        return ""
    language, files = counts.most_common(1)[0]
    modules = len(project.own_modules)
    if files <= modules:
        return ""
    return AS_TEXT.format(files=counted(files, "file"), language=language, modules=counted(modules, "module"))


def _is_of_ml(project: ProjectFacts) -> bool:
    kept = [model.path for model in project.models] + [
        file.path for file in project.files.values() if file.kind == "data"
    ]
    return bool(
        training_modules(project)
        or any(map(is_own, kept))
        or project.reports.runs
        or declared_pipelines(project)
        or any(module.imported & _LIBRARIES for module in project.own_modules.values())
    )


def _is_library(project: ProjectFacts) -> bool:
    packaged = "setup.py" in project.files or any(
        mapping(document).get("build-system") and mapping(document).get("project")
        for document in project.manifests.get("pyproject.toml", ())
    )
    runs = project.reports.runs or batch_jobs(project) or declared_pipelines(project) or is_deployed(project)
    return packaged and bool(training_modules(project)) and not runs and not any(is_own(m.path) for m in project.models)
