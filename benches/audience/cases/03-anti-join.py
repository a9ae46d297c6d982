recent = orders.filter(pl.col("o_orderdate") >= date(1997, 1, 1))
save(customer.join(recent, left_on="c_custkey", right_on="o_custkey", how="anti").select("c_custkey", "c_phone"))
