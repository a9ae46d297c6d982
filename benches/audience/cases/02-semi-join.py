recent = orders.filter((pl.col("o_orderdate") >= date(1998, 1, 1)) & (pl.col("o_totalprice") > 200000))
save(customer.join(recent, left_on="c_custkey", right_on="o_custkey", how="semi").select("c_custkey", "c_phone"))
