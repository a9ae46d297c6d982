totals = orders.group_by("o_custkey").agg(total=pl.col("o_totalprice").sum()).filter(pl.col("total") > 2000000)
save(customer.join(totals, left_on="c_custkey", right_on="o_custkey").select("c_custkey", "total"))
