//! Operating runs: asking for messages again, removing what is old, backups, moving runs to another version.

mod backup;
mod fresh;
mod gc;
mod handover;
mod migrate;
mod retry;
mod show;
mod simulated;

use crate::mail_server::MailServer;
use crate::project::{Ended, MANIFEST, Project};

/// A club of `count` people whose profile `prod` sends through a mail server.
fn club(count: usize, server: &MailServer) -> Project {
    let manifest = format!(
        "{MANIFEST}\n[profile.prod.channel.email]\ndriver = \"smtp\"\nurl = \"smtp://127.0.0.1:{}\"\n\
         from = \"Club <news@club.test>\"\nconnections = 2\n",
        server.port
    );
    Project::crowd(count).with("orch.toml", &manifest)
}

/// Runs the binary under the profile `prod`.
fn prod(club: &Project, arguments: &[&str]) -> Ended {
    club.orch(&[arguments, &["--profile", "prod"]].concat())
}

/// The newest run of the profile `prod`, as `orch show` has it.
fn shown(club: &Project) -> serde_json::Value {
    let runs = club.json(&["runs", "--profile", "prod"], 0);
    club.json(&["show", runs["runs"][0]["run"].as_str().unwrap(), "--profile", "prod"], 0)
}

/// How often each recipient was accepted, of those that were more than once.
fn twice(server: &MailServer) -> Vec<String> {
    let mut accepted = server.accepted();
    accepted.sort();
    accepted.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0].clone()).collect()
}
