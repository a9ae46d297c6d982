CREATE TEMP TABLE arms AS
  SELECT c_custkey, c_name, ntile(4) OVER (ORDER BY hash(c_custkey), c_custkey) AS arm FROM customer WHERE c_acctbal > 0;
COPY (SELECT c_custkey, c_name FROM arms WHERE arm = 1) TO 'out/07-split-a.parquet';
COPY (SELECT c_custkey, c_name FROM arms WHERE arm = 2) TO 'out/07-split-b.parquet';
COPY (SELECT c_custkey, c_name FROM arms WHERE arm = 3) TO 'out/07-split-c.parquet';
COPY (SELECT c_custkey, c_name FROM arms WHERE arm = 4) TO 'out/07-split-d.parquet';
