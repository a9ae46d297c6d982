COPY (
  SELECT c_custkey, c_phone FROM customer
  WHERE NOT EXISTS (FROM orders WHERE o_custkey = c_custkey AND o_orderdate >= '1997-01-01')
) TO 'out/03-anti-join.parquet';
