//! The simulator: random programs on random schedules of faults, by seeds.
//!
//! A case is a seed. From it come a program, a table of a dozen people and a schedule: the process dies around a
//! transaction, in a wait, before, while or after a message leaves; the power goes; the disk is full; the channel
//! defers, refuses, hangs up; the source vanishes; people pause and stop; the clock jumps. The run is driven again until
//! it is over. After every drive the accounting must balance, no message may have arrived twice, and each prefix of the
//! journal must lead to the state that was stored then; in the end everybody must have got what a model of the language
//! says, once.
//!
//! `cargo test` goes through 500 cases. More, or one again:
//!
//! ```text
//! ORCH_SIM_CASES=20000 cargo test --test it sim:: -- --nocapture
//! ORCH_SIM_FROM=500 ORCH_SIM_CASES=1000 ...
//! ORCH_SIM_SEED=17 cargo test --test it sim:: -- --nocapture       shows its program
//! ```

mod actors;
mod case;
mod chance;
mod check;
mod data;
mod generate;
mod model;
mod program;
mod world;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use orch::analysis::Workspace;
use orch::hir::CampaignId;
use orch::plan::Plan;

use case::Case;
use data::Backend;
use world::lock;

/// Cases that are analysed together, because the library is read each time.
const GROUP: u64 = 20;
/// Cases of `cargo test`.
const CASES: u64 = 500;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

/// The declarations that all programs share.
fn schema(backend: Backend) -> String {
    let source = backend.source();
    let mut text = format!(
        "entity people from {source} {{\n  id: int key\n  email: email?\n  spend: int\n  country: text\n  opt_in: bool\n  \
         consent email = opt_in\n}}\ntopic news \"News\" (consent: opt_in)\n\
         message email hello of people {{ subject: \"Hi {{id}}\"; text: \"Hello\"; topic: news }}\n"
    );
    for signal in 0..generate::SIGNALS {
        text += &format!("signal g{signal}(n: int)\n");
    }
    text
}

/// What all cases together met, and what went wrong.
#[derive(Default)]
struct Findings {
    fired: BTreeMap<String, u64>,
    wrong: Vec<(u64, String)>,
}

/// Plans and runs some cases.
fn group(seeds: &[u64], findings: &Mutex<Findings>) {
    let backend = if (seeds[0] / GROUP).is_multiple_of(2) { Backend::Csv } else { Backend::Sqlite };
    let bodies: Vec<_> = seeds.iter().map(|seed| generate::program(*seed)).collect();
    let script: String =
        seeds.iter().zip(&bodies).map(|(seed, body)| program::render(&format!("c{seed}"), body)).collect();
    let analysis = Workspace::from_files([("schema.orch", schema(backend).as_str()), ("sim.orch", script.as_str())])
        .schema(["schema.orch"])
        .default_topic("news")
        .analyze("sim.orch");
    let said = || analysis.render(orch::diag::RenderStyle::default());
    assert!(!analysis.problems.has_errors(), "seeds {seeds:?}: {}\n{script}", said());
    let program = std::sync::Arc::new(analysis.program.clone());
    for (at, (seed, body)) in seeds.iter().zip(&bodies).enumerate() {
        let plan = Plan::new(program.clone(), CampaignId(at as u32), &analysis.sources).unwrap();
        let case = Case { seed: *seed, plan: &plan, body, backend };
        let verdict = catch_unwind(AssertUnwindSafe(|| case::run(&case))).unwrap_or_else(|payload| {
            let text = payload.downcast_ref::<String>().map(String::as_str);
            Err(format!("it panicked: {}", text.or(payload.downcast_ref::<&str>().copied()).unwrap_or("?")))
        });
        let mut findings = lock(findings);
        match verdict {
            Ok(fired) => fired.into_iter().for_each(|(what, times)| *findings.fired.entry(what).or_default() += times),
            Err(why) => {
                let text = program::render(&format!("c{seed}"), body);
                eprintln!("ORCH_SIM_SEED={seed} ({backend:?}): {why}\n{text}");
                findings.wrong.push((*seed, why));
            }
        }
    }
}

#[test]
fn random_programs_survive_random_faults() {
    if let Some(seed) = setting("ORCH_SIM_SEED") {
        eprintln!("{}", program::render(&format!("c{seed}"), &generate::program(seed)));
        let findings = Mutex::default();
        group(&[seed], &findings);
        let findings = findings.into_inner().unwrap();
        assert!(findings.wrong.is_empty(), "{:?}\n{:#?}", findings.wrong, findings.fired);
        return;
    }
    let (from, cases) = (setting("ORCH_SIM_FROM").unwrap_or(0), setting("ORCH_SIM_CASES").unwrap_or(CASES));
    let next = AtomicU64::new(from / GROUP);
    let findings = Mutex::default();
    let begin = std::time::Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                loop {
                    let first = next.fetch_add(1, Ordering::SeqCst) * GROUP;
                    if first >= from + cases {
                        return;
                    }
                    let seeds: Vec<u64> = (first.max(from)..(first + GROUP).min(from + cases)).collect();
                    group(&seeds, &findings);
                }
            });
        }
    });
    let findings = findings.into_inner().unwrap();
    eprintln!("{cases} cases in {:?}: {:#?}", begin.elapsed(), findings.fired);
    let seeds: Vec<u64> = findings.wrong.iter().map(|(seed, _)| *seed).collect();
    assert!(seeds.is_empty(), "{} of {cases} cases failed, run them with ORCH_SIM_SEED: {seeds:?}", seeds.len());
    if cases >= CASES {
        for site in world::Site::ALL {
            let times = findings.fired.get(&format!("crash at {site:?}")).copied().unwrap_or(0);
            assert!(times >= 5, "only {times} processes died at {site:?}");
        }
    }
}
