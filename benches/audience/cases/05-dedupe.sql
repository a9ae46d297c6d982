COPY (
  SELECT o_orderkey, o_custkey, o_totalprice, o_orderdate FROM orders
  QUALIFY row_number() OVER (PARTITION BY o_custkey ORDER BY o_totalprice DESC, o_orderkey) = 1
) TO 'out/05-dedupe.parquet';
