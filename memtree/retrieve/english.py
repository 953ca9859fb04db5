"""What ranking knows about English: irregular forms, words of time and number, months.

Everything here is general knowledge of the language, none of it comes from a corpus. The words
are written as stems of the Porter2 ("english") stemmer, lower-case and without accents, because
that is what the index holds. Loaded only when the tree's language is English; HOT: imports
nothing.
"""

from __future__ import annotations

# Each line holds forms of one word, or words so close that a note uses either, as stems.
_SAME = """
go goe went gone|buy bought|child children kid|make made|take took taken|get got gotten
give gave given|see saw seen|come came|know knew known|think thought|find found|tell told
say said|feel felt|leav left|keep kept|begin began begun|write wrote written|meet met
bring brought|teach taught teacher|catch caught|sell sold|lose lost loss|win won winner
speak spoke spoken speech|break broke broken|choos chose chosen choic|drive drove driven
eat ate eaten|fall fell fallen|fli flew flown flight|forget forgot forgotten|grow grew grown
hear heard|hold held|lead led|lend lent|light lit|pay paid|ride rode ridden|rise rose risen
send sent|shoot shot|show shown|sing sang sung song|sit sat|sleep slept|spend spent
stand stood|steal stole stolen|swim swam swum|throw threw thrown|understand understood
wake woke woken|wear wore worn|build built|draw drew drawn|drink drank drunk|fight fought
hide hid hidden|bite bit bitten|blow blew blown|becom becam|bend bent|bind bound|deal dealt
dig dug|dream dreamt|feed fed|flee fled|forgiv forgav forgiven|freez froze frozen|hang hung
lay laid|mean meant|shake shook shaken|shine shone|sink sank sunk|slide slid|spring sprang
stick stuck|strike struck|swear swore sworn|sweep swept|tear tore torn|run ran|do did done
man men|woman women|foot feet|tooth teeth|mous mice|person peopl|goos gees|life live|wife wive
knife knive|leaf leav|half halv|wolf wolv|good better best|bad wors worst|far further
marri marriag wed|die death dead|born birth birthday|weigh weight|high height|long length
strong strength|believ belief|analyz analysi|mother mom mum|father dad|grandmoth grandma
grandfath grandpa|televis tv|photo photograph pictur|bike bicycl|twice second|one onc first
three third|exam examin|destroy destruct|explain explan|decid decis|receiv recept
describ descript|produc product|introduc introduct|appli applic|two twice|advic advis
britain british|spain spanish|franc french|china chines|sweden swedish|germani german
japan japanes|england english|poland polish|ireland irish|scotland scottish|turkey turkish
greec greek|switzerland swiss|denmark danish|finland finnish|wale welsh
"""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Words that carry no content by themselves, as they are written (not stems).
STOP_WORDS = _set(
    "a about above after again against all also am an and any are aren as at be because been"
    " before being below between both but by can cannot could couldn d did didn do does doesn"
    " doing don down during each else few for from get gets getting had hadn has hasn have"
    " haven having he her here hers herself him himself his how i if in into is isn it its"
    " itself just ll m me might more most must my myself no nor not now of off on once only or"
    " other our ours ourselves out over own re s same shall she should shouldn so some such t"
    " than that the their theirs them themselves then there these they this those through to"
    " too under until up upon us ve very was wasn we were weren what when where which while"
    " who whom whose why will with would wouldn you your yours yourself yourselves"
)

MONTHS = {
    "januari": 1,
    "jan": 1,
    "februari": 2,
    "feb": 2,
    "march": 3,
    "mar": 3,
    "april": 4,
    "apr": 4,
    "may": 5,
    "june": 6,
    "jun": 6,
    "juli": 7,
    "jul": 7,
    "august": 8,
    "aug": 8,
    "septemb": 9,
    "sep": 9,
    "sept": 9,
    "octob": 10,
    "oct": 10,
    "novemb": 11,
    "nov": 11,
    "decemb": 12,
    "dec": 12,
}

# A month's stem that is mostly something else: a month only beside a day or a year.
DOUBTFUL_MONTHS = frozenset(("may", "march", "mar", "jan", "sep", "dec"))

# A text with one of these says when something happened.
TIME_WORDS = _set(
    "yesterday today tomorrow tonight last ago week month year weekend day morn evening night"
    " monday tuesday wednesday thursday friday saturday sunday recent sinc next summer winter"
    " spring fall autumn soon date januari februari march april may june juli august septemb"
    " octob novemb decemb"
)

# A text with one of these, or with digits, says how many.
NUMBER_WORDS = _set(
    "one two three four five six seven eight nine ten eleven twelv dozen twenti thirti forti fifti"
    " hundr thousand million coupl few sever twice onc"
)

# "how many", "how long": the question asks for a number.
AMOUNTS = frozenset(("many", "much", "old", "long", "often"))


class Forms:
    """Stem -> the stems of its other forms, both ways: `get("went")` holds "go".

    Looked up in the text above and remembered: making a table of it would cost every search a
    millisecond, for the two or three words that it asks.
    """

    __slots__ = ("_known", "_lines")

    def __init__(self, text: str) -> None:
        self._lines = "| " + text.strip().replace("\n", "|").replace("|", " | ") + " |"
        self._known: dict[str, tuple[str, ...]] = {}

    def get(self, stem: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """The other forms of a stem; `default` when there are none."""
        found = self._known.get(stem)
        if found is None:
            others: dict[str, None] = {}
            at = self._lines.find(f" {stem} ")
            while at >= 0:
                start = self._lines.rfind("|", 0, at + 1) + 1
                end = self._lines.find("|", at)
                others.update(dict.fromkeys(self._lines[start:end].split()))
                at = self._lines.find(f" {stem} ", end)
            others.pop(stem, None)
            found = self._known[stem] = tuple(others)
        return found or default


FORMS = Forms(_SAME)
