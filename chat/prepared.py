"""Queries whose SQL is composed once in a process: from call to call only their values differ.

Composing is most of what a small query costs, ten times what SQLite takes to answer it. What is asked for each send
and each answer is therefore written down once, as a queryset like any other, with ``given`` where a value will
stand. All else is Django's: the SQL, the rows made into models, the values made fit for the database.
"""

from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from typing import Any, Generic, TypeVar, cast
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.models import Expression, Field, Model, QuerySet
from django.db.models.constants import OnConflict
from django.db.models.query import FlatValuesListIterable, ModelIterable, ValuesListIterable, get_related_populators
from django.db.models.sql import DeleteQuery, InsertQuery, Query, UpdateQuery
from django.db.models.sql.compiler import SQLCompiler
from django.db.transaction import TransactionManagementError

Row = tuple[Any, ...]
M = TypeVar("M", bound=Model)
R = TypeVar("R")


def given(name: str) -> Any:
    """Stands in a prepared query for a value that each call gives under this name."""
    return Given(name)


def given_each(name: str) -> Any:
    """The same for the values of a list, on the right of ``__in``."""
    return Given(name, many=True)


class Given(Expression):
    """A placeholder in SQL, and among its parameters the one who knows what stands there."""

    def __init__(self, name: str, column: "Field[Any, Any] | None" = None, many: bool = False) -> None:
        super().__init__()
        self.name, self.column, self.many = name, column, many

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, tuple["Given"]]:  # type: ignore[override]
        return (self.marker if self.many else "%s"), (self,)

    @property
    def marker(self) -> str:
        """Where the placeholders of a list will stand; no SQL of Django's has comments."""
        return f"(/*{self.name}*/)"

    def put(self, given: Any, values: list[Any], db: BaseDatabaseWrapper) -> None:
        """Add to ``values`` what the database is told for this one, or for each of the list."""
        if self.column is not None:
            values.append(self.column.get_db_prep_save(given, db))
        elif self.many:
            values.extend(_fit(value, db) for value in given)
        else:
            values.append(_fit(given, db))


class Statement:
    """SQL with what is known of its parameters."""

    def __init__(self, sql: str, parameters: Iterable[Any]) -> None:
        self._sql, self._parameters = sql, tuple(parameters)
        self._lists = [part for part in self._parameters if isinstance(part, Given) and part.many]

    def is_like(self, other: "Statement") -> bool:
        """Whether nothing in them depends on when they were composed."""
        return [*map(str, self._constants())] == [*map(str, other._constants())]

    def _constants(self) -> list[Any]:
        return [part for part in self._parameters if not isinstance(part, Given)]

    def execute(self, cursor: CursorWrapper, given: dict[str, Any]) -> None:
        sql, values = self._sql, list[Any]()
        for part in self._lists:
            # None is in no list: what asks for one of none finds nothing.
            sql = sql.replace(part.marker, f"({', '.join(['%s'] * len(given[part.name])) or 'NULL'})", 1)
        for part in self._parameters:
            if isinstance(part, Given):
                part.put(given[part.name], values, cursor.db)
            else:
                values.append(part)
        cursor.execute(sql, values)


class Prepared(Generic[R]):
    """A queryset, of models or of ``values_list``. ``compose`` is called once for each kind of database."""

    def __init__(self, compose: Callable[[], "QuerySet[Any, R]"]) -> None:
        self._compose = compose
        self._known: dict[str, tuple[Statement, Callable[[Iterable[Row]], Iterator[R]], bool]] = {}

    def rows(self, **values: Any) -> list[R]:
        """All that there is for these values, asked anew at each call."""
        db = connections[DEFAULT_DB_ALIAS]
        statement, read, locks = self._known.get(db.vendor) or self._learn(db)
        if locks and db.get_autocommit():
            raise TransactionManagementError("Rows are locked inside a transaction only.")
        with db.cursor() as cursor:
            statement.execute(cursor, values)
            return list(read(cursor.fetchall()))

    def first(self, **values: Any) -> R | None:
        """The first of ``rows``; the queryset itself says which that is, and that no others are read."""
        return next(iter(self.rows(**values)), None)

    def _learn(self, db: BaseDatabaseWrapper) -> tuple[Statement, Callable[[Iterable[Row]], Iterator[R]], bool]:
        queryset = self._compose()
        compiler = queryset.query.get_compiler(connection=db)
        statement = Statement(*compiler.as_sql())
        if not statement.is_like(Statement(*self._compose().query.get_compiler(connection=db).as_sql())):
            raise ValueError("Something in this query would stand still, as a moment does: give it with each call.")
        locks = queryset.query.select_for_update and db.features.has_select_for_update
        known = self._known[db.vendor] = statement, _reader(queryset, compiler), locks
        return known


class PreparedChange:
    """Changes what ``compose`` finds."""

    def __init__(self, compose: Callable[[], "QuerySet[Any, Any]"]) -> None:
        self._compose = compose
        self._known: dict[str, Statement] = {}

    def __call__(self, **values: Any) -> int:
        """Returns how many rows were changed."""
        db = connections[DEFAULT_DB_ALIAS]
        with transaction.mark_for_rollback_on_error(), db.cursor() as cursor:
            (self._known.get(db.vendor) or self._learn(db)).execute(cursor, values)
            return int(cursor.rowcount)

    def _learn(self, db: BaseDatabaseWrapper) -> Statement:
        query = self._query(self._compose())
        query.clear_ordering(force=True)
        known = self._known[db.vendor] = Statement(*query.get_compiler(connection=db).as_sql())
        return known

    def _query(self, found: "QuerySet[Any, Any]") -> Query:
        raise NotImplementedError


class PreparedUpdate(PreparedChange):
    """Sets the columns ``names`` to what each call gives, others to the expressions in ``fixed``."""

    def __init__(self, compose: Callable[[], "QuerySet[Any, Any]"], *names: str, **fixed: Any) -> None:
        super().__init__(compose)
        self._names, self._fixed = names, fixed

    def _query(self, found: "QuerySet[Any, Any]") -> Query:
        query: Any = found.query.chain(UpdateQuery)
        fields = {name: found.model._meta.get_field(name) for name in self._names}
        query.add_update_values({**{name: Given(name, field) for name, field in fields.items()}, **self._fixed})
        query.clear_select_clause()
        return cast(Query, query)


class PreparedDelete(PreparedChange):
    """Deletes the rows, and nothing else: no others may refer to them."""

    def _query(self, found: "QuerySet[Any, Any]") -> Query:
        return found.query.chain(DeleteQuery)


class PreparedInsert(Generic[M]):
    """Adds rows of one model, whole and without signals: there must be nobody who listens for them.

    ``unless_there``: a row that breaks a constraint is left out in silence, and none has its primary key then.
    """

    def __init__(self, model: type[M], unless_there: bool = False) -> None:
        self._model, self._unless_there = model, unless_there
        self._known: dict[str, str] = {}
        self._key = None if unless_there else model._meta.auto_field
        self._fields = [field for field in model._meta.local_concrete_fields if field is not model._meta.auto_field]

    def __call__(self, row: M) -> M:
        """Store a new row, which has its primary key then."""
        db = connections[DEFAULT_DB_ALIAS]
        values = [field.get_db_prep_save(field.pre_save(row, add=True), db) for field in self._fields]
        with transaction.mark_for_rollback_on_error(), db.cursor() as cursor:
            cursor.execute(self._known.get(db.vendor) or self._learn(row, db), values)
            if self._key is not None:
                [row.pk] = cursor.fetchone()
        row._state.adding, row._state.db = False, db.alias
        return row

    def _learn(self, row: M, db: BaseDatabaseWrapper) -> str:
        query = InsertQuery(self._model, on_conflict=OnConflict.IGNORE if self._unless_there else None)
        query.insert_values(self._fields, [row])
        compiler = query.get_compiler(connection=db)
        compiler.returning_fields = [self._key] if self._key is not None else None
        [(sql, _)] = compiler.as_sql()
        self._known[db.vendor] = str(sql)
        return str(sql)


def _reader(queryset: "QuerySet[Any, R]", compiler: SQLCompiler) -> Callable[[Iterable[Row]], Iterator[Any]]:
    """What makes of rows what the queryset would: models with what was joined and annotated, or plain values."""
    converters = compiler.get_converters([column[0] for column in compiler.select])
    make = _MAKERS[queryset._iterable_class](compiler)

    def read(rows: Iterable[Row]) -> Iterator[Any]:
        return map(make, compiler.apply_converters(rows, converters) if converters else rows)

    return read


def _maker(compiler: Any) -> Callable[[Row], Any]:
    info, model = compiler.klass_info, compiler.klass_info["model"]
    first, last = info["select_fields"][0], info["select_fields"][-1] + 1
    names = [column[0].target.attname for column in compiler.select[first:last]]
    # The stubs are those of a later Django.
    populators = get_related_populators(info, compiler.select, DEFAULT_DB_ALIAS)  # type: ignore[call-arg]
    annotations = tuple((compiler.annotation_col_map or {}).items())

    def make(row: Row) -> Any:
        found = model.from_db(DEFAULT_DB_ALIAS, names, row[first:last])
        for populator in populators:
            populator.populate(row, found)
        for name, place in annotations:
            setattr(found, name, row[place])
        return found

    return make


# What the rows of a queryset are made into.
_MAKERS: dict[type[object], Callable[[Any], Callable[[Any], Any]]] = {
    ModelIterable: _maker,
    ValuesListIterable: lambda compiler: tuple,
    FlatValuesListIterable: lambda compiler: itemgetter(0),
}


def _fit(value: Any, db: BaseDatabaseWrapper) -> Any:
    """A value as the database takes it, by its own type."""
    if isinstance(value, UUID):
        return value if db.features.has_native_uuid_field else value.hex
    # What most of them are, and any database takes.
    return value if isinstance(value, int | str) else db.ops.adapt_unknown_value(value)
