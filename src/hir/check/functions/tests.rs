use super::{NativeDefault, Shape, native, natives, other_name};
use crate::hir::{TyKind, Value};

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
