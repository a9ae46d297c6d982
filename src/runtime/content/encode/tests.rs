use super::*;

fn part(text: &str) -> String {
    let mut out = String::new();
    text_part(&mut out, "plain", text);
    let (_, rest) = out.split_once("Content-Transfer-Encoding: ").unwrap();
    let (encoding, body) = rest.split_once("\r\n\r\n").unwrap();
    format!("{encoding}|{body}")
}

fn header(value: &str) -> String {
    let mut out = String::new();
    unstructured(&mut out, "Subject", value);
    out
}

fn name(value: &str) -> String {
    let mut out = String::new();
    phrase(&mut out, value);
    out
}

#[test]
fn bodies_get_the_lightest_encoding_that_is_safe() {
    assert_eq!(part("Hello,\nworld\r\n\r\nbye\rnow"), "7bit|Hello,\r\nworld\r\n\r\nbye\r\nnow\r\n");
    assert_eq!(part("Zoë = 1 \n.\n"), "quoted-printable|Zo=C3=AB =3D 1=20\r\n.\r\n");
    assert_eq!(part("🙂🙂"), "base64|8J+ZgvCfmYINCg==\r\n");
    assert_eq!(part("bell\u{7}"), "quoted-printable|bell=07\r\n");
    assert_eq!(part(""), "7bit|");
}

#[test]
fn no_line_is_ever_long() {
    for text in ["a".repeat(5_000), "é ".repeat(3_000), "漢字".repeat(3_000), "ab ".repeat(2_000)] {
        let encoded = part(&text);
        assert!(encoded.split("\r\n").all(|line| line.len() <= 998), "{}", &encoded[..40]);
        assert!(encoded.is_ascii());
        assert!(!encoded.replace("\r\n", "").contains(['\r', '\n']));
    }
    let quoted = part(&"Zoë est là ".repeat(3_000));
    let body = quoted.strip_prefix("quoted-printable|").unwrap();
    assert!(body.split("\r\n").all(|line| line.len() <= 76));
}

#[test]
fn headers_are_one_field_whatever_they_hold() {
    assert_eq!(header("Hi Ann, welcome"), "Subject: Hi Ann, welcome\r\n");
    assert_eq!(header("Hi\r\nBcc: eve@evil.test"), "Subject: Hi Bcc: eve@evil.test\r\n");
    assert_eq!(header("a\nb\u{0}c\u{85}d\u{2028}e"), "Subject: a b c d e\r\n");
    assert_eq!(header("Hi Zoë"), "Subject: =?utf-8?Q?Hi_Zo=C3=AB?=\r\n");
    assert_eq!(header("漢字"), "Subject: =?utf-8?B?5ryi5a2X?=\r\n");
    assert_eq!(header("=?utf-8?Q?fake?="), "Subject: =?utf-8?B?PT91dGYtOD9RP2Zha2U/PQ==?=\r\n");
    assert_eq!(header(""), "Subject: \r\n");
}

#[test]
fn long_headers_fold_between_words_and_characters() {
    let folded = header(&"word ".repeat(40));
    assert!(folded.trim_end().split("\r\n").all(|line| line.len() <= 78 && !line.trim().is_empty()));
    assert_eq!(folded.replace("\r\n ", " ").trim_end(), format!("Subject: {}", "word ".repeat(40).trim_end()));
    for text in ["Zoë 🙂 ".repeat(30), "漢".repeat(200), "x".repeat(2_000)] {
        let encoded = header(&text);
        assert!(encoded.split("\r\n").all(|line| line.len() <= 76), "{encoded}");
        assert!(encoded.is_ascii());
    }
}

#[test]
fn names_are_quoted_when_they_must() {
    assert_eq!(name("Shop"), "Shop");
    assert_eq!(name("Shop, Paris"), "\"Shop, Paris\"");
    assert_eq!(name("The \"Shop\""), "\"The \\\"Shop\\\"\"");
    assert_eq!(name("Café (Paris)"), "=?utf-8?Q?Caf=C3=A9_=28Paris=29?=");
    assert_eq!(name("Shop>\r\nBcc: eve@evil.test"), "\"Shop> Bcc: eve@evil.test\"");
}

#[test]
fn dates_are_in_utc() {
    let mut out = String::new();
    date(&mut out, "2026-11-23T08:00:05Z".parse().unwrap());
    assert_eq!(out, "Mon, 23 Nov 2026 08:00:05 +0000");
}
