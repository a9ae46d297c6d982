//! Programs by hand: what the checker would make of source text.

use std::sync::atomic::{AtomicU32, Ordering};

use super::World;
use crate::base::{SourceId, Span};
use crate::hir::*;

pub const CUSTOMERS: EntityId = EntityId(0);
pub const ORDERS: EntityId = EntityId(1);
pub const STORES: EntityId = EntityId(2);

pub fn span() -> Span {
    Span::new(SourceId(0), 0, 0)
}

pub fn fresh() -> RowId {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    RowId(NEXT.fetch_add(1, Ordering::Relaxed))
}

fn field(name: &str, ty: Ty) -> Field {
    Field { name: name.to_owned(), span: span(), doc: None, ty, default: None }
}

fn relation(name: &str, many: bool, target: EntityId, here: u32, there: u32) -> Relation {
    let on = vec![(FieldId(here), FieldId(there))];
    Relation { name: name.to_owned(), span: span(), doc: None, many, target, on }
}

fn entity(name: &str, fields: Vec<Field>, relations: Vec<Relation>) -> Entity {
    Entity {
        name: name.to_owned(),
        span: span(),
        doc: None,
        source: None,
        fields,
        relations,
        key: vec![FieldId(0)],
        consent: Vec::new(),
        person: None,
    }
}

fn t(kind: TyKind) -> Ty {
    Ty::of(kind)
}

/// Customers, orders and stores, without rows.
pub fn shop() -> World {
    use TyKind::*;
    let customers = entity(
        "customers",
        vec![
            field("id", t(Int)),
            field("email", t(Email).or_null()),
            field("city", t(Text).or_null()),
            field("spend", t(Decimal).or_null()),
            field("store_id", t(Int).or_null()),
            field("joined", t(Date).or_null()),
        ],
        vec![relation("orders", true, ORDERS, 0, 1), relation("store", false, STORES, 4, 0)],
    );
    let orders = entity(
        "orders",
        vec![
            field("id", t(Int)),
            field("customer_id", t(Int).or_null()),
            field("amount", t(Decimal).or_null()),
            field("quantity", t(Int).or_null()),
            field("placed_at", t(Timestamp).or_null()),
        ],
        vec![relation("customer", false, CUSTOMERS, 1, 0)],
    );
    let stores = entity(
        "stores",
        vec![field("id", t(Int)), field("City", t(Text).or_null())],
        vec![relation("customers", true, CUSTOMERS, 0, 4)],
    );
    let program = Program { entities: vec![customers, orders, stores], ..Program::default() };
    World { program, memory: Default::default(), locals: Default::default(), clock: super::PARIS }
}

pub fn query(entity: EntityId, kind: QueryKind) -> Query {
    Query { kind, ty: SegmentTy::of(entity), span: span() }
}

pub fn all(entity: EntityId) -> Query {
    query(entity, QueryKind::Entity(entity))
}

/// `input where ...`
pub fn filtered(input: Query, predicate: impl FnOnce(RowId) -> Expr) -> Query {
    let row = fresh();
    let predicate = predicate(row);
    let ty = input.ty.clone();
    Query { ty, span: span(), kind: QueryKind::Where { input: Box::new(input), row, predicate } }
}

pub fn related(row: RowId, path: &[u32], entity: EntityId) -> Query {
    query(entity, QueryKind::Related { row, path: path.iter().map(|id| RelationId(*id)).collect() })
}

pub fn set(op: SetOp, left: Query, right: Query) -> Query {
    let ty = left.ty.clone();
    Query { ty, span: span(), kind: QueryKind::SetOp { op, left: Box::new(left), right: Box::new(right), on: vec![] } }
}

pub fn e(kind: ExprKind, ty: Ty) -> Expr {
    Expr { kind, ty, span: span() }
}

pub fn col(row: RowId, field: u32, kind: TyKind) -> Expr {
    path(row, &[], field, kind)
}

pub fn path(row: RowId, path: &[u32], field: u32, kind: TyKind) -> Expr {
    let path = path.iter().map(|id| RelationId(*id)).collect();
    e(ExprKind::Column { row, path, column: ColumnRef::Field(FieldId(field)) }, t(kind).or_null())
}

pub fn added(row: RowId, name: &str, kind: TyKind) -> Expr {
    let column = ColumnRef::Added(name.to_owned());
    e(ExprKind::Column { row, path: vec![], column }, t(kind).or_null())
}

pub fn lit(value: Value, kind: TyKind) -> Expr {
    e(ExprKind::Literal(value), t(kind))
}

pub fn int(value: i64) -> Expr {
    lit(Value::Int(value), TyKind::Int)
}

pub fn text(value: &str) -> Expr {
    lit(Value::Text(value.to_owned()), TyKind::Text)
}

pub fn decimal(value: &str) -> Expr {
    lit(Value::Decimal(value.parse().unwrap()), TyKind::Decimal)
}

pub fn binary(op: BinaryOp, left: Expr, right: Expr, kind: TyKind) -> Expr {
    e(ExprKind::Binary { op, left: Box::new(left), right: Box::new(right) }, t(kind).or_null())
}

pub fn cmp(op: BinaryOp, left: Expr, right: Expr) -> Expr {
    binary(op, left, right, TyKind::Bool)
}

pub fn not(value: Expr) -> Expr {
    e(ExprKind::Not(Box::new(value)), t(TyKind::Bool))
}

pub fn exists(query: Query) -> Expr {
    e(ExprKind::Exists(Box::new(query)), t(TyKind::Bool))
}

pub fn aggregate(function: AggregateFn, value: impl FnOnce(RowId) -> Option<Expr>, of: Query, ty: Ty) -> Expr {
    let row = fresh();
    let values = value(row).into_iter().map(|value| ("value".to_owned(), value)).collect();
    e(ExprKind::Aggregate(Box::new(Aggregate { function, values, row, query: of, args: vec![] })), ty)
}

pub fn count(query: Query) -> Expr {
    aggregate(AggregateFn::Count, |_| None, query, t(TyKind::Int))
}
