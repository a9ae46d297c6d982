COPY (
  SELECT c_custkey, c_name FROM customer
  WHERE c_custkey IN (SELECT o_custkey FROM orders WHERE o_totalprice > 300000 AND o_orderdate >= '1998-01-01')
) TO 'out/12-dimension.parquet';
