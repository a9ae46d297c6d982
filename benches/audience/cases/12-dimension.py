large = orders.filter((pl.col("o_totalprice") > 300000) & (pl.col("o_orderdate") >= date(1998, 1, 1)))
save(customer.join(large, left_on="c_custkey", right_on="o_custkey", how="semi").select("c_custkey", "c_name"))
