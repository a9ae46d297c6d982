CREATE TEMP TABLE rich AS SELECT c_custkey, c_name FROM customer WHERE c_acctbal > 5000;
CREATE TEMP TABLE urgent AS SELECT c_custkey, c_name FROM customer
  WHERE EXISTS (FROM orders WHERE o_custkey = c_custkey AND o_orderpriority = '1-URGENT' AND o_orderdate >= '1998-01-01');
CREATE TEMP TABLE lately AS SELECT c_custkey FROM customer
  WHERE EXISTS (FROM orders WHERE o_custkey = c_custkey AND o_orderdate >= '1998-07-01');
COPY (
  SELECT c_custkey, c_name FROM (FROM rich UNION FROM urgent) AS found ANTI JOIN lately USING (c_custkey)
) TO 'out/08-sets.parquet';
