COPY (
  SELECT c_custkey, c_name, coalesce(total, 0) AS total FROM customer
  LEFT JOIN (SELECT o_custkey, sum(o_totalprice) AS total FROM orders GROUP BY o_custkey) ON o_custkey = c_custkey
  ORDER BY total DESC, c_custkey LIMIT (SELECT count(*) // 100 FROM customer)
) TO 'out/10-top.parquet';
