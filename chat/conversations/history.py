"""Reads message trees: the path one sees, its siblings, and the messages a model is sent.

``Tree`` loads a lane's shape without its texts; what a page or a request needs of the texts is fetched after.
Whatever a model is sent is built here, from its own lane's rows and nothing else.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q

from chat.conversations.models import Conversation, Lane, Message, MessageQuerySet, Siblings, Turn
from chat.prepared import Prepared, given, given_each
from chat.providers.requests import WireMessage

ROWS_PER_PAGE = 30
# Thirty rows of six models are a megabyte before anything is read. Earlier rows come as one scrolls.
ANSWERS_PER_PAGE = 60
# Of a run.
NOT_SHOWN = (
    *("topic", "owner", "endpoint", "provider", "key_ref", "input_price", "output_price", "request"),
    *("logprobs", "response_headers", "renderer_version", "created_at", "started_at", "error_kind", "error_parameter"),
)
# Of a message and its run: what tells how much of the context they take.
COUNTED = (
    *("parent", "parts", "deleted_at", "run__prefix", "run__text"),
    *("run__prompt_tokens", "run__completion_tokens", "run__reasoning_tokens", "run__usage_estimated"),
    "run__holds_reservation",
)
# Lane, parent and role: where alternatives stand beside each other.
Place = tuple[int, int | None, str]


@dataclass(frozen=True, slots=True)
class Node:
    """A message without its content."""

    pk: int
    parent_id: int | None
    role: str
    row: int


class Tree:
    """The shape of one lane: every message that is not deleted."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self.nodes = {node.pk: node for node in nodes}
        self._children: dict[int | None, list[Node]] = defaultdict(list)
        for node in self.nodes.values():
            self._children[node.parent_id].append(node)

    @classmethod
    def of_lanes(cls, lane_ids: Iterable[int]) -> dict[int, "Tree"]:
        """The trees of several lanes in one query."""
        wanted = list(lane_ids)
        found: dict[int, list[Node]] = {pk: [] for pk in wanted}
        for lane_id, pk, parent_id, role, row in _NODES.rows(lanes=wanted):
            found[lane_id].append(Node(pk, parent_id, role, row))
        return {lane_id: cls(nodes) for lane_id, nodes in found.items()}

    @classmethod
    def of(cls, lane: Lane) -> "Tree":
        return cls.of_lanes([lane.pk])[lane.pk]

    def path(self, head_id: int | None) -> list[Node]:
        """From the root down to ``head_id``; empty where the head is deleted or none."""
        path: list[Node] = []
        node = self.nodes.get(head_id) if head_id is not None else None
        while node is not None:
            path.append(node)
            node = self.nodes.get(node.parent_id) if node.parent_id is not None else None
        return path[::-1]

    def stands(self, pk: int) -> bool:
        """Whether nothing is deleted from the root down to this message."""
        path = self.path(pk)
        return bool(path) and path[0].parent_id is None

    def siblings(self, node: Node) -> list[Node]:
        """Alternatives at the same place, oldest first, ``node`` among them."""
        return [other for other in self._children[node.parent_id] if other.role == node.role]

    def leaf_under(self, node_id: int) -> int:
        """The end of the latest path that leads through a message."""
        while children := self._children.get(node_id):
            node_id = children[-1].pk
        return node_id

    def below(self, node_id: int) -> set[int]:
        """A message and everything under it."""
        found, waiting = set(), [node_id]
        while waiting:
            found.add(pk := waiting.pop())
            waiting.extend(child.pk for child in self._children.get(pk, ()))
        return found


@dataclass(frozen=True, slots=True)
class Path:
    """What a page shows of one lane: its messages by row, and the row at which it ends."""

    messages: dict[int, list[Message]]
    last_row: int | None


@dataclass(frozen=True, slots=True)
class Window:
    """The rows that a page shows, with each lane's path through them by the lane's id."""

    rows: list[int]
    earlier: bool
    paths: dict[int, Path]

    @classmethod
    def empty(cls, lanes: list[Lane]) -> "Window":
        return cls([], False, {lane.pk: Path({}, None) for lane in lanes})

    def messages(self) -> dict[int, list[Message]]:
        """Each lane's messages in their order."""
        return {pk: [m for row in self.rows for m in path.messages.get(row, ())] for pk, path in self.paths.items()}


def window(lanes: list[Lane], before: int | None = None, since: int | None = None) -> Window:
    """The last rows of all lanes (or those before row ``before``), in two queries whatever the number of lanes.

    More than a page of them where row ``since`` is to be among them.
    """
    trees = Tree.of_lanes(lane.pk for lane in lanes)
    paths = {lane.pk: trees[lane.pk].path(lane.head_id) for lane in lanes}
    rows = sorted({node.row for path in paths.values() for node in path})
    standing = [row for row in rows if before is None or row < before]
    shown = standing[-rows_per_page(len(lanes)) :]
    if since is not None and shown and since < shown[0]:
        shown = [row for row in standing if row >= since]
    messages = _messages(node.pk for path in paths.values() for node in path if node.row in set(shown))
    return Window(
        shown,
        bool(shown) and shown[0] > rows[0],
        {pk: _path(path, trees[pk], messages) for pk, path in paths.items()},
    )


def rows_per_page(lanes: int) -> int:
    """How many rows of so many lanes a page shows at first, and adds for each scroll to its top."""
    return min(ROWS_PER_PAGE, ANSWERS_PER_PAGE // max(1, lanes))


def _path(nodes: list[Node], tree: Tree, messages: dict[int, Message]) -> Path:
    by_row: dict[int, list[Message]] = defaultdict(list)
    for node in nodes:
        if node.pk in messages:
            message = messages[node.pk]
            message.siblings = Siblings.among([other.pk for other in tree.siblings(node)], node.pk)
            by_row[node.row].append(message)
    return Path(dict(by_row), nodes[-1].row if nodes else None)


def turn_window(lanes: list[Lane], turn: Turn) -> Window:
    """The row of a new turn, in a query or two however long the lanes are; empty where nothing is left of it.

    What is new stands alone: alternatives come later, and all lanes with them.
    """
    found: dict[int, list[Message]] = {lane.pk: [] for lane in lanes}
    for message in _OF_TURN.rows(turn=turn.pk, lanes=found):
        message.siblings = Siblings.among([message.pk], message.pk)
        found[message.lane_id].append(message)
    ends = dict.fromkeys(found, turn.row)
    if not all(found.values()):
        ends |= Lane.objects.filter(pk__in=found).values_list("pk", "head__turn__row")
    rows = [turn.row] if any(found.values()) else []
    return Window(rows, False, {pk: Path({turn.row: messages}, ends[pk]) for pk, messages in found.items()})


def message_with_siblings(pk: int) -> Message:
    """One message as a page shows it."""
    [message] = _with_siblings(_shown(Message.objects.filter(pk=pk)))
    return message


def answers_with_siblings(run_id: int) -> list[Message]:
    """What a run has written, as a page shows it: one message, or none where it was deleted."""
    return _with_siblings(_OF_RUN.rows(run=run_id))


def _with_siblings(messages: Iterable[Message]) -> list[Message]:
    found = [*messages]
    places: dict[Place, list[int]] = defaultdict(list)
    parents = {message.parent_id for message in found if message.parent_id is not None}
    first = {message.lane_id for message in found if message.parent_id is None}
    for pk, lane_id, parent_id, role in _BESIDE.rows(parents=parents, lanes=first) if found else ():
        places[lane_id, parent_id, role].append(pk)
    for message in found:
        pks = places[message.lane_id, message.parent_id, message.role]
        message.siblings = Siblings.among(pks if message.pk in pks else [message.pk], message.pk)
    return found


def _messages(pks: Iterable[int]) -> dict[int, Message]:
    return {message.pk: message for message in _shown(Message.objects.filter(pk__in=list(pks)))}


def _shown(messages: MessageQuerySet) -> MessageQuerySet:
    """With their runs, but for what no page shows: some of it is long, and all of it takes time to read."""
    return messages.select_related("run").defer("turn", "created_at", "deleted_at", *(f"run__{n}" for n in NOT_SHOWN))


def recent_paths(lanes: list[Lane]) -> dict[int, list[Message]]:
    """The end of each lane's path, from the last answer of which a provider has counted the tokens.

    That is nearly always one of the last three messages: one query. Where it is not, a page's rows are read.
    """
    heads = [lane.head_id for lane in lanes if lane.head_id is not None]
    ends = {message.pk: message for message in _ENDS.rows(heads=heads)} if heads else {}
    found: dict[int, list[Message]] = {}
    for lane in lanes:
        path = _since_counted(ends.get(lane.head_id or 0))
        if path is None:
            return window(lanes).messages()
        found[lane.pk] = path
    return found


def _ends() -> MessageQuerySet:
    above = ("parent", "parent__parent")
    light = [f"{message}{name}" for message in ("", "parent__", "parent__parent__") for name in COUNTED]
    found = Message.objects.select_related("run", *above, *(f"{message}__run" for message in above)).only(*light)
    return found.filter(pk__in=given_each("heads"))


def _since_counted(head: Message | None) -> list[Message] | None:
    """From a counted answer, or from the root, down to ``head``; None where neither is among its last three."""
    path: list[Message] = []
    message = head
    while message is not None and message.deleted_at is None:
        path.insert(0, message)
        if message.run is not None and message.run.counted_tokens is not None:
            break
        if len(path) == 3 and message.parent_id is not None:
            return None
        message = message.parent
    return path


def path_messages(lane: Lane, tip: Message) -> tuple[WireMessage, ...]:
    """What the model of ``lane`` is sent below its system prompt: its own path down to ``tip``.

    Answers with no text (failed, or stopped before the first word) are left out together with nothing else: a
    provider refuses empty assistant messages, and the question still stands.
    """
    if tip.parent_id is None:
        return ({"role": tip.role, "content": tip.text},)
    sent: list[WireMessage] = []
    path = Tree.of(lane).path(tip.pk)
    # Only the texts: each run also keeps its request, and with it the whole path above it once more.
    light = Message.objects.select_related("run").only("parts", "run__prefix", "run__text")
    texts = light.in_bulk([node.pk for node in path])
    for node in path:
        text = texts[node.pk].text
        if text.strip() or node.role == Message.Role.USER:
            sent.append({"role": node.role, "content": text})
    return tuple(sent)


def next_row(conversation: Conversation) -> int:
    """The row below all turns of a conversation."""
    last = _LAST_ROW.first(chat=conversation.pk)
    return 0 if last is None else last + 1


_NODES = Prepared(
    lambda: (
        Message.objects.filter(lane_id__in=given_each("lanes"), deleted_at__isnull=True)
        .order_by("pk")
        .values_list("lane_id", "pk", "parent_id", "role", "turn__row")
    )
)
_OF_TURN = Prepared(
    lambda: _shown(Message.objects.filter(turn=given("turn"), lane__in=given_each("lanes"), deleted_at__isnull=True))
)
_OF_RUN = Prepared(lambda: _shown(Message.objects.filter(run=given("run"), deleted_at__isnull=True)))
_BESIDE = Prepared(
    lambda: (
        Message.objects.filter(
            Q(parent__in=given_each("parents")) | Q(parent=None, lane__in=given_each("lanes")), deleted_at__isnull=True
        )
        .order_by("pk")
        .values_list("pk", "lane_id", "parent_id", "role")
    )
)
_ENDS = Prepared(_ends)
_LAST_ROW = Prepared(
    lambda: Turn.objects.filter(conversation=given("chat")).order_by("-row").values_list("row", flat=True)[:1]
)
