COPY (
  SELECT c_custkey, c_phone FROM customer
  WHERE EXISTS (FROM orders WHERE o_custkey = c_custkey AND o_orderdate >= '1998-01-01' AND o_totalprice > 200000)
) TO 'out/02-semi-join.parquet';
