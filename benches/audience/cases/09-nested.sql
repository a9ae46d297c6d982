COPY (
  SELECT c_custkey, c_phone FROM customer
  WHERE EXISTS (
    FROM orders WHERE o_custkey = c_custkey AND o_orderdate >= '1998-01-01'
    AND EXISTS (FROM lineitem WHERE l_orderkey = o_orderkey AND l_quantity >= 50 AND l_shipmode = 'AIR')
  )
) TO 'out/09-nested.parquet';
