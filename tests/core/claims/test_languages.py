"""Titles and labels in German, Spanish and French fill the slots that English ones fill."""

from __future__ import annotations

from fractions import Fraction

import pytest

from mlestar.checks.catalogue import run_checks
from mlestar.core.claims.languages import TERMS, UNITS, in_english
from mlestar.core.evidence import Finding, Outcome
from mlestar.core.facts.collected import Facts
from mlestar.core.facts.git import GitFacts
from mlestar.core.facts.project import ProjectFacts, ProjectFile
from mlestar.core.score.scoring import resolve

PROBLEMS = {
    "German": """# Ziel
Abwanderung von Kunden vorhersagen.

Erfolgsmetrik: Kündigungsrate
Richtung: sinkt
Ausgangswert: 4,0 %
Zielwert: 3,2 %
Frist: 15. März 2027
Messung: A/B-Test über 28 Tage
Nutzer: Kundenbetreuung
Vorhersageeinheit: Kunde
Zeitpunkt: jeden Montag
Maßnahme: Anruf
Verantwortlich: Ada Lovelace
""",
    "Spanish": """# Objetivo
Predecir la pérdida de clientes.

Métrica de éxito: tasa de bajas
Dirección: baja
Valor actual: 4,0 %
Valor objetivo: 3,2 %
Plazo: marzo de 2027
Medición: prueba A/B de 28 días
Usuarios: atención al cliente
Unidad de predicción: cliente
Frecuencia: cada lunes
Acción: llamada
Responsable: Ada Lovelace
""",
    "French": """# Objectif
Prévoir le départ des clients.

Indicateur de succès : taux de résiliation
Direction : baisse
Valeur initiale : 4,0 %
Valeur cible : 3,2 %
Échéance : 15 mars 2027
Méthode de mesure : test A/B pendant 28 jours
Utilisateurs : service client
Unité de prédiction : client
Fréquence : chaque lundi
Action : appel
Responsable : Ada Lovelace
""",
}
COMMAND = "`kubectl rollout undo deployment/a`"
RUNBOOKS = {
    "German": f"# Zurückrollen\n\n{COMMAND}\n\nVerantwortlich: Ada\nLetzte Übung: 2026-05-02\n",
    "Spanish": f"# Vuelta atrás\n\n{COMMAND}\n\nResponsable: Ada\nÚltimo simulacro: 2026-05-02\n",
    "French": f"# Retour arrière\n\n{COMMAND}\n\nResponsable : Ada\nDernier exercice : 2026-05-02\n",
}
PLANS = {
    "German": "# Zeitplan\n\nDauer: 6 Wochen\nVerantwortlich: Ada\nRisiko: zu wenige Kunden im Test\n",
    "Spanish": "# Cronograma\n\nDuración: 6 semanas\nResponsable: Ada\nRiesgos: pocos clientes en la prueba\n",
    "French": "# Calendrier\n\nDurée : 6 semaines\nResponsable : Ada\nRisques : trop peu de clients dans le test\n",
}
IN_JUNE = GitFacts(head="a" * 40, head_time=1_780_000_000, tracked=frozenset({"RUNBOOK.md"}))  # 2026-05-28


def judged(path: str, text: str) -> dict[str, Finding]:
    project = ProjectFacts(
        root="x", files={path: ProjectFile(path=path, size=len(text), kind="document")}, texts={path: text}, git=None
    )
    dated = ProjectFacts(root="x", files=project.files, texts=project.texts, git=IN_JUNE)
    findings = [*run_checks(Facts(project=project), ["S1.2", "S2.1", "S4.1", "S5.1"])]
    return resolve([*findings, *run_checks(Facts(project=dated), ["R4.3"])])


@pytest.mark.parametrize("language", PROBLEMS)
def test_a_problem_stated_in_another_language_is_complete(language: str) -> None:
    found = judged("problem.md", PROBLEMS[language])
    assert [found[check].value for check in ("S1.2", "S2.1")] == [1, 1], [
        found["S1.2"].observed,
        found["S2.1"].observed,
    ]
    assert found["S4.1"].outcome is Outcome.PARTIAL
    assert "Ada Lovelace" in found["S4.1"].observed


@pytest.mark.parametrize("language", RUNBOOKS)
def test_a_runbook_in_another_language_is_read(language: str) -> None:
    finding = judged("RUNBOOK.md", RUNBOOKS[language])["R4.3"]
    assert finding.outcome is Outcome.PASS, finding.observed


@pytest.mark.parametrize("language", PLANS)
def test_a_plan_in_another_language_lacks_only_its_milestones(language: str) -> None:
    finding = judged("plan.md", PLANS[language])["S5.1"]
    assert finding.value == Fraction(3, 4), finding.observed


@pytest.mark.parametrize(
    "text",
    [
        "Erfolgsmetrik: vorhanden\nZielwert: noch offen\nFrist: noch festzulegen\n",
        "Métrica de éxito: activada\nValor objetivo: por definir\n",
        "Indicateur de succès : prêt\nValeur cible : à définir\n",
    ],
)
def test_empty_words_of_another_language_fill_nothing(text: str) -> None:
    assert judged("problem.md", text)["S2.1"].value == 0


@pytest.mark.parametrize(
    "title", ["model card", "success metrics", "persona", "plan", "use cases", "meta", "limits", "date"]
)
def test_an_english_title_stays_as_it_is(title: str) -> None:
    assert in_english(title) == title


def test_no_english_title_of_the_vocabulary_is_translated() -> None:
    assert [title for title in TERMS if in_english(title) != title] == []


@pytest.mark.parametrize(
    ("timeline", "expected"), [("6 Wochen", Outcome.PASS), ("2 semanas", Outcome.FAIL), ("1 mois", Outcome.PASS)]
)
def test_a_duration_is_a_duration_in_every_language(timeline: str, expected: Outcome) -> None:
    claims = {"scoping": {"timeline": timeline, "trafficPerDay": 10_000, "sampleSizePerArm": 10_000}}
    finding = resolve(run_checks(Facts(claims=claims), ["S5.3"]))["S5.3"]
    assert finding.outcome is expected, finding.observed
    assert UNITS.keys() >= {"week", "month"}
