wanted = ["c_custkey", "c_name"]
urgent_orders = orders.filter((pl.col("o_orderpriority") == "1-URGENT") & (pl.col("o_orderdate") >= date(1998, 1, 1)))
late_orders = orders.filter(pl.col("o_orderdate") >= date(1998, 7, 1))
rich = customer.filter(pl.col("c_acctbal") > 5000).select(wanted)
urgent = customer.join(urgent_orders, left_on="c_custkey", right_on="o_custkey", how="semi").select(wanted)
lately = customer.join(late_orders, left_on="c_custkey", right_on="o_custkey", how="semi").select("c_custkey")
save(pl.concat([rich, urgent]).unique(subset=["c_custkey"]).join(lately, on="c_custkey", how="anti"))
