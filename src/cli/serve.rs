//! `orch serve`

mod announce;
mod daemon;
mod scripts;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use super::environment::secret;
use super::host::{self, Holding};
use super::{Context, Exit, Failure, drive, project};
use crate::base::SourceMap;
use crate::diag::{Problem, codes};
use crate::project::Project;
use crate::report::{count, moment};
use crate::runtime::clock::{Clock, WallClock};
use crate::runtime::store::sqlite::SqliteStore;
use crate::runtime::store::{Agenda, CampaignRecord};
use crate::runtime::{Cancel, Conductor, Engine, RunError, Scope};
use crate::serve::{Server, Token, read_or_make};
use announce::ServeHost;
use daemon::ProjectDaemon;
use scripts::ProjectScripts;

/// Where the daemon listens unless told otherwise.
const ADDRESS: &str = "127.0.0.1:7474";
/// The file of the state directory that holds the token that we make.
const TOKEN_FILE: &str = "serve.token";
/// Starts of each schedule that a dry run shows.
const SHOWN: usize = 5;
/// How often the state is asked for that another command holds for a moment.
const ATTEMPTS: u32 = 20;

/// Start campaigns by schedule and signal, and go on with every run that is due
///
/// Stays in the foreground until it is interrupted; then what is in the air is awaited, every run is parked and the next
/// `orch serve` goes on. Other commands work as always: it takes their runs, signals and answers.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  orch serve
  orch serve --dry-run                  when campaigns start next; nothing is started
  orch serve --once                     start and go on with what is due, then end: for cron
  curl -H \"Authorization: Bearer $(cat .orch/dev/serve.token)\" -d '{\"sku\": \"A-17\"}' \\
       http://127.0.0.1:7474/signals/stock_in")]
pub struct Arguments {
    /// Where to take signals; by default what `[serve] listen` says, or 127.0.0.1:7474. Port 0 is any free one
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<String>,
    /// Only say when campaigns start next
    #[arg(long, conflicts_with_all = ["listen", "once"])]
    pub dry_run: bool,
    /// End when nothing is due any more, and listen nowhere
    #[arg(long, conflicts_with = "listen")]
    pub once: bool,
}

/// The machine-readable announcement; fields are only ever added.
#[derive(Serialize)]
struct ServeJson {
    /// None with `--once`.
    address: Option<String>,
    campaigns: usize,
    open_runs: u64,
}

/// Serves until asked to stop.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let project = project::open(&context.globals, Path::new("."))?;
    let scripts = ProjectScripts::new(&project, context);
    if arguments.dry_run {
        return dry_run(&project, &scripts, context);
    }
    let failed = |error: RunError| host::run_failure(&error, SourceMap::new());
    let engine = host::engine(&project, &[], context)?;
    let store = Arc::new(claim_store(&project, &engine)?);
    let listening = match arguments.once {
        true => None,
        false => {
            let address = address(arguments, &project, context)?;
            let server = Server::listen(address, engine.handle()).map_err(|error| cannot_listen(address, &error))?;
            Some((server, token(&project, context)?))
        }
    };
    let cancel = Cancel::default();
    engine.cancel_on_interrupt(&cancel, drive::leave);
    let host = ServeHost::new(&project, context, &scripts);
    let conductor = Conductor::new(&engine, store.as_ref(), &WallClock, &host, Scope::Project);
    conductor.prepare().map_err(failed)?;
    let open_runs = store.open_runs().map_err(|error| failed(error.into()))?;
    announce(listening.as_ref().map(|(server, token)| (server, token.1.as_str())), &scripts, open_runs, context);
    let serving = listening.map(|(server, (token, _))| {
        let runtime = engine.handle();
        let daemon = ProjectDaemon::new(&project, Arc::clone(&store), &scripts, conductor.bell(), runtime.clone());
        server.start(Arc::new(daemon), token, runtime)
    });
    let ended = match arguments.once {
        true => conductor.conduct_due(&cancel),
        false => conductor.conduct(&cancel),
    };
    if let Some(serving) = serving {
        serving.stop();
    }
    ended.map_err(failed)?;
    if !context.output.is_json() {
        let open = store.open_runs().map_err(|error| failed(error.into()))?;
        context.output.line(format!("stopped · {} open, the next `orch serve` goes on", runs_of(open)));
    }
    Ok(Exit::Done)
}

/// `1 run`, `10,000 runs`
fn runs_of(number: u64) -> String {
    format!("{} run{}", count(number), if number == 1 { "" } else { "s" })
}

/// Takes the state. A command that holds it only for a moment is waited for.
fn claim_store(project: &Project, engine: &Engine) -> Result<SqliteStore, Failure> {
    for _ in 0..ATTEMPTS {
        if let Holding::Ours(store) = host::holding(project)? {
            return Ok(store);
        }
        engine.pause(jiff::SignedDuration::from_millis(100), &Cancel::default());
    }
    host::store(project)
}

fn address(arguments: &Arguments, project: &Project, context: &Context) -> Result<SocketAddr, Failure> {
    let written = arguments.listen.as_ref().or(project.settings.serve.listen.as_ref());
    let written = written.map_or(ADDRESS, String::as_str);
    let address: SocketAddr = written.parse().map_err(|_| {
        Problem::outside(codes::run::CANNOT_LISTEN, format!("`{written}` is not an address and a port"))
            .help(format!("write numbers, such as `{ADDRESS}`"))
    })?;
    if !address.ip().is_loopback() {
        let warning = format!("warning: {address} can be reached from other machines, without encryption");
        context.output.remark(warning);
    }
    Ok(address)
}

fn cannot_listen(address: SocketAddr, error: &std::io::Error) -> Failure {
    let why = super::failure::reason(error);
    Problem::outside(codes::run::CANNOT_LISTEN, format!("cannot listen at {address}: {why}"))
        .help("choose another address with `--listen 127.0.0.1:PORT`; port 0 is any free one")
        .into()
}

/// The token of the manifest, or the one in the state directory; and where it is found.
fn token(project: &Project, _context: &Context) -> Result<(Token, String), Failure> {
    if let Some(written) = &project.settings.serve.token {
        let token = secret(written, project)?;
        if token.expose().trim().is_empty() {
            let problem = Problem::outside(codes::run::MISSING_SECRET, "the token of `[serve]` is empty")
                .help("set it to something nobody can guess, or remove it: then `orch serve` makes one");
            return Err(problem.into());
        }
        return Ok((Token::new(token.expose().trim()), "token of orch.toml".to_owned()));
    }
    let path = host::folders(project).state.join(TOKEN_FILE);
    let token = read_or_make(&path).map_err(|error| Failure::unwritable(&path, &error))?;
    Ok((token, format!("token in {}", host::shown(&path))))
}

fn announce(listening: Option<(&Server, &str)>, scripts: &ProjectScripts<'_>, open_runs: u64, context: &Context) {
    let campaigns = scripts.known();
    if context.output.is_json() {
        let address = listening.map(|(server, _)| format!("http://{}", server.address()));
        context.output.json(&ServeJson { address, campaigns, open_runs });
        return;
    }
    let what = format!("{campaigns} campaign{} · {} open", if campaigns == 1 { "" } else { "s" }, runs_of(open_runs));
    context.output.line(match listening {
        Some((server, token)) => format!("serving on http://{} · {token} · {what}", server.address()),
        None => what,
    });
}

/// A campaign in the list of a dry run.
#[derive(Serialize)]
struct PlannedJson {
    campaign: String,
    file: String,
    schedule: Option<String>,
    signal: Option<String>,
    next: Vec<jiff::Timestamp>,
}

#[derive(Serialize)]
struct DryRunJson {
    scheduled: Vec<PlannedJson>,
}

/// Says when campaigns start next, without starting any.
fn dry_run(project: &Project, scripts: &ProjectScripts<'_>, context: &Context) -> Result<Exit, Failure> {
    let zone = project.settings.project.timezone.rules();
    let failed = |error| host::run_failure(&RunError::Store(error), SourceMap::new());
    let records: Vec<CampaignRecord> = match host::store_to_read(project)? {
        Some(store) => store.campaigns().map_err(failed)?,
        None => Vec::new(),
    };
    let mut scheduled = Vec::new();
    for (file, plan) in scripts.declared() {
        let campaign = plan.campaign();
        let record = records.iter().find(|record| record.file == file && record.campaign == campaign.name);
        let text = campaign.schedule.as_ref().map(ToString::to_string);
        // What was missed is started first.
        let begin = record.filter(|record| record.schedule == text).map_or(WallClock.now(), |record| record.considered);
        let mut next = Vec::new();
        if let Some(schedule) = &campaign.schedule {
            let first = schedule.next_after(begin, &zone).map(|at| at.max(WallClock.now()));
            next.extend(std::iter::successors(first, |at| schedule.next_after(*at, &zone)).take(SHOWN));
        }
        let signal = campaign.trigger.map(|signal| plan.program[signal].name.clone());
        scheduled.push(PlannedJson { campaign: campaign.name.clone(), file, schedule: text, signal, next });
    }
    let exit = if scripts.is_broken() { Exit::Problems } else { Exit::Done };
    if context.output.is_json() {
        context.output.json(&DryRunJson { scheduled });
        return Ok(exit);
    }
    if scheduled.is_empty() {
        context.output.line("no campaign starts by itself · give one a schedule, such as `every monday at 09:00`");
    }
    for planned in &scheduled {
        let by = planned.schedule.clone().or(planned.signal.as_ref().map(|name| format!("on signal {name}")));
        context.output.line(format!("{} · {}", planned.campaign, by.unwrap_or_default()));
        for at in &planned.next {
            context.output.line(format!("  {}", moment(*at, &zone)));
        }
    }
    Ok(exit)
}
