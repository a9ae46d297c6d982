heavy = lineitem.filter((pl.col("l_quantity") >= 50) & (pl.col("l_shipmode") == "AIR"))
recent = orders.filter(pl.col("o_orderdate") >= date(1998, 1, 1))
recent = recent.join(heavy, left_on="o_orderkey", right_on="l_orderkey", how="semi")
save(customer.join(recent, left_on="c_custkey", right_on="o_custkey", how="semi").select("c_custkey", "c_phone"))
