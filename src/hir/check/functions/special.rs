//! Result types of natives that the declaration syntax cannot express.

use super::{Native, Shape};
use crate::hir::check::expr::relate::unify;
use crate::hir::{Expr, Ty, TyKind};

/// The result type of a call whose arguments are checked. `Err` holds two arguments whose types do not go together.
pub(crate) fn result(native: &Native, args: &[Expr]) -> Result<Ty, (usize, usize)> {
    let any_null = args.iter().any(|arg| arg.ty.nullable);
    match native.name {
        // Null only where all are.
        "coalesce" | "greatest" | "least" => {
            let kind = common(args)?;
            Ok(Ty { kind, nullable: args.iter().all(|arg| arg.ty.nullable) })
        }
        "null_if" => common(args).map(|_| args[0].ty.clone().or_null()),
        "element" => Ok(element(args).or_null()),
        // Nulls are skipped or seen, never passed on.
        "concat" | "join_words" | "all_present" => Ok(declared(native, args)),
        _ => Ok(declared(native, args).null_if(any_null || native.may_be_null)),
    }
}

/// The declared result, without regard to nulls.
fn declared(native: &Native, args: &[Expr]) -> Ty {
    let first = || args.first().map_or(TyKind::Error, |arg| arg.ty.kind.clone());
    Ty::of(match &native.result {
        Shape::Kind(kind) => kind.clone(),
        Shape::Number | Shape::Moment | Shape::Any | Shape::Values => first(),
    })
}

fn element(args: &[Expr]) -> Ty {
    match args.first().map(|arg| &arg.ty.kind) {
        Some(TyKind::List(element)) => (**element).clone(),
        _ => Ty::error(),
    }
}

/// The type that all arguments widen to.
fn common(args: &[Expr]) -> Result<TyKind, (usize, usize)> {
    let mut common = args.first().map_or_else(Ty::error, |arg| arg.ty.clone());
    for (at, arg) in args.iter().enumerate().skip(1) {
        common = unify(&common, &arg.ty).ok_or((0, at))?;
    }
    Ok(common.kind)
}
