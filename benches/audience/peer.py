"""One audience with DuckDB or Polars, in a process of its own: `peer.py ENGINE CASE [MEMORY]`, in the project's folder."""

import sys
from datetime import date
from pathlib import Path

TABLES = ["customer", "orders", "lineitem"]
THREADS = 2


def duckdb_connection(memory=None):
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"SET threads = {THREADS}")
    if memory:
        connection.execute(f"SET memory_limit = '{memory}'")
    for table in TABLES:
        connection.execute(f"CREATE VIEW {table} AS FROM read_parquet('data/{table}.parquet')")
    return connection


def run_duckdb(case, memory):
    connection = duckdb_connection(memory)
    for statement in case.with_suffix(".sql").read_text().split(";\n"):
        if statement.strip():
            connection.execute(statement)


def run_polars(case, _memory):
    import polars as pl

    names = {table: pl.scan_parquet(f"data/{table}.parquet") for table in TABLES}
    target = f"out/{case.name}.parquet"
    names |= {"pl": pl, "date": date, "save": lambda frame: frame.sink_parquet(target)}
    exec(compile(case.with_suffix(".py").read_text(), case.name, "exec"), names)


def import_duckdb(to):
    """The CSV file of orders with declared types, into a table of a database or into Parquet."""
    import duckdb

    columns = (
        "{'o_orderkey': 'BIGINT', 'o_custkey': 'BIGINT', 'o_orderstatus': 'VARCHAR', 'o_totalprice': 'DECIMAL(15,2)',"
        " 'o_orderdate': 'DATE', 'o_orderpriority': 'VARCHAR', 'o_clerk': 'VARCHAR', 'o_shippriority': 'BIGINT',"
        " 'o_comment': 'VARCHAR'}"
    )
    rows = f"SELECT * FROM read_csv('data/orders.csv', header = true, columns = {columns})"
    for file in Path(".").glob("imported.*"):
        file.unlink()
    connection = duckdb.connect("imported.db" if to == "table" else ":memory:")
    connection.execute(f"SET threads = {THREADS}")
    connection.execute(f"CREATE TABLE t AS {rows}" if to == "table" else f"COPY ({rows}) TO 'imported.parquet'")


def main():
    engine, case, *memory = sys.argv[1:]
    if engine == "import":
        import_duckdb(case)
    elif engine == "duckdb":
        run_duckdb(Path(case), memory[0] if memory else None)
    else:
        run_polars(Path(case), None)


if __name__ == "__main__":
    main()
