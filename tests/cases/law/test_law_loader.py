import shutil
from datetime import date
from pathlib import Path
from typing import get_args

import pytest

import cases.law
from cases.law import loader
from cases.law.loader import LawDataError, UnknownLaw, load

FOLDER = Path(cases.law.__file__).parent
TODAY = date(2026, 11, 21)
# The 27 of the Union and the three of the Economic Area.
STATES = "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE IS LI NO"
GERMAN = "DE_SECRECY DE_RETENTION DE_SECURITY DE_RESEARCH DE_ARCHIVE"
TREATMENTS = ", ".join(get_args(loader.Treatment))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The lists in a folder where they can be spoilt."""
    for path in FOLDER.glob("*.toml"):
        shutil.copy(path, tmp_path)
    return tmp_path


def spoil(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")


# Exemptions and grounds


def test_exemptions_for_the_uk_are_the_picklist() -> None:
    codes = " ".join(entry.code for entry in loader.exemptions_for("UK-SCT"))

    assert codes == (
        "CRIME RISK IMM LEGAL PROTECT AUDIT BOE REG1 REG2 PARL JUD HON TP LPP SELF CORP MGMT NEG REF EXAM MEDIA RES "
        "ARCH HEALTH SOC EDU ABUSE OTHER NATSEC CRA"
    )


@pytest.mark.parametrize(
    ("regime", "codes"),
    [
        ("EU-FR", "RIGHTS_OF_OTHERS TRADE_SECRETS ABUSIVE NATIONAL"),
        ("EU-ES", "RIGHTS_OF_OTHERS TRADE_SECRETS ABUSIVE NATIONAL ES_REPEATED"),
        (
            "EU-DE",
            f"RIGHTS_OF_OTHERS TRADE_SECRETS ABUSIVE NATIONAL {GERMAN}",
        ),
        ("US-CA", ""),
        ("UKRAINE", ""),
    ],
)
def test_exemptions_for_a_regime_are_its_own(regime: str, codes: str) -> None:
    assert " ".join(entry.code for entry in loader.exemptions_for(regime)) == codes


def test_exemption_knows_its_provision_and_source() -> None:
    entry = loader.exemption("LPP", "UK-ENG")

    assert (entry.provision, entry.confirmed, entry.silent) == ("DPA 2018 Sch 2 para 19", True, False)
    assert entry.source == "ICO, Other exemptions; legislation.gov.uk, Data Protection Act 2018, Schedule 2"


@pytest.mark.parametrize(
    ("code", "silence"),
    [
        ("CRIME", "may"),
        ("NATSEC", "must"),
        ("ABUSE", "may"),
        ("HEALTH", "may"),
        ("LPP", "never"),
        ("TP", "never"),
    ],
)
def test_exemption_says_whether_it_may_be_named(code: str, silence: str) -> None:
    entry = loader.exemption(code, "UK-ENG")

    assert (entry.silence, entry.silent) == (silence, silence != "never")


@pytest.mark.parametrize(("code", "regime"), [("LPP", "EU-DE"), ("NONE", "UK-ENG"), ("ES_REPEATED", "EU-FR")])
def test_exemption_refuses_a_code_of_another_regime(code: str, regime: str) -> None:
    with pytest.raises(UnknownLaw, match=f"^The regime {regime} has no entry {code}.$"):
        loader.exemption(code, regime)


@pytest.mark.parametrize(
    ("kind", "regime", "codes"),
    [
        (
            "erasure_ground",
            "UK-ENG",
            "NOT_NEEDED CONSENT_WITHDRAWN OBJECTED UNLAWFUL LEGAL_DUTY CHILD_ISS MALICIOUS_ALLEGATION",
        ),
        ("erasure_ground", "EU-DE", "NOT_NEEDED CONSENT_WITHDRAWN OBJECTED UNLAWFUL LEGAL_DUTY CHILD_ISS"),
        (
            "erasure_exception",
            "UK-ENG",
            "EXPRESSION LEGAL_OBLIGATION_OR_PUBLIC_TASK PUBLIC_HEALTH ARCHIVE_RESEARCH LEGAL_CLAIMS NOT_OURS",
        ),
        ("refusal", "UK-ENG", "UNFOUNDED EXCESSIVE NOT_IDENTIFIABLE NO_GROUND"),
        ("objection_ground", "EU-IE", "MARKETING LEGITIMATE_INTERESTS PUBLIC_TASK RESEARCH"),
        ("objection_exception", "EU-IE", "COMPELLING CLAIMS"),
        ("restriction_trigger", "EU-IE", "ACCURACY UNLAWFUL_KEEP NEEDED_FOR_CLAIMS OBJECTION_PENDING"),
        ("rectification_outcome", "EU-IE", "CORRECTED COMPLETED RECORD_OF_MISTAKE OPINION REFUSED"),
        ("automated_exception", "EU-IE", "CONTRACT AUTHORISED CONSENT"),
        ("automated_exception", "UK-NIR", ""),
        ("automated_safeguard", "UK-NIR", "INFORMED HUMAN_INTERVENTION"),
        ("automated_limit", "UK-NIR", "SPECIAL_CATEGORIES"),
        ("automated_limit", "EU-IE", "SPECIAL_CATEGORIES"),
        ("portability_limit", "UK-NIR", "DERIVED OTHER_BASIS NOT_AUTOMATED"),
    ],
)
def test_grounds_for_a_regime_are_one_list(kind: loader.GroundKind, regime: str, codes: str) -> None:
    assert " ".join(entry.code for entry in loader.grounds_for(kind, regime)) == codes


def test_what_is_left_out_is_an_exemption_or_a_limit_of_portability() -> None:
    assert loader.left_out("LPP", "UK-ENG").provision == "DPA 2018 Sch 2 para 19"
    assert loader.left_out("DERIVED", "EU-DE").provision == "Art 20(1)"
    with pytest.raises(UnknownLaw):
        loader.left_out("COMPELLING", "EU-DE")


def test_ground_is_found_within_its_kind_alone() -> None:
    assert loader.ground("refusal", "EXCESSIVE", "UK-ENG").provision == "Art 12(5)(b)"
    with pytest.raises(UnknownLaw):
        loader.ground("refusal", "MARKETING", "UK-ENG")


# Authorities and remedies


@pytest.mark.parametrize(
    ("on", "name"),
    [
        (date(2018, 5, 25), "Information Commissioner"),
        (date(2026, 9, 29), "Information Commissioner"),
        (date(2026, 9, 30), "Information Commission"),
        (TODAY, "Information Commission"),
    ],
)
def test_authority_for_the_uk_is_dated(on: date, name: str) -> None:
    authority = loader.authority_for("UK-WLS", on)

    assert (authority.name, authority.short_name, authority.website) == (name, "ICO", "https://ico.org.uk")


@pytest.mark.parametrize("state", STATES.split())
def test_authority_for_each_state_is_listed(state: str) -> None:
    authority = loader.authority_for(f"EU-{state}", TODAY)

    assert (authority.regime, authority.confirmed) == (f"EU-{state}", False)
    assert authority.website.startswith("https://")


@pytest.mark.parametrize(("regime", "on"), [("EU", TODAY), ("US-CA", TODAY), ("UK-ENG", date(2018, 5, 24))])
def test_authority_for_an_unknown_place_or_day_is_refused(regime: str, on: date) -> None:
    with pytest.raises(UnknownLaw, match=f"^No authority is listed for {regime} on {on.isoformat()}.$"):
        loader.authority_for(regime, on)


def test_remedies_of_the_uk_are_three_sentences() -> None:
    assert loader.remedies("UK-ENG", TODAY) == (
        "You may complain to us. We acknowledge a complaint within 30 days and tell you what came of it.",
        "You may complain to the Information Commission (ICO, https://ico.org.uk).",
        "You may ask a court to order that your rights are respected.",
    )


@pytest.mark.parametrize(
    ("on", "codes"),
    [
        (date(2026, 6, 18), ["AUTHORITY", "COURT"]),
        (date(2026, 6, 19), ["CONTROLLER", "AUTHORITY", "COURT"]),
    ],
)
def test_remedies_of_the_uk_know_the_complaint_since_its_day(on: date, codes: list[str]) -> None:
    assert [remedy.code for remedy in loader.remedies_for("UK-ENG", on)] == codes


def test_remedies_of_a_member_state_name_its_authority() -> None:
    authority, court = loader.remedies("EU-IE", TODAY)

    assert authority.rpartition("broken. ")[2] == (
        "The one for us: Data Protection Commission (https://www.dataprotection.ie)."
    )
    assert court == "You may go to court, where we are established or where you live."


def test_remedies_of_germany_point_to_the_laender() -> None:
    provisions = [remedy.provision for remedy in loader.remedies_for("EU-DE", TODAY)]

    assert provisions == ["GDPR Art 77, BDSG s.40", "GDPR Art 79"]


def test_remedies_are_refused_where_none_are_known() -> None:
    with pytest.raises(UnknownLaw):
        loader.remedies("US-CA", TODAY)


# The card


def test_phrases_cover_every_right() -> None:
    rights = {right for phrase in loader.phrases() for right in phrase.rights}

    assert rights == set(get_args(loader.Right))


@pytest.mark.parametrize(
    ("says", "rights"),
    [
        ("Under FOI, give me my file", ("access",)),
        ("Wipe me, never contact me again", ("erasure", "objection")),
        ("A computer refused my loan, why?", ("automated_decision", "access")),
    ],
)
def test_phrases_lead_to_rights(says: str, rights: tuple[str, ...]) -> None:
    assert {phrase.says: phrase.rights for phrase in loader.phrases()}[says] == rights


def test_negatives_lead_elsewhere() -> None:
    treated = {negative.says: negative.treat_as for negative in loader.negatives()}

    assert treated["You posted my letter next door"] == ("complaint", "breach")
    assert (len(loader.phrases()), len(treated)) == (20, 10)


# Strictness


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (
            "exemptions.toml",
            'name = "Crime and tax"\n',
            "",
            "exemptions.toml, exemptions 1 (CRIME): “name” is missing.",
        ),
        (
            "exemptions.toml",
            "confirmed = true",
            'confirmed = "yes"',
            "exemptions.toml, exemptions 1 (CRIME), confirmed: this has the wrong type.",
        ),
        (
            "exemptions.toml",
            'silence = "may"',
            'silence = "perhaps"',
            "exemptions.toml, exemptions 1 (CRIME), silence: “perhaps” is none of never, may, must.",
        ),
        (
            "exemptions.toml",
            'regimes = ["UK"]',
            'regimes = "UK"',
            "exemptions.toml, exemptions 1 (CRIME), regimes: a list with at least one text is needed.",
        ),
        (
            "exemptions.toml",
            'regimes = ["UK"]',
            "regimes = []",
            "exemptions.toml, exemptions 1 (CRIME), regimes: a list with at least one text is needed.",
        ),
        (
            "exemptions.toml",
            'name = "Crime and tax"',
            'name = ""',
            "exemptions.toml, exemptions 1 (CRIME), name: this is empty.",
        ),
        (
            "exemptions.toml",
            'source = "S16"',
            'source = "S99"',
            "exemptions.toml, exemptions 1 (CRIME), source: “S99” is not among the file's sources.",
        ),
        (
            "exemptions.toml",
            'name = "Crime and tax"',
            'title = "x"\nname = "Crime and tax"',
            "exemptions.toml, exemptions 1 (CRIME): “title” is not known here.",
        ),
        (
            "exemptions.toml",
            'code = "RISK"',
            'code = "CRIME"',
            "exemptions.toml: CRIME is there twice for UK.",
        ),
        (
            "exemptions.toml",
            'code = "ES_REPEATED"',
            'code = "NATIONAL"',
            "exemptions.toml: NATIONAL is there twice for EU-ES.",
        ),
        (
            "grounds.toml",
            'code = "EXCESSIVE"',
            'code = "UNFOUNDED"',
            "grounds.toml: UNFOUNDED is there twice for UK.",
        ),
        ("grounds.toml", "[sources]", "[references]", "grounds.toml: “sources” is missing."),
        ("grounds.toml", "[sources]", "[more]\n[sources]", "grounds.toml: “more” is not known here."),
        (
            "authorities.toml",
            "valid_to = 2026-09-29",
            "valid_to = 2026-09-30",
            "authorities.toml, authorities: two entries of UK hold on the same day.",
        ),
        (
            "authorities.toml",
            "valid_to = 2026-09-29",
            "valid_to = 2017-01-01",
            "authorities.toml, authorities: UK ends before it begins.",
        ),
        (
            "authorities.toml",
            "valid_from = 2018-05-25",
            "valid_from = 2018-05-25T00:00:00Z",
            "authorities.toml, authorities 1 (Information Commissioner), valid_from: this has the wrong type.",
        ),
        (
            "authorities.toml",
            "complain to the {authority}",
            "complain to the {office}",
            "authorities.toml, remedies: UK AUTHORITY has an unknown gap.",
        ),
        (
            "recognise.toml",
            'treat_as = ["contract"]',
            'treat_as = ["contracts"]',
            f"recognise.toml, negatives 3 (Cancel my subscription), treat_as: “contracts” is none of {TREATMENTS}.",
        ),
    ],
)
def test_load_names_the_place_of_an_error(copy: Path, file: str, old: str, new: str, message: str) -> None:
    spoil(copy, file, old, new)

    with pytest.raises(LawDataError) as caught:
        load(copy)

    assert str(caught.value) == message


def test_load_names_a_file_that_is_no_toml(copy: Path) -> None:
    (copy / "grounds.toml").write_text("= 3")

    with pytest.raises(LawDataError, match=r"^grounds\.toml: "):
        load(copy)


def test_load_names_a_missing_file(copy: Path) -> None:
    (copy / "recognise.toml").unlink()

    with pytest.raises(LawDataError, match=r"^recognise\.toml: "):
        load(copy)


def test_load_reads_the_same_from_a_folder(copy: Path) -> None:
    assert load(copy) == loader.book()


def test_letters_are_sentences() -> None:
    letters = [entry.letter for entry in loader.book().exemptions]
    letters += [entry.letter for entry in loader.book().grounds]

    assert [letter for letter in letters if not (letter[0].isupper() and letter.endswith("."))] == []


# Representatives


def shown(kind: str, regime: str) -> str:
    return " ".join(entry.code for entry in loader.mandates_for(kind, regime))


@pytest.mark.parametrize(
    ("kind", "regime", "codes"),
    [
        ("solicitor", "UK-ENG", "signed_authority"),
        ("agent", "EU-DE", "signed_authority statutory_mandate"),
        ("elected", "UK-WLS", "elected_representative"),
        ("elected", "EU-FR", "signed_for_elected"),
        ("parent", "UK-ENG", "parent_child_agrees parent_child_cannot_judge"),
        ("attorney", "UK-ENG", "lpa_property lpa_health epa deputy"),
        ("attorney", "UK-SCT", "continuing_attorney welfare_attorney guardian"),
        ("attorney", "UK-NIR", "epa_ni controller_ni"),
        ("attorney", "EU-DE", "power_of_attorney court_appointed"),
        ("executor", "UK-ENG", ""),
        ("executor", "EU-DE", ""),
        ("executor", "EU-FR", "heir_fr"),
        ("executor", "EU-ES", "heir_es"),
        ("executor", "EU-IT", "heir_it"),
        ("solicitor", "UKRAINE", ""),
    ],
)
def test_what_a_representative_may_show_is_the_law_s_own(kind: str, regime: str, codes: str) -> None:
    assert shown(kind, regime) == codes


@pytest.mark.parametrize(
    ("kind", "regime", "code"),
    [
        ("executor", "UK-SCT", "dead"),
        ("executor", "EU-DE", "dead"),
        ("executor", "EU-FR", None),
        ("solicitor", "UK-ENG", None),
    ],
)
def test_the_dead_are_outside_but_where_a_state_gives_heirs_rights(
    kind: str, regime: str, code: str | None
) -> None:
    found = loader.outside(kind, regime)

    assert (found.code if found else None) == code


def test_mandate_of_another_kind_or_law_is_unknown() -> None:
    for code, kind, regime in (
        ("lpa_property", "solicitor", "UK-ENG"),
        ("lpa_property", "attorney", "UK-SCT"),
    ):
        with pytest.raises(UnknownLaw):
            loader.mandate(code, kind, regime)


def test_child_is_presumed_to_understand_in_scotland_alone() -> None:
    found = loader.childhood("UK-SCT")

    assert found is not None
    assert (found.age, found.provision) == (12, "DPA 2018 s.208")
    assert [loader.childhood(regime) for regime in ("UK-ENG", "EU-DE")] == [None, None]


def test_answer_goes_nowhere_that_is_not_known() -> None:
    for entry in loader.book().mandates:
        assert set(entry.answer_to) <= set(get_args(loader.AnswerTo))
        assert len(set(entry.answer_to)) == len(entry.answer_to)


def test_mandate_that_is_there_twice_for_a_law_is_refused(copy: Path) -> None:
    spoil(copy, "representation.toml", 'code = "statutory_mandate"', 'code = "signed_authority"')

    with pytest.raises(LawDataError, match="signed_authority is there twice"):
        load(copy)
