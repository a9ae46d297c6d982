totals = orders.group_by("o_custkey").agg(total=pl.col("o_totalprice").sum())
size = customer.select(pl.len()).collect().item() // 100
ranked = customer.join(totals, left_on="c_custkey", right_on="o_custkey", how="left")
ranked = ranked.select("c_custkey", "c_name", pl.col("total").fill_null(0))
save(ranked.sort("total", "c_custkey", descending=[True, False]).head(size))
