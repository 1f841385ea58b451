"""The earlier checkpoint since which an export is to show that the ledger only grew: is it one of this ledger?"""

from recordings.exports.asked import BadFilter
from recordings.ledger import BadCheckpoint, Checkpoint, TreeBroken, root_at
from recordings.ledger.checkpoint import parse
from recordings.models import Seal

_NOTHING = "Nothing was exported."


def tidied(pasted: str) -> str:
    """The text of a checkpoint as it was signed, from one that went through mails and forms: they change the ends of
    lines and the white space around them."""
    lines = [line.strip() for line in pasted.strip().splitlines()]
    return "\n".join(lines) + "\n" if lines else ""


def refuse_unfit(text: str) -> None:
    """Raises BadFilter, with a sentence for people, unless this ledger had this very root when it had that size."""
    try:
        earlier = parse(text).checkpoint
    except BadCheckpoint as problem:
        raise BadFilter(
            f"Since: {problem} Paste all of it, from the ledger's name down to the line of the signature. {_NOTHING}"
        ) from problem
    newest = Seal.objects.order_by("-size").first()
    if newest:
        _refuse_other_ledger(earlier, newest)


def _refuse_other_ledger(earlier: Checkpoint, newest: Seal) -> None:
    origin = parse(newest.checkpoint).checkpoint.origin
    if earlier.origin != origin:
        raise BadFilter(f"Since: this checkpoint is of the ledger {earlier.origin[:80]}, not of {origin}. {_NOTHING}")
    if earlier.size > newest.size:
        raise BadFilter(
            f"Since: this checkpoint is of a ledger with more entries than the {newest.size} that are sealed here. "
            f"Either it is not of this ledger, or entries were taken away. Keep it, and have the ledger verified. "
            f"{_NOTHING}"
        )
    try:
        root = root_at(earlier.size)
    except TreeBroken as problem:
        raise BadFilter(f"Since: the ledger's tree is broken. Have the ledger verified. {_NOTHING}") from problem
    if root != earlier.root:
        raise BadFilter(
            f"Since: when this ledger had {earlier.size} entries, it had another root than this checkpoint. Either the "
            f"checkpoint was changed, or the ledger was written anew. Keep it, and have the ledger verified. {_NOTHING}"
        )
