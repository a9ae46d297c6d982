COPY (
  SELECT c_custkey, total FROM customer
  JOIN (SELECT o_custkey, sum(o_totalprice) AS total FROM orders GROUP BY o_custkey) ON o_custkey = c_custkey
  WHERE total > 2000000
) TO 'out/04-threshold.parquet';
