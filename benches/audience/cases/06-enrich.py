cars = customer.filter(pl.col("c_mktsegment") == "AUTOMOBILE").select("c_custkey", "c_name")
mine = orders.join(cars, left_on="o_custkey", right_on="c_custkey", how="semi")
newest = ["o_orderdate", "o_orderkey"]
lists = mine.group_by("o_custkey").agg(
    last=pl.col("o_orderkey").sort_by(newest, descending=[True, False]).first(),
    history=pl.col("o_totalprice").sort_by(newest, descending=[True, False]),
)
found = cars.join(lists, left_on="c_custkey", right_on="o_custkey", how="left")
save(found.select("c_custkey", "c_name", "last", pl.col("history").fill_null([])))
