"""German, Spanish and French words for what titles and labels say, so that one reader serves four languages.

A title is translated before anything looks at it: `Zielwert` and `valor objetivo` are read as `target value`. Only
words that English does not have are listed; they are compared without accents. A statement's text stays as it was
written.
"""

from __future__ import annotations

import functools
import re
import unicodedata

TERMS = {
    "success metric": (
        r"erfolgs(metrik|kennzahl|kriterium|kriterie)(en)?|metricas? de exito|indicador(es)? de exito|"
        r"(metriques?|criteres?|indicateurs?) de (succes|reussite)"
    ),
    "metric": r"metrik(en)?|kennzahl(en)?|guetemasse?|metricas?|metriques?",
    "target value": r"zielwerte?|valor objetivo|valeur cible",
    "target variable": r"ziel(variable|grosse|spalte)|variable (objetivo|cible)",
    "goal": r"ziele?|zielsetzung|zweck|problemstellung|objetivos?|proposito|objectifs?|finalite",
    "baseline": (
        r"(ausgangs|basis|ist)[ -]?wert|linea base|valor (inicial|actual)|valeur (initiale|actuelle|de reference)"
    ),
    "direction": r"richtung|direccion",
    "deadline": r"frist|stichtag|plazo|fecha limite|echeance|date limite",
    "how measured": r"messung|messmethode|medicion|como se mide|methode de mesure|mesure par",
    "owner": (
        r"verantwortliche?[rn]?|verantwortlichkeit(en)?|zustandig(e[rn]?)?|responsables?|propietarios?|proprietaires?"
    ),
    "contact": r"ansprechpartner(in)?|kontakt|contacto",
    "risk": r"risiko|risiken|riesgos?|risques?",
    "limitations": r"einschrankungen|grenzen|limitaciones|limites",
    "out of scope": (
        r"nicht (vorgesehen|geeignet)( fur)?|ausserhalb des (umfangs|anwendungsbereichs)|fuera de(l)? alcance|"
        r"usos no previstos|hors (du )?perimetre|usages? exclus"
    ),
    "intended use": (
        r"verwendungszweck|einsatzzweck|vorgesehene (verwendung|nutzung)|uso previsto|(usage|utilisation) prevue?"
    ),
    "users": r"nutzer(innen)?|anwender(innen)?|usuarios?|utilisateurs?",
    "action": r"massnahmen?|accion(es)?",
    "prediction unit": r"vorhersageeinheit|unidad de prediccion|unite de prediction",
    "when": r"wann|zeitpunkt|haufigkeit|cuando|frecuencia|quand|frequence",
    "monitoring": r"uberwachung|monitorizacion|supervision del modelo|monitoreo|surveillance",
    "alerts": r"warnmeldungen|alarmierung|alertas|alertes",
    "rollback": r"zuruckrollen|zurucksetzen|rucknahme|reversion del modelo|vuelta atras|retour arriere",
    "procedure": r"vorgehen|verfahren|procedimiento|procedure de secours",
    "last drill": r"letzte (ubung|probe)|ultimo simulacro|ultima prueba|dernier (exercice|essai)",
    "timeline": r"zeitplan|projektplan|cronograma|calendario|calendrier",
    "milestones": r"meilensteine?|hitos?|jalons?",
    "start date": r"startdatum|projektbeginn|fecha de inicio|date de debut",
    "duration": r"dauer|laufzeit|duracion|duree",
    "team": r"mitarbeiter(innen)?|equipo|equipe",
    "compute": r"rechenleistung|computacion|puissance de calcul",
    "budget": r"kosten|presupuesto|costes?|costos?|couts?",
    "training data": r"trainingsdaten|datos de entrenamiento|donnees d'entrainement",
    "evaluation data": r"(test|evaluations)daten|datos de (evaluacion|prueba)|donnees (d'evaluation|de test)",
    "ethical considerations": (
        r"ethische (aspekte|uberlegungen)|ethik|consideraciones eticas|considerations ethiques|ethique"
    ),
    "model details": r"modell(details|beschreibung)|detalles del modelo|details du modele",
    "caveats and recommendations": r"empfehlungen|recomendaciones|recommandations",
    "results": r"ergebnisse|resultados|resultats",
    "factors": r"einflussgrossen|faktoren|factores|facteurs",
    "threshold": r"schwell(en)?werte?|umbral(es)?|seuils?",
    "latency": r"latenz|latencia|latence",
    "availability": r"verfugbarkeit|disponibilidad|disponibilite",
    "error rate": r"fehlerrate|tasa de error(es)?|taux d'erreurs?",
    "retries": r"wiederholungsversuche|reintentos|nouvelles tentatives",
}
"""English title -> pattern of its words elsewhere, lower case, without accents (ours)."""
UNITS = {
    "hour": r"hours?|hrs?|stunden?|horas?|heures?",
    "day": r"days?|tage?n?|d[ií]as?|jours?",
    "week": r"weeks?|wks?|wochen?|semanas?|semaines?",
    "sprint": r"sprints?",
    "month": r"months?|monate?n?|mes(?:es)?|mois",
    "quarter": r"quarters?|quartale?n?|trimestres?",
    "year": r"years?|jahre?n?|a[nñ]os?|ans|ann[ée]es?",
}
"""Unit of a duration -> its words in four languages."""
MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec mär mai okt dez ene abr ago dic fév avr juin juil aoû déc"
"""Beginnings of the months' names in four languages."""
EMPTY = """
ja nein kein keine vollständig aktiviert aktiv vorhanden gut sehr wird ist und oder der die das ein eine für wir alle
sí completo completa activado activada disponible bueno muy el la los las un una con para es está hecho listo
oui non complet complète activé activée bon très le les et ou avec pour est fait prêt umgesetzt erledigt geplant fertig
"""
"""Words beyond the English ones that say nothing by themselves."""
TO_BE_WRITTEN = (
    r"noch (?:offen|zu klären|festzulegen|zu ergänzen)|wird (?:noch )?(?:ergänzt|festgelegt)|"
    r"por (?:definir|determinar|completar)|à (?:définir|compléter|déterminer|préciser)"
)
"""Placeholders beyond the English ones."""
_KNOWN = re.compile("|".join(rf"\b(?P<t{number}>{pattern})\b" for number, pattern in enumerate(TERMS.values())))
_ENGLISH = tuple(TERMS)


@functools.lru_cache(maxsize=8_192)
def in_english(title: str) -> str:
    """A lower-case title with the words known from other languages in English; any other title as it is."""
    plain = unicodedata.normalize("NFKD", title.replace("ß", "ss"))
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    if not _KNOWN.search(plain):
        return title
    return _KNOWN.sub(lambda match: _ENGLISH[next(n for n in range(len(_ENGLISH)) if match[f"t{n}"])], plain)
