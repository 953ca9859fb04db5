"""What the checks know about words: which hold a sentence together, which turn it round.

General knowledge of the language, none of it from a corpus. English is fullest; the negations of
other languages are listed because losing one would turn a statement into its opposite.
"""

from __future__ import annotations


def _words(text: str) -> list[str]:
    return text.split()


FUNCTION = frozenset(
    _words(
        """
a an the this that these those it its itself he him his himself she her hers herself they them
their theirs themselves we us our ours ourselves i me my mine myself you your yours yourself who
whom whose which what there here is am are was were be been being do does did doing done have
has had having will would shall can could of in on at to from by for with about into onto over
under as than then and or but so if because while where when how why up down out off again once
own same such s t re ve ll d m one ones der die das den dem des ein eine einen einem einer eines
und oder aber ist sind war waren wird werden hat haben hatte zu von mit auf im als auch es er
sie wir ihr ich du man sich le la les un une de et ou mais est sont il elle nous vous je tu ce
cette ces en au aux avec pour par sur dans que qui se el los las una unos unas y o pero son del
al con por para su sus lo
    """
    )
)
"""Words that say nothing by themselves. Negations and quantities are never among them."""

SIDES = frozenset(("over", "under", "up", "down", "off", "out"))
"""Words that hold a sentence together, and can turn it all the same: "is off", "under 30".

"on" and "in" are in too many: that the other has "off" or "out" tells the two apart.
"""

SOFT = frozenset(
    _words(
        """
really very quite just also too actually basically currently now today still already even well
simply generally usually often please maybe perhaps probably likely like said says say told
tells mentioned mentions mention stated states state noted notes note added adds explained
explains according however therefore thus hence lot lots bit kind sort way thing things
something etc eg ie via per get gets got getting
    """
    )
)
"""Words that colour a statement; saying them or not is no difference of fact."""

HEDGES = frozenset(
    _words(
        """
might maybe perhaps possibly possible probably likely considering seems seem seemed apparently
supposedly allegedly rumored rumoured unsure uncertain guess vielleicht eventuell peut-être
quizás quizas talvez forse
    """
    )
)
"""Words that make a statement less than sure."""

NOT = frozenset(
    _words(
        """
not never cannot no nor neither none nobody nothing nowhere nicht nie niemals kein keine keinen
keinem keiner keines ne pas jamais aucun aucune rien personne nunca nada nadie ninguno ninguna
non mai nessuno nessuna niente não nao nem nenhum nenhuma niet nooit geen ikke aldri ingen inte
aldrig nigdy żaden не нет ни никогда δεν μην
不 没 沒 無 无 非 未 别 ない ません 않 안 못 아니 لا ليس لم لن
    """
    )
)
"""Words that turn a statement round."""

NEGATIONS = NOT | frozenset(
    [
        "without",
        "except",
        "unless",
        "ohne",
        "sans",
        "sin",
        "senza",
        "sem",
    ]
)
"""The same and those that take something out of it, which are also words of their own."""

TURNING = frozenset(
    _words(
        """
fail fails failed refuse refuses refused avoid avoids avoided lack lacks lacked stop stops
stopped quit quits forbid forbids forbidden prohibit prohibited deny denies denied disable
disabled prevent prevents prevented unable impossible unavailable unsupported unused deprecated
removed dropped missing absent false incorrect wrong hardly rarely barely seldom instead longer
dislike dislikes hate hates unlike ban bans banned exclude excludes excluded abandoned cancelled
canceled
    """
    )
)
"""Words with a negation inside: "is unavailable" may stand for "is not available"."""

QUANTITIES = {
    "all": "all", "every": "all", "each": "all", "always": "all", "everyone": "all",
    "everybody": "all", "everything": "all", "entirely": "all", "completely": "all",
    "only": "only", "solely": "only", "exclusively": "only", "must": "must", "required": "must",
    "shall": "must", "mandatory": "must", "most": "most", "mostly": "most", "some": "some",
    "sometimes": "some", "few": "few", "rarely": "few", "seldom": "few", "both": "both",
    "half": "half", "twice": "twice", "should": "should", "may": "may", "might": "might",
    "optional": "may", "alle": "all", "jeder": "all", "immer": "all", "nur": "only", "muss": "must",
    "tous": "all", "toujours": "all", "seulement": "only", "siempre": "all", "todos": "all",
    "solo": "only",
}  # fmt: skip
"""How much, how often, how strictly; words of one meaning share a name."""

STRONG = frozenset(
    [
        "all",
        "only",
        "must",
        "most",
        "both",
        "half",
        "twice",
    ]
)
"""The quantities that a claim may not have of its own: they make more of what was said."""

_UNITS = _words(
    """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
sixteen seventeen eighteen nineteen twenty
    """
)
NUMBERS = {word: str(value) for value, word in enumerate(_UNITS) if word != "one"} | {
    "thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "seventy": "70", "eighty": "80",
    "ninety": "90", "hundred": "100", "thousand": "1000", "million": "1000000", "dozen": "12",
    "second": "2", "third": "3", "fourth": "4", "fifth": "5", "sixth": "6", "seventh": "7",
    "eighth": "8", "ninth": "9", "tenth": "10",
}  # fmt: skip
"""Numerals as digits. "one" is mostly a pronoun, "first" mostly an adverb."""

_SAME = """
go goes went gone going|buy buys bought buying|child children|make makes made making
take takes took taken taking|give gives gave given giving|see sees saw seen seeing
come comes came coming|know knows knew known knowing|think thinks thought thinking
find finds found finding|feel feels felt feeling|leave leaves left leaving|keep keeps kept keeping
begin begins began begun beginning|write writes wrote written writing|meet meets met meeting
bring brings brought bringing|teach teaches taught teaching|catch catches caught|sell sells sold
lose loses lost losing loss|win wins won winning|speak speaks spoke spoken speaking
break breaks broke broken breaking|choose chooses chose chosen choosing choice
drive drives drove driven driving|eat eats ate eaten eating|fall falls fell fallen falling
fly flies flew flown flying flight|forget forgets forgot forgotten|grow grows grew grown growing
hear hears heard hearing|hold holds held holding|lead leads led leading|pay pays paid paying
ride rides rode ridden riding|rise rises rose risen|run runs ran running|send sends sent sending
show shows showed shown showing|sing sings sang sung singing|sit sits sat sitting
sleep sleeps slept sleeping|spend spends spent spending|stand stands stood standing
swim swims swam swum swimming|understand understands understood|wear wears wore worn wearing
build builds built building|draw draws drew drawn drawing|drink drinks drank drunk drinking
fight fights fought fighting|become becomes became becoming|feed feeds fed|shut shuts shutting
man men|woman women|foot feet|tooth teeth|mouse mice|person people|life live lives living lived
marry married marries marriage wed wedding|die dies died dead death dying|bear born birth birthday
use uses used using usage user users|set sets setting settings|read reads reading
lie lies lay|put puts putting|cut cuts cutting|good better best|bad worse worst|wife wives
database databases db|repository repositories repo repos|config configs configuration configurations
configure configures configured|authenticate authenticates authentication auth
decide decides decided deciding decision decisions|deploy deploys deployed deploying deployment
prefer prefers preferred preferring preference preferences|move moves moved moving
choose chooses chosen|recommend recommends recommended recommendation
analysis analyses analyze analyzes analyzed analyse analyses analysed|index indexes indices indexed
"""
FORMS: dict[str, str] = {}
for _line in _SAME.strip().replace("\n", "|").split("|"):
    _forms = _line.split()
    for _form in _forms:
        FORMS.setdefault(_form, _forms[0])
"""A form of a word, and the one that stands for all of them."""

_OPPOSITES = """
increase/decrease rise/fall grow/shrink raise/lower enable/disable allow/forbid allow/deny
allow/prohibit accept/reject accept/refuse approve/reject start/stop begin/end open/close
opened/closed add/remove include/exclude before/after over/under early/late fast/slow
faster/slower hot/cold
high/low higher/lower large/small larger/smaller big/small long/short more/less most/least
many/few maximum/minimum max/min upper/lower first/last old/new good/bad better/worse true/false
on/off yes/no up/down in/out above/below inside/outside internal/external public/private
sync/async synchronous/asynchronous safe/unsafe secure/insecure stable/unstable required/optional
mandatory/optional possible/impossible available/unavailable supported/unsupported legal/illegal
present/absent success/failure succeed/fail pass/fail win/lose love/hate like/dislike like/hate
agree/disagree always/never always/rarely everyone/nobody everything/nothing all/none
strong/weak easy/difficult easy/hard rich/poor alive/dead full/empty same/different
similar/different equal/different common/rare frequent/rare left/right top/bottom north/south
east/west male/female buy/sell cheap/expensive free/paid married/single active/inactive
online/offline local/remote read/write client/server prod/staging production/staging
production/development mutable/immutable explicit/implicit manual/automatic static/dynamic
positive/negative correct/incorrect right/wrong healthy/unhealthy likely/unlikely able/unable
capable/incapable sufficient/insufficient necessary/unnecessary connected/unrelated
related/unrelated compatible/incompatible encourage/discourage support/oppose increase/reduce
improve/worsen gain/lose hire/fire arrive/leave join/leave push/pull encrypted/unencrypted
can/cannot will/won't should/shouldn't day/night morning/evening past/future success/fail
expand/contract appear/disappear lend/borrow attack/defend permanent/temporary
prove/disprove enough/insufficient legal/unlawful lawful/unlawful ever/never both/neither
"""
OPPOSITES: dict[str, frozenset[str]] = {}


def _learn(one: str, other: str) -> None:
    OPPOSITES[one] = OPPOSITES.get(one, frozenset()) | {other}


for _pair in _OPPOSITES.split():
    _one, _, _other = _pair.partition("/")
    _learn(_one, _other)
    _learn(_other, _one)
"""Word -> its opposites, as plain words (not stems)."""

_MEASURES = {
    "ms": "ms:1 millisecond:1 milliseconds:1 s:1000 sec:1000 secs:1000 seconds:1000 min:60000 "
    "mins:60000 minute:60000 minutes:60000 h:3600000 hr:3600000 hrs:3600000 hour:3600000 "
    "hours:3600000 day:86400000 days:86400000 week:604800000 weeks:604800000",
    "mg": "mg:1 g:1000 gram:1000 grams:1000 kg:1000000 kilo:1000000 kilos:1000000 "
    "kilogram:1000000 kilograms:1000000 tonne:1000000000 tonnes:1000000000",
    "mm": "mm:1 cm:10 m:1000 metre:1000 metres:1000 meter:1000 meters:1000 km:1000000 "
    "kilometre:1000000 kilometres:1000000 kilometer:1000000 kilometers:1000000",
    "KB": "kb:1 mb:1000 gb:1000000 tb:1000000000",
    "months": "month:1 months:1 year:12 years:12",
}
UNITS = {
    name: (kind, float(factor))
    for kind, told in _MEASURES.items()
    for name, factor in (each.split(":") for each in told.split())
}
"""Units behind a number: the smallest of their kind, and how many of that they are."""

CHANGES = frozenset(
    _words(
        """
now instead anymore longer switched switch replaced replace replaces migrated migrate moved
changed change updated upgraded new since became renamed formerly previously used stopped
started quit correction corrected actually superseded deprecated jetzt nun ersetzt gewechselt
maintenant désormais remplacé ahora reemplazado
    """
    )
)
"""Words with which a text says that something is other than it was."""
