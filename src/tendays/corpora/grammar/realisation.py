"""The realisation of each construction: a German sentence and its translation for a given head.

Each function takes a sampler and the lexemes of the head, draws the other words, and returns the German and the English
text without capital and final mark; or None where the words drawn make the sentence ambiguous or ungrammatical.
"""

from tendays.corpora.grammar.clauses import (
    Clause,
    Pair,
    copular_clause,
    distinguishes_subject,
    do_support,
    english_predicate,
    join,
    main_clause,
    middle_field,
    reads_as_genitive,
    subordinate_clause,
)
from tendays.corpora.grammar.inflection import (
    ACCUSATIVE,
    AUXILIARIES,
    DATIVE,
    NOMINATIVE,
    RELATIVE_PRONOUN,
    Phrase,
    contract,
    english_finite,
    finite,
    separable_prefix,
)
from tendays.corpora.grammar.lexicon import Lexeme
from tendays.corpora.grammar.selection import Sampler

# ---- main clauses ---------------------------------------------------------------------------------------------------


def statement(sampler: Sampler, verb: Lexeme) -> Pair:
    """Subject, finite verb, objects without adjectives: no sentence has two constructions."""
    tense = "before" if sampler.chance(0.3) else "present"
    return main_clause(sampler.clause(verb).without_adjectives()._replace(adverb=sampler.adverb(verb, tense)))


def separable(sampler: Sampler, verb: Lexeme) -> Pair:
    """Subject, finite verb, objects without adjectives, and the prefix last."""
    return main_clause(sampler.clause(verb).without_adjectives()._replace(adverb=sampler.adverb(verb)))


def fronted(sampler: Sampler, verb: Lexeme) -> Pair | None:
    """Adverbial, finite verb, subject. None if an object reads as a genitive attribute of the subject."""
    clause, adverb = sampler.clause(verb), sampler.adverb(verb, probability=1)
    if reads_as_genitive(clause):
        return None
    subject = clause.subject.german(NOMINATIVE)
    german = join(adverb.german, finite(verb, clause.subject), subject, middle_field(clause))
    return german, join(adverb.english, main_clause(clause)[1])


def animate(noun: Lexeme) -> bool:
    """Whether the noun can be the subject of a modal verb."""
    return noun.matches(("person", "animal", "baby"))


def modal(sampler: Sampler, verb: Lexeme) -> Pair | None:
    """A modal verb with an infinitive. None if the subject is inanimate."""
    clause, modal = sampler.clause(verb), sampler.choice(sampler.selection.kinds["modal"])
    subject = clause.subject
    if not animate(subject.noun):
        return None
    clause = clause._replace(adverb=sampler.adverb(verb, probability=0.2))
    infinitive = verb.german.replace("|", "")
    german = join(subject.german(NOMINATIVE), finite(modal, subject), middle_field(clause), infinitive)
    return german, f"{subject.english()} {english_finite(modal, subject)} {english_predicate(clause, verb.english)}"


def perfect(sampler: Sampler, verb: Lexeme) -> Pair:
    """The auxiliary second and the participle last; the English simple past."""
    clause = sampler.clause(verb)._replace(adverb=sampler.adverb(verb, "past", 0.5))
    auxiliary, participle = verb.forms[1].split(" ")
    subject = clause.subject.german(NOMINATIVE)
    german = join(subject, AUXILIARIES[auxiliary][clause.subject.agreement], middle_field(clause), participle)
    return german, f"{clause.subject.english()} {english_predicate(clause, verb.english_forms[1])}"


def negation(sampler: Sampler, verb: Lexeme) -> Pair:
    """*nicht* at the end of the middle field, or *kein* as the determiner of the accusative object."""
    clause = sampler.clause(verb, definite=True)
    negation = "nicht"
    if clause.objects and clause.objects[-1][1] == ACCUSATIVE and sampler.chance(0.5):
        negated = clause.objects[-1][0]._replace(determiner=sampler.selection.determiners["kein"])
        clause = clause._replace(objects=(*clause.objects[:-1], (negated, ACCUSATIVE)))
        negation = ""
    clause = clause._replace(adverb=sampler.adverb(verb, "negated", 0.2))
    subject = clause.subject
    middle = middle_field(clause, negation)
    german = join(subject.german(NOMINATIVE), finite(verb, subject), middle, separable_prefix(verb))
    return german, f"{subject.english()} {do_support(subject)} not {english_predicate(clause, verb.english)}"


def dative(sampler: Sampler, verb: Lexeme) -> Pair:
    """A dative object, alone or as the recipient before an accusative."""
    return main_clause(sampler.clause(verb)._replace(adverb=sampler.adverb(verb, probability=0.2)))


def object_fronting(sampler: Sampler, verb: Lexeme) -> Pair | None:
    """Object, finite verb, subject. None if no case form distinguishes object and subject."""
    clause = sampler.clause(verb)
    (fronted, case), subject = clause.objects[0], clause.subject
    if not distinguishes_subject(subject, fronted, case):
        return None
    german = join(fronted.german(case), finite(verb, subject), subject.german(NOMINATIVE), separable_prefix(verb))
    return german, main_clause(clause)[1]


def question(sampler: Sampler, verb: Lexeme) -> Pair | None:
    """Finite verb, subject, objects. None if the speaker is the subject, or an object reads as its genitive."""
    clause = sampler.clause(verb)._replace(adverb=sampler.adverb(verb, probability=0.2))
    subject = clause.subject
    if subject.noun.german in ("ich", "wir") or reads_as_genitive(clause):
        return None
    german = join(finite(verb, subject), subject.german(NOMINATIVE), middle_field(clause), separable_prefix(verb))
    return f"{german}?", f"{do_support(subject)} {subject.english()} {english_predicate(clause, verb.english)}?"


def passive(sampler: Sampler, verb: Lexeme) -> Pair:
    """The patient as subject, the agent with *von*, the participle last."""
    clause = sampler.clause(verb, sampler.subject(verb, kinds=("noun", "name")), definite=True)
    patient, agent = clause.objects[0][0], clause.subject
    adverb = sampler.adverb(verb, probability=0.2)
    by = contract(f"von {agent.german(DATIVE)}")
    participle = verb.forms[1].split(" ")[1]
    auxiliary = "werden" if patient.plural else "wird"
    german = join(patient.german(NOMINATIVE), auxiliary, adverb.german if adverb else "", by, participle)
    verb_form = f"{AUXILIARIES['is'][patient.agreement]} {verb.english_forms[2]} by {agent.english()}"
    return german, join(patient.english(), verb_form, adverb.english if adverb else "")


# ---- complex sentences ----------------------------------------------------------------------------------------------


def subordinate(sampler: Sampler, verb: Lexeme) -> Pair | None:
    """A matrix clause with a subordinate one after it or before it. None if a pronoun lacks its antecedent."""
    conjunction = sampler.choice(sampler.selection.kinds["conjunction"])
    matrix_subject, german, english = _matrix_clause(sampler, conjunction)
    preposed = conjunction.classes[0] != "saying" and sampler.chance(0.3)
    subject = sampler.subject(verb)
    clause = sampler.clause(verb, subject)
    if not _has_antecedent(subject, matrix_subject, preposed) or reads_as_genitive(clause):
        return None
    subordinate = subordinate_clause(clause)
    if preposed:
        verb_form, _, rest = german.partition(" ")
        front = f"{conjunction.german} {subordinate[0]},"
        return (
            join(front, verb_form, matrix_subject.german(NOMINATIVE), rest),
            f"{conjunction.english} {subordinate[1]}, {matrix_subject.english()} {english}",
        )
    return (
        f"{matrix_subject.german(NOMINATIVE)} {german}, {conjunction.german} {subordinate[0]}",
        f"{matrix_subject.english()} {english} {conjunction.english} {subordinate[1]}",
    )


def _matrix_clause(sampler: Sampler, conjunction: Lexeme) -> tuple[Phrase, str, str]:
    """A matrix clause that the conjunction can follow: its subject, and its German and English predicate."""
    selection, kind = sampler.selection, conjunction.classes[0]
    if kind == "mood":
        subject = sampler.subject(selection.lemmas["wissen"])
        mood = sampler.choice([x for x in selection.kinds["adjective"] if "mood" in x.classes])
        german, english = AUXILIARIES["ist"][subject.agreement], AUXILIARIES["is"][subject.agreement]
        return subject, f"{german} {mood.german}", f"{english} {mood.english}"
    if kind == "saying":
        verb = selection.lemmas[sampler.choice(conjunction.object)]
    else:
        verb = sampler.choice([x for x in selection.frame("intransitive") if "activity" in x.classes])
    subject = sampler.subject(verb)
    return subject, finite(verb, subject), english_finite(verb, subject)


def _has_antecedent(subordinate: Phrase, matrix: Phrase, preposed: bool) -> bool:
    """Whether the two subjects fit: *er* and *sie* need a person of their gender before them as antecedent."""
    if subordinate.noun is matrix.noun:
        return False
    if subordinate.noun.german not in ("er", "sie"):
        return True
    return not preposed and matrix.gender == subordinate.noun.gender and "person" in matrix.noun.classes


def relative(sampler: Sampler, verb: Lexeme) -> Pair | None:
    """An antecedent with a relative clause, in which it is the subject or the object, and a predicative adjective."""
    clause = sampler.clause(verb, definite=True)
    (object_, case), subject = clause.objects[0], clause.subject
    about_object = sampler.chance(0.5)
    antecedent, case = (object_, case) if about_object else (subject, NOMINATIVE)
    adjectives = sampler.selection.adjectives.get(antecedent.noun)
    # No stranded preposition (the man whom the car belongs to); no restrictive clause on a unique referent.
    unfit = not adjectives or "single" in antecedent.noun.classes or (case == DATIVE and " " in verb.english)
    if unfit or not distinguishes_subject(subject, *clause.objects[0]):
        return None
    antecedent = antecedent._replace(determiner=sampler.selection.determiners["der"], adjective=None)
    german, english = _relative_clause(clause, antecedent, case, about_object)
    adjective = sampler.choice(adjectives)
    matrix = copular_clause(antecedent, adjective.german, adjective.english)
    head, english_head = antecedent.german(NOMINATIVE), antecedent.english()
    return (
        f"{head}, {german},{matrix[0].removeprefix(head)}",
        f"{english_head} {english}{matrix[1].removeprefix(english_head)}",
    )


def _relative_clause(clause: Clause, antecedent: Phrase, case: int, about_object: bool) -> Pair:
    """The relative clause whose pronoun, in the given case, takes the place of the object or the subject."""
    subject, verb = clause.subject, clause.verb
    person = "person" in antecedent.noun.classes
    rest = subject.german(NOMINATIVE) if about_object else middle_field(clause)
    verb_form = separable_prefix(verb) + finite(verb, subject)
    german = f"{RELATIVE_PRONOUN[antecedent.gender][case]} {join(rest, verb_form)}"
    if about_object:
        return german, f"{'whom' if person else 'that'} {subject.english()} {english_finite(verb, subject)}"
    return german, f"{'who' if person else 'that'} {english_predicate(clause, english_finite(verb, subject))}"


# ---- noun phrases, predicatives, places -----------------------------------------------------------------------------


def compound(sampler: Sampler, modifier: Lexeme, noun: Lexeme) -> Pair:
    """A compound noun as object, or with a predicative adjective."""
    verbs, adjectives = sampler.selection.governors[noun], sampler.selection.adjectives[noun]
    phrase = sampler.phrase(noun)._replace(noun=sampler.selection.compounds[modifier, noun])
    if not verbs or (adjectives and sampler.chance(0.2)):
        determiner, plural = sampler.choice(sampler.selection.determined[noun, True])
        adjective = sampler.choice(adjectives)
        return copular_clause(Phrase(phrase.noun, determiner, plural), adjective.german, adjective.english)
    verb = sampler.choice(verbs)
    return main_clause(Clause(sampler.subject(verb), verb, ((phrase, ACCUSATIVE),)))


def adjective(sampler: Sampler, adjective: Lexeme, noun: Lexeme) -> Pair | None:
    """An accusative object with an attributive adjective. None if the subject is the same noun."""
    verb = sampler.choice(sampler.selection.governors[noun])
    subject, object_ = sampler.subject(verb), sampler.phrase(noun)._replace(adjective=adjective)
    return None if subject.noun is noun else main_clause(Clause(subject, verb, ((object_, ACCUSATIVE),)))


def comparison(sampler: Sampler, adjective: Lexeme, noun: Lexeme) -> Pair:
    """Two nouns compared by an adjective, in the comparative or the positive degree."""
    comparable = sampler.selection.comparable[adjective]
    other = sampler.choice([x for x in comparable if x is not noun and x.classes[0] == noun.classes[0]])
    first, second = (sampler.phrase(x, True, 0) for x in (noun, other))
    if sampler.chance(0.3):
        german, english = f"so {adjective.german} wie", f"as {adjective.english} as"
    else:
        german, english = f"{adjective.forms[1]} als", f"{adjective.english_forms[0]} than"
    return copular_clause(first, f"{german} {second.german(NOMINATIVE)}", f"{english} {second.english()}")


def locates(preposition: Lexeme, noun: Lexeme) -> bool:
    """Whether the preposition selects the noun as what is located."""
    return not preposition.subject or noun.matches(preposition.subject)


def preposition(sampler: Sampler, verb: Lexeme, preposition: Lexeme) -> Pair | None:
    """A two-way preposition: dative for a location, accusative for a direction."""
    selection, subject = sampler.selection, sampler.subject(verb)
    placed = sampler.phrase(sampler.choice(selection.objects[verb])) if "placement" in verb.classes else None
    if not locates(preposition, (placed or subject).noun):
        return None
    places = [noun for noun in selection.places[verb] if noun.matches(preposition.object)]
    place = sampler.phrase(sampler.choice(places), True, 0.1)
    static = "location" in verb.classes
    german_place = contract(f"{preposition.german} {place.german(DATIVE if static else ACCUSATIVE)}")
    english_place = f"{preposition.english if static else preposition.english_forms[0]} {place.english()}"
    german = join(finite(verb, subject), placed.german(ACCUSATIVE) if placed else "", german_place)
    english = join(english_finite(verb, subject), placed.english() if placed else "", english_place)
    return f"{subject.german(NOMINATIVE)} {german}", f"{subject.english()} {english}"


def genitive(sampler: Sampler, noun: Lexeme) -> Pair | None:
    """A possessed noun as subject or object. None if its number as object is ambiguous."""
    possessed = _possessed(sampler, noun)
    possessor, adjectives = possessed.possessor, sampler.selection.adjectives[noun]
    if noun.object or sampler.chance(0.5):
        adjective = sampler.choice(adjectives)
        return copular_clause(possessed, adjective.german, adjective.english)
    if sampler.chance(0.3):
        possessed = possessed._replace(adjective=sampler.choice(adjectives))
    verb = sampler.choice(sampler.selection.governors[noun])
    subject = sampler.subject(verb)
    # The object "Annas Löffel" is singular or plural.
    ambiguous = possessor.noun.kind == "name" and noun.forms[1] == noun.german
    if ambiguous or subject.noun is possessor.noun:
        return None
    return main_clause(Clause(subject, verb, ((possessed, ACCUSATIVE),)))


def _possessed(sampler: Sampler, noun: Lexeme) -> Phrase:
    """The noun with a possessor: the whole that it is a part of, or else a person."""
    selection = sampler.selection
    if noun.object:
        whole = sampler.choice([x for x in selection.kinds["noun"] if x.matches(noun.object)])
        determiner = sampler.choice([selection.determiners[x] for x in ("der", "dies")])
        possessor, plural = Phrase(whole, determiner), False
    else:
        possessor = sampler.subject(selection.lemmas["wissen"], kinds=("noun", "name"))
        plural = sampler.chance(0.2)
    return Phrase(noun, selection.determiners["der"], plural, possessor=possessor)
