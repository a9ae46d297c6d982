rows = customer.filter(pl.col("c_acctbal") > 0).select("c_custkey", "c_name").collect(engine="streaming")
rows = rows.sort(pl.col("c_custkey").hash(), "c_custkey")
ends = [len(rows) * quarter // 4 for quarter in range(5)]
for arm, start, end in zip("abcd", ends, ends[1:]):
    rows[start:end].write_parquet(f"out/07-split-{arm}.parquet")
