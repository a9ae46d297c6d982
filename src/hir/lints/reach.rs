//! Statements that are never reached.

use super::super::check::ends;
use super::super::problem::Lint;
use super::super::visit::blocks;
use super::super::{Stmt, StmtKind};

/// The first statement after one that ends the run, in each block.
pub(super) fn statements(stmts: &[Stmt], found: &mut Vec<Lint>) {
    for pair in stmts.windows(2) {
        let [last, next] = pair else { continue };
        if ends(std::slice::from_ref(last)) {
            let because = "the run ends here";
            found.push(Lint::Unreachable { span: next.span, after: end_of(last).span, because });
            break;
        }
    }
    for stmt in stmts {
        blocks(&stmt.kind).into_iter().for_each(|block| statements(block, found));
    }
}

/// The `stop` or `fail` itself, where there is just one.
fn end_of(stmt: &Stmt) -> &Stmt {
    match &stmt.kind {
        StmtKind::Parallel { branches } => {
            branches.iter().flat_map(|(_, body)| body).find(|inner| ends(std::slice::from_ref(*inner))).unwrap_or(stmt)
        }
        _ => stmt,
    }
}
