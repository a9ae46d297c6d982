COPY (
  SELECT c_custkey, c_phone, total, orders_made FROM customer
  JOIN (
    SELECT o_custkey, sum(o_totalprice) AS total, count(*) AS orders_made FROM orders GROUP BY o_custkey
  ) ON o_custkey = c_custkey
  WHERE c_acctbal > 0 AND EXISTS (FROM orders WHERE o_custkey = c_custkey AND o_orderdate >= '1998-01-01')
    AND NOT EXISTS (
      FROM orders WHERE o_custkey = c_custkey AND o_orderpriority = '5-LOW' AND o_orderdate >= '1998-06-01'
    )
    AND total > 500000
  QUALIFY row_number() OVER (PARTITION BY c_phone ORDER BY total DESC, c_custkey) = 1
  ORDER BY total DESC, c_custkey LIMIT 1000
) TO 'out/11-all-together.parquet';
