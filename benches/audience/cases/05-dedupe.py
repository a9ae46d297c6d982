columns = ["o_orderkey", "o_custkey", "o_totalprice", "o_orderdate"]
best = orders.select(columns).sort("o_totalprice", "o_orderkey", descending=[True, False])
save(best.unique(subset=["o_custkey"], keep="first", maintain_order=True))
