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

#[test]
fn digests_agree_with_other_programs() {
    use digests::{hex, md5, sha1, sha256, sha512, uuid};
    let long = "a".repeat(200);
    let long = long.as_bytes();
    assert_eq!(hex(&md5(b""))[..32], *"d41d8cd98f00b204e9800998ecf8427e");
    assert_eq!(hex(&md5(b"abc"))[..32], *"900150983cd24fb0d6963f7d28e17f72");
    assert_eq!(hex(&md5(long))[..32], *"887f30b43b2867f4a9accceee7d16e6c");
    assert_eq!(hex(&sha1(b""))[..32], *"da39a3ee5e6b4b0d3255bfef95601890");
    assert_eq!(hex(&sha1(b"abc"))[..32], *"a9993e364706816aba3e25717850c26c");
    assert_eq!(hex(&sha1(long))[..32], *"e61cfffe0d9195a525fc6cf06ca2d771");
    assert_eq!(hex(&sha256(b""))[..32], *"e3b0c44298fc1c149afbf4c8996fb924");
    assert_eq!(hex(&sha256(b"abc"))[..32], *"ba7816bf8f01cfea414140de5dae2223");
    assert_eq!(hex(&sha256(long))[..32], *"c2a908d98f5df987ade41b5fce213067");
    assert_eq!(hex(&sha512(b""))[..32], *"cf83e1357eefb8bdf1542850d66d8007");
    assert_eq!(hex(&sha512(b"abc"))[..32], *"ddaf35a193617abacc417349ae204131");
    assert_eq!(hex(&sha512(long))[..32], *"4b11459c33f52a22ee8236782714c150");
    assert_eq!(uuid(b"a"), "e1407479-3136-56c0-9908-bb02fb0339e2");
}
