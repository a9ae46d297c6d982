//! What is not reached through queries.

use super::*;
use crate::hir::Value;

#[test]
fn tickets_never_change() {
    let text = |text: &str| Value::Text(text.to_owned());
    let tickets = [
        ticket("", &[]),
        ticket("spring", &[Value::Int(1)]),
        ticket("spring", &[text("1")]),
        ticket("spring", &[Value::Int(1), Value::Int(2)]),
        ticket("spring", &[Value::Int(12)]),
        ticket("spring1", &[]),
    ];
    let expected = [
        3_551_464_835_523_403_889,
        9_870_085_227_282_794_034,
        9_870_085_227_282_794_034,
        8_243_524_186_968_743_918,
        2_249_455_102_559_198,
        17_108_252_839_502_903_382,
    ];
    assert_eq!(tickets, expected);
    // The hash of one part of no bytes: eight zero bytes.
    let bytes: [u8; 8] = blake3::hash(&[0; 8]).as_bytes()[..8].try_into().unwrap();
    assert_eq!(tickets[0], u64::from_le_bytes(bytes));
}

#[test]
fn thresholds_divide_the_tickets() {
    let threshold = |share: &str| ticket_threshold(share.parse().unwrap());
    assert_eq!(threshold("0"), Some(0));
    assert_eq!(threshold("0.5"), Some(1 << 63));
    assert_eq!(threshold("0.25"), Some(1 << 62));
    assert_eq!(threshold("1"), None);
    assert_eq!(threshold("1.5"), None);
    assert_eq!(threshold("-0.1"), Some(0));
    assert_eq!(threshold("0.9999999999999999999999999999").map(|most| most > u64::MAX - 100), Some(true));
}

#[test]
fn every_declared_native_is_registered() {
    let declared =
        crate::stdlib::PRELUDE[0].1.lines().filter_map(|line| line.split_once("builtin \"")?.1.strip_suffix('"'));
    let missing: Vec<&str> = declared.filter(|name| !natives::is_registered(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
