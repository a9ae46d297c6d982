save(
    customer.filter((pl.col("c_mktsegment") == "BUILDING") & (pl.col("c_acctbal") > 1000)).select(
        "c_custkey", "c_name", "c_acctbal"
    )
)
