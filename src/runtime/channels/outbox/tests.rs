use super::*;
use crate::runtime::channels::testing::{email, key, outcomes};
use crate::runtime::content::Mailbox;

fn outbox(root: &Path, strict: bool) -> Outbox {
    Outbox::new(root, Composer::new(&Mailbox::parse("Shop <news@shop.test>").unwrap(), None), strict)
}

fn files(root: &Path, name: &str) -> Vec<String> {
    let entries = fs::read_dir(root.join(name)).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn all_sent(outcomes: &[(SendKey, Outcome)]) -> bool {
    outcomes.iter().all(|(_, outcome)| *outcome == Outcome::Sent { id: None })
}

#[tokio::test]
async fn sending_again_replaces_the_file() {
    let root = tempfile::tempdir().unwrap();
    for (strict, subject) in [(false, "first"), (true, "second")] {
        let outbox = outbox(root.path(), strict);
        assert_eq!(outbox.check().await, Ok(()));
        let sent = outcomes(&outbox, vec![email(1, subject), email(2, subject)]).await;
        assert!(sent.len() == 2 && all_sent(&sent));
    }
    let mut expected = [format!("{}.eml", key(1)), format!("{}.eml", key(2))];
    expected.sort();
    assert_eq!(files(root.path(), "new"), expected);
    assert!(files(root.path(), "tmp").is_empty());
    let text = fs::read_to_string(root.path().join(format!("new/{}.eml", key(1)))).unwrap();
    assert!(text.contains("\r\nSubject: second\r\n"), "{text}");
}

#[tokio::test]
async fn a_message_that_was_read_is_left_alone() {
    let root = tempfile::tempdir().unwrap();
    let outbox = outbox(root.path(), false);
    outcomes(&outbox, vec![email(1, "first"), email(2, "first")]).await;
    let read = root.path().join(format!("cur/{}.eml:2,S", key(1)));
    fs::rename(root.path().join(format!("new/{}.eml", key(1))), &read).unwrap();
    let sent = outcomes(&outbox, vec![email(1, "again"), email(2, "again")]).await;
    assert!(sent.len() == 2 && all_sent(&sent));
    assert_eq!(files(root.path(), "new"), [format!("{}.eml", key(2))]);
    assert!(fs::read_to_string(read).unwrap().contains("Subject: first"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writers_at_the_same_time_leave_whole_files() {
    let root = tempfile::tempdir().unwrap();
    let outboxes = [outbox(root.path(), false), outbox(root.path(), false), outbox(root.path(), false)];
    let batch = || (0..500).map(|n| email(n, "same")).collect::<Vec<_>>();
    let [a, b, c] = &outboxes;
    let (a, b, c) = tokio::join!(outcomes(a, batch()), outcomes(b, batch()), outcomes(c, batch()));
    for sent in [a, b, c] {
        assert!(sent.len() == 500 && all_sent(&sent));
    }
    assert_eq!(files(root.path(), "new").len(), 500);
    assert!(files(root.path(), "tmp").is_empty());
    for name in files(root.path(), "new") {
        let text = fs::read_to_string(root.path().join("new").join(name)).unwrap();
        assert!(text.starts_with("Date: ") && text.ends_with("bye\r\n"), "{text}");
    }
}

#[tokio::test]
async fn a_bad_message_fails_alone() {
    let root = tempfile::tempdir().unwrap();
    let mut bad = email(2, "x");
    bad.address = "ann@shop.test\r\nBcc: eve@evil.test".to_owned();
    let sent = outcomes(&outbox(root.path(), false), vec![email(1, "x"), bad, email(3, "x")]).await;
    let failed: Vec<_> = sent.iter().filter(|(_, outcome)| matches!(outcome, Outcome::Failed { .. })).collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].0, key(2));
    assert_eq!(files(root.path(), "new").len(), 2);
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_starts_nothing() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("outbox");
    fs::write(&file, "in the way").unwrap();
    let outbox = outbox(&file, false);
    let error = outbox.check().await.unwrap_err();
    assert!(error.message.starts_with("cannot write to the outbox `"), "{error}");
    let sent = outcomes(&outbox, vec![email(1, "x")]).await;
    assert!(matches!(&sent[..], [(_, Outcome::NotStarted { .. })]), "{sent:?}");
}

/// `cargo test --release --lib outbox::tests::speed -- --ignored --nocapture`
#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures"]
async fn speed() {
    let root = tempfile::tempdir_in("/dev/shm").unwrap();
    let outbox = outbox(root.path(), false);
    let batches: Vec<Vec<_>> = (0..50).map(|b| (0..2_000).map(|n| email(b * 2_000 + n, "Hi Zoë")).collect()).collect();
    let start = std::time::Instant::now();
    for batch in batches {
        let sent = outcomes(&outbox, batch).await;
        assert!(sent.len() == 2_000 && all_sent(&sent));
    }
    println!("100,000 messages in {:.2} s", start.elapsed().as_secs_f64());
}
