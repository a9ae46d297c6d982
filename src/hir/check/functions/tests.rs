use super::{NativeDefault, PRELUDE, Shape, aggregate, native, natives, other_name, shape};
use crate::base::SourceId;
use crate::hir::check::testing::check;
use crate::hir::{TyKind, Value};
use crate::syntax::ast::{Define, DefineBody, StmtKind, TypeExpr, TypeExprKind};
use crate::syntax::parse;

#[test]
fn declarations_of_the_prelude_are_read() {
    let native = native("join").unwrap();
    assert_eq!(native.params[0].shape, Shape::Values);
    assert_eq!(native.params[1].default, Some(NativeDefault::Value(Value::Text(", ".to_owned()))));
    assert_eq!(native.result, Shape::Kind(TyKind::Text));
    assert!(natives().len() > 100, "{}", natives().len());
}

#[test]
fn advice_names_functions_that_exist() {
    for theirs in ["DaysDiff", "Smart", "LPad", "date_trunc"] {
        let advice = other_name(theirs).unwrap();
        let ours = advice.split('`').nth(1).unwrap();
        assert!(native(ours).is_some(), "{advice}");
    }
}

/// The definitions of the prelude as the parser reads them.
fn parsed() -> Vec<Define> {
    let parsed = parse(SourceId(0), PRELUDE);
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
    let define = |kind| match kind {
        StmtKind::Define(define) => Some(*define),
        _ => None,
    };
    parsed.file.stmts.into_iter().filter_map(|stmt| define(stmt.kind)).collect()
}

fn parsed_shape(ty: &TypeExpr) -> Shape {
    match &ty.kind {
        TypeExprKind::Name(name) => shape(&name.text),
        TypeExprKind::List(_) => Shape::Values,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_parser_reads_the_same_declarations() {
    let parsed = parsed();
    assert_eq!(parsed.len(), natives().len());
    for define in parsed {
        let name = &define.name.text;
        let native = native(name).unwrap_or_else(|| panic!("{name}"));
        assert!(matches!(&define.body, DefineBody::Builtin(builtin) if builtin.value == *name), "{name}");
        let result = define.ty.as_ref().unwrap();
        assert_eq!((parsed_shape(result), result.nullable), (native.result.clone(), native.may_be_null), "{name}");
        assert_eq!(define.params.len(), native.params.len(), "{name}");
        for (written, read) in define.params.iter().zip(&native.params) {
            assert_eq!(written.name.text, read.name, "{name}");
            assert_eq!(parsed_shape(&written.ty), read.shape, "{name}");
            assert_eq!(written.default.is_some(), read.default.is_some(), "{name}");
        }
    }
}

#[test]
fn every_native_is_documented() {
    let lines: Vec<&str> = PRELUDE.lines().collect();
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.starts_with("define ")) {
        assert!(at > 0 && lines[at - 1].starts_with("## "), "{line}");
    }
}

#[test]
fn examples_are_conditions() {
    let examples: Vec<&str> = PRELUDE.lines().filter_map(|line| line.strip_prefix("## example: ")).collect();
    assert!(examples.len() > 80, "{}", examples.len());
    for example in examples {
        let checked = check(&format!("let it = {example}"));
        let ty = checked.local("it").map(|ty| ty.kind.clone());
        let lint_only = ["compared_with_itself"];
        let codes: Vec<_> = checked.codes().into_iter().filter(|code| !lint_only.contains(&code.as_str())).collect();
        assert!(codes.is_empty() && ty == Some(TyKind::Bool), "{example}: {}", checked.rendered());
    }
}

#[test]
fn a_script_may_use_the_names_of_natives() {
    let checked =
        check("entity week from \"w.csv\" { id: int key }\ndefine lower(x: int): int = x - 1\nlet a = lower(3)");
    assert_eq!(checked.codes(), Vec::<String>::new());
    assert!(aggregate("count").is_some());
}

#[test]
fn the_documents_list_every_function() {
    let page = include_str!("../../../../docs/functions.md");
    for name in super::names() {
        assert!(page.contains(&format!("`{name}(")), "{name}");
    }
}
