use super::*;
use crate::runtime::channels::SendKey;
use std::sync::Arc;

fn composer() -> Composer {
    Composer::new(&Mailbox::parse("Shop Café <news@Shop.test>").unwrap(), None)
}

fn message(email: Email) -> OutgoingMessage {
    OutgoingMessage {
        key: SendKey([0xab; 16]),
        address: "amelie@shop.test".to_owned(),
        content: Content::Email(email),
        date: "2026-11-23T08:00:00Z".parse().unwrap(),
        entity: "17".to_owned(),
        context: Arc::new(SendContext {
            run: "vip-7K2M".to_owned(),
            campaign: "vip".to_owned(),
            step: "3".to_owned(),
            message: Some("welcome".to_owned()),
            topic: Some(ListTopic { name: "news".to_owned(), title: Some("Weekly news".to_owned()) }),
        }),
    }
}

fn compose(message: &OutgoingMessage) -> String {
    let mut out = String::new();
    composer().compose(message, &mut out).unwrap();
    assert!(out.is_ascii());
    assert!(!out.replace("\r\n", "").contains(['\r', '\n']), "a bare line end");
    out.replace("\r\n", "\n")
}

#[test]
fn a_marketing_message_with_html() {
    let email = Email {
        subject: "Bonjour Amélie, bienvenue 🙂".to_owned(),
        html: Some("<p>Bonjour <b>Amélie</b>,</p><p>C'est &lt;ici&gt;.</p>".to_owned()),
        unsubscribe: Some("https://mail.shop.test/u/abc".to_owned()),
        reply_to: Some("help@shop.test".to_owned()),
        ..Email::default()
    };
    insta::assert_snapshot!(compose(&message(email)));
}

#[test]
fn a_plain_transactional_message() {
    let email =
        Email { subject: "Your order".to_owned(), text: Some("It is on its way.".to_owned()), ..Email::default() };
    let mut message = message(email);
    message.context = Arc::default();
    insta::assert_snapshot!(compose(&message));
}

#[test]
fn a_message_of_another_channel() {
    let mut message = message(Email::default());
    message.address = "+33612345678".to_owned();
    message.content = Content::Fields(vec![("body".to_owned(), "Your lamp is back 💡\nSee you".to_owned())]);
    message.context = Arc::default();
    insta::assert_snapshot!(compose(&message));
}

#[test]
fn values_cannot_add_headers() {
    let evil = "x\r\nBcc: eve@evil.test\r\n\r\nHello";
    let mut message = message(Email { subject: evil.to_owned(), text: Some("hi".to_owned()), ..Email::default() });
    let context = Arc::make_mut(&mut message.context);
    context.campaign = evil.to_owned();
    context.topic = Some(ListTopic { name: evil.to_owned(), title: Some(evil.to_owned()) });
    let text = compose(&message);
    let (headers, body) = text.split_once("\n\n").unwrap();
    assert!(!headers.contains("\nBcc"), "{headers}");
    assert_eq!(body, "hi\n");
}

#[test]
fn what_cannot_be_put_together_is_an_error() {
    let compose = |message: &OutgoingMessage| composer().compose(message, &mut String::new()).unwrap_err().to_string();
    let mut wrong = message(Email::default());
    wrong.address = "ann@shop.test\r\nBcc: eve@evil.test".to_owned();
    assert_eq!(compose(&wrong), "the recipient's address holds a control character");
    let wrong = message(Email { from: Some("Shop <news>".to_owned()), ..Email::default() });
    assert_eq!(compose(&wrong), "the sender `Shop <news>` has no `@`");
    let wrong = message(Email { unsubscribe: Some("https://x.test/a b".to_owned()), ..Email::default() });
    assert_eq!(compose(&wrong), "`https://x.test/a b` cannot be an unsubscribe address");
}

#[test]
fn mailboxes() {
    let cases = [
        ("news@shop.test", "news@shop.test"),
        ("Shop <news@shop.test>", "Shop <news@shop.test>"),
        ("\"Shop, Paris\" <news@shop.test>", "\"Shop, Paris\" <news@shop.test>"),
        ("Café <news@shop.test>", "=?utf-8?B?Q2Fmw6k=?= <news@shop.test>"),
        ("<news@shop.test>", "news@shop.test"),
    ];
    for (text, expected) in cases {
        assert_eq!(Mailbox::parse(text).unwrap().encoded(), expected, "{text}");
    }
    assert!(Mailbox::parse("Shop <news@shop.test").is_err());
    assert!(Mailbox::parse("Shop").is_err());
}

/// `cargo test --release --lib compose::tests::speed -- --ignored --nocapture`
#[test]
#[ignore = "measures"]
fn speed() {
    let text = "Bonjour Amélie, voici les nouvelles de la semaine.\n".repeat(20);
    let email = Email {
        subject: "Bonjour Amélie".to_owned(),
        html: Some(format!("<p>{text}</p>")),
        text: Some(text),
        unsubscribe: Some("https://mail.shop.test/u/abc".to_owned()),
        ..Email::default()
    };
    let (message, composer) = (message(email), composer());
    let start = std::time::Instant::now();
    let mut out = String::new();
    for _ in 0..100_000 {
        out.clear();
        composer.compose(&message, &mut out).unwrap();
    }
    println!("{} bytes, {:.0} messages/s", out.len(), 100_000.0 / start.elapsed().as_secs_f64());
    assert!(out.ends_with("--\r\n"));
}
