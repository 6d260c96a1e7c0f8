"""What a campaign's figures take as given, by id: the case says what hangs on each."""

from __future__ import annotations

from casemate.case.results import Assumption

KEY = "key.secret"
BOUNDS = "surroundings.bounds"
RATES = "surroundings.rates"
TWIN = "twin.physics"
CAVITY = "twin.cavity"
PLACES = "twin.places"
COPPER = "copper.as-drawn"
READERS = "readers.linear"
CATALOGUE = "moves.catalogue"
SUPPLY = "supply.losses"
CARDS = "cards.judged"
NORMAL = "noise.normal"
PASSIVE = "passive.null"

ASSUMPTIONS = (
    Assumption(
        id=KEY,
        text="nobody knows a chip of the challenge before it is on the air, and no load inside "
        "follows it",
        source="decision 11; keys are drawn by the operating system and kept in the key holder",
        checked="prove --weaken leaked-challenge turns the verdict",
        covers="latency, silent chips, linearity, reciprocity, and modalities with other keys",
    ),
    Assumption(
        id=BOUNDS,
        text="surroundings and ageing move no feature beyond its bound, 8.5 standard deviations of "
        "the cards' figures",
        source="cards of the modalities; planning values",
        checked="not yet: months on a first article; recordings of other sensors in decision 12",
        covers="a false alarm seals keys, and an inspection releases them",
    ),
    Assumption(
        id=RATES,
        text="surroundings move features no faster than the tracked states may follow",
        source="thermal network of the site at full step of load and sun; planning values",
        checked="quiet and discrediting scenes on the twin; not yet on hardware",
        covers="the anchored test does not use it",
    ),
    Assumption(
        id=TWIN,
        text="the twin's channels change as the real ones do",
        source="docs/validation.md: closed forms, other programs, recordings of lines and radios",
        checked="kernels one by one; no enclosure was attacked",
        covers="nothing: hardware trials close it",
    ),
    Assumption(
        id=CAVITY,
        text="the volume answers radio as random plane waves of one decay time",
        source="reference physics 5.5; no recording of a tamper enclosure exists",
        checked="statistics against the power balance only",
        covers="the mesh guards the skin by itself",
    ),
    Assumption(
        id=PLACES,
        text="places drawn by area, and those that a search found, stand for those an adversary "
        "chooses",
        source="campaign and its searches, budgets in case.json",
        checked="searches over all boards for moves that were never missed",
        covers="hole bounds proved for every place of a board",
    ),
    Assumption(
        id=COPPER,
        text="boards are made as drawn",
        source="fab profile; optical inspection is up to the manufacturer",
        checked="commissioning measures every net",
        covers="the anchor is of the made unit",
    ),
    Assumption(
        id=READERS,
        text="readers are linear up to the range that they declare, and flag what lies beyond",
        source="docs/decisions/readers.md; emulators only",
        checked="not yet on hardware",
        covers="the linearity check, health findings",
    ),
    Assumption(
        id=CATALOGUE,
        text="the moves of the catalogue stand for what can be done",
        source="docs/moves.md",
        checked="review; new moves are data",
        covers="nothing: a red team with hardware closes it",
    ),
    Assumption(
        id=SUPPLY,
        text="readers lose no more than ten seconds of data an hour by themselves",
        source="planning value",
        checked="not yet on hardware",
        covers="losing more seals keys until a self-test, and destroys nothing",
    ),
    Assumption(
        id=CARDS,
        text="figures of modules are as their cards say",
        source="cards, most of them judgement or data sheets",
        checked="doubts of the design name each",
        covers="the report lists them first",
    ),
    Assumption(
        id=NORMAL,
        text="noise of quiet chips is normal and independent from chip to chip",
        source="converter model of the twin",
        checked="sensitivity and delay rest on it, the bound on false alarms does not",
        covers="the bound holds for any noise",
    ),
    Assumption(
        id=PASSIVE,
        text="what sensors without a challenge read in quiet is white noise and walks, of the "
        "spreads and memories that their card and site say, and means are off by no more than the "
        "anchor's slack",
        source="decision 20; card of the environment's sensors, planning values",
        checked="on the twin; recordings of other hardware alarm by decades more than it says, "
        "shuffled ones do not: bursts and faults are not in it",
        covers="such sensors alert, and corroborate keyed evidence; alone they seal nothing",
    ),
)
