COPY (
  SELECT c_custkey, c_name, c_acctbal FROM customer WHERE c_mktsegment = 'BUILDING' AND c_acctbal > 1000
) TO 'out/01-filter.parquet';
