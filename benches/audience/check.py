"""What a result holds: `check.py CASE` reads out/CASE*.parquet and prints the rows of each file, a checksum of all, and
the columns. The order of rows and the types of columns do not count, values do."""

import json
import sys
from pathlib import Path

import duckdb


def comparable(name, kind):
    """The value as text that is the same whatever engine wrote it."""
    if kind.startswith("DECIMAL") and kind.endswith("[]"):
        return f"{name}::DECIMAL(30, 2)[]::VARCHAR"
    if kind.startswith("DECIMAL"):
        return f"{name}::DECIMAL(30, 2)::VARCHAR"
    return f"{name}::VARCHAR"


def main():
    case = sys.argv[1]
    files = sorted(str(path) for path in Path("out").glob(f"{case}*.parquet"))
    relation = duckdb.sql(f"FROM read_parquet({files})")
    columns = sorted(zip(relation.columns, map(str, relation.types)))
    values = ", ".join(comparable(name, kind) for name, kind in columns)
    checksum = relation.aggregate(f"sum(hash(concat_ws('|', {values})))::VARCHAR").fetchall()[0][0]
    rows = [duckdb.sql(f"SELECT count(*) FROM read_parquet('{file}')").fetchall()[0][0] for file in files]
    print(json.dumps({"rows": rows, "checksum": checksum, "columns": [name for name, _ in columns]}))


if __name__ == "__main__":
    main()
