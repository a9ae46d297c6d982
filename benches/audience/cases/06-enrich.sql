COPY (
  SELECT c_custkey, c_name, first(o_orderkey ORDER BY o_orderdate DESC, o_orderkey) AS last,
    coalesce(list(o_totalprice ORDER BY o_orderdate DESC, o_orderkey) FILTER (o_orderkey IS NOT NULL), []) AS history
  FROM customer LEFT JOIN orders ON o_custkey = c_custkey
  WHERE c_mktsegment = 'AUTOMOBILE'
  GROUP BY c_custkey, c_name
) TO 'out/06-enrich.parquet';
