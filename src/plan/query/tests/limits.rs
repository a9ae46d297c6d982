//! Memory limits and cancellation.

use datafusion::common::JoinType;
use datafusion::logical_expr::{LogicalPlanBuilder, col};
use futures::TryStreamExt;

use super::build::{CUSTOMERS, all, shop};
use super::{Columns, Ordering, Value, World, block};
use crate::plan::query::{Joins, QueryError, Session, SessionOptions, collect, computation, count, population, stream};

const ROWS: i64 = 120_000;

fn crowd() -> World {
    let mut world = shop();
    let row = |id: i64| {
        let email = Value::Text(format!("somebody-with-a-long-name-{}@shop.test", id % 50_000));
        vec![Value::Int(id), email, Value::Null, Value::Null, Value::Int(id % 7), Value::Null]
    };
    world.fill(CUSTOMERS, (0..ROWS).map(row).collect());
    world
}

fn session(bytes: usize) -> Session {
    Session::new(&SessionOptions { memory_limit: Some(bytes), threads: Some(2), spill_dir: None }).unwrap()
}

#[test]
fn what_does_not_fit_into_memory_is_spilled() {
    let world = crowd();
    let everybody = all(CUSTOMERS);
    let plan = || population(&world.scope(), &everybody, &Columns::All, Ordering::Defined).unwrap();
    let batches = block(collect(&session(12 << 20), plan())).unwrap();
    assert_eq!(batches.iter().map(|batch| batch.num_rows() as i64).sum::<i64>(), ROWS);
    assert_eq!(block(count(&session(12 << 20), plan())).unwrap(), ROWS as u64);
}

#[test]
fn too_little_memory_is_an_error_of_its_own() {
    let world = crowd();
    let plan = population(&world.scope(), &all(CUSTOMERS), &Columns::All, Ordering::Defined).unwrap();
    let error = block(collect(&session(1 << 10), plan)).unwrap_err();
    assert!(matches!(error, QueryError::OutOfMemory(_)), "{error:?}");
    let problem = crate::diag::Problem::from(error);
    assert_eq!(problem.code, crate::diag::codes::run::OUT_OF_MEMORY);
}

#[test]
fn a_stream_can_be_dropped_at_any_time() {
    let world = crowd();
    let plan = population(&world.scope(), &all(CUSTOMERS), &Columns::All, Ordering::Any).unwrap();
    let first = block(async {
        use futures::StreamExt;
        let mut rows = stream(&session(64 << 20), plan).await.unwrap();
        rows.next().await.unwrap().unwrap().num_rows()
    });
    assert!(first > 0);
}

#[test]
fn a_stream_whose_join_does_not_fit_begins_again_by_sorting() {
    let world = crowd();
    // Everybody with everybody of the same address: a join of two large sides.
    let sides = [JoinType::Inner, JoinType::LeftSemi].map(|kind| {
        let side = || {
            let plan = population(&world.scope(), &all(CUSTOMERS), &Columns::All, Ordering::Any).unwrap();
            LogicalPlanBuilder::from(plan)
        };
        let other = side().project([col("id").alias("other"), col("email").alias("theirs")]).unwrap().build().unwrap();
        let on = (vec!["email"], vec!["theirs"]);
        side().join(other, kind, on, None).unwrap().sort([col("id").sort(true, false)]).unwrap().build().unwrap()
    });
    for (plan, wanted) in sides.into_iter().zip([20_000 * 9 + 30_000 * 4, ROWS]) {
        let small = session(9 << 20);
        let fast = block(async {
            computation(&small, plan.clone(), Joins::Fast)
                .await?
                .rows
                .try_collect::<Vec<_>>()
                .await
                .map_err(QueryError::from)
        });
        assert!(matches!(fast, Err(QueryError::OutOfMemory(_))), "the test asks for too little");
        let batches: Vec<_> =
            block(async { stream(&small, plan).await?.try_collect().await.map_err(QueryError::from) }).unwrap();
        assert_eq!(batches.iter().map(|batch| batch.num_rows() as i64).sum::<i64>(), wanted);
    }
}
