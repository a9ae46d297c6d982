//! The library as the command line uses it: a project's script, checked and planned, and an engine for it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Context, Exit, Failure, channels, project, workspace};
use crate::analysis::{Analysis, Workspace};
use crate::base::{SourceMap, did_you_mean};
use crate::diag::{Problem, Problems, codes};
use crate::hir::{Campaign, CampaignId, TyKind, Value};
use crate::plan::{DataStep, Plan};
use crate::project::Project;
use crate::runtime::channels::{Places, UnknownPolicy, open};
use crate::runtime::machine::Version;
use crate::runtime::store::sqlite::SqliteStore;
use crate::runtime::store::{Agenda, RunRecord, Store, StoreError};
use crate::runtime::{BoundChannel, Cancel, Engine, EngineOptions, Folders, Inbox, Note, Pace, RunError, inputs};

/// Threads for queries and imports when the machine does not say how many it has.
const THREADS: usize = 4;

/// A script in its project, without errors, and the campaign to run.
pub struct Script {
    /// Where it belongs.
    pub project: Project,
    /// The script's path relative to the project.
    pub path: String,
    /// All texts.
    pub sources: SourceMap,
    /// What to do.
    pub plan: Plan,
}

impl Script {
    /// Reads, checks and plans the script of a command. Warnings are shown; errors are the failure.
    ///
    /// # Errors
    /// A project that cannot be opened, a script with errors, no campaign or several.
    pub fn open(context: &Context, source: &Source<'_>, campaign: Option<&str>) -> Result<Self, Failure> {
        let start = match source {
            Source::File(path) => path,
            Source::Text(_) => Path::new("."),
        };
        let project = project::open(&context.globals, start)?;
        let (path, analysis) = match source {
            Source::File(file) => {
                let data = std::fs::metadata(file).map_err(|error| Failure::unreadable(file, &error))?;
                if data.is_dir() {
                    return Err(folder_for_script(file).into());
                }
                (workspace::inner_path(&project, file), workspace::analyze(&project, file))
            }
            Source::Text(text) => ("<input>".to_string(), workspace::workspace(&project).analyze_text("<input>", text)),
        };
        show_warnings(context, &analysis)?;
        let plan = planned(&analysis, campaign)?;
        Ok(Self { project, path, sources: analysis.sources, plan })
    }

    /// The failure that an error of the engine is.
    pub fn failure(&self, error: &RunError) -> Failure {
        run_failure(error, self.sources.clone())
    }
}

fn folder_for_script(folder: &Path) -> Problem {
    Problem::outside(codes::run::UNREADABLE_FILE, format!("`{}` is a folder, not a script", folder.display()))
        .help("name one script, such as `vip.orch`; `orch check` takes folders")
}

/// What a command is to work on.
pub enum Source<'s> {
    /// A script.
    File(&'s Path),
    /// A text from the command line.
    Text(&'s str),
}

/// Errors end the command; warnings are remarks.
fn show_warnings(context: &Context, analysis: &Analysis) -> Result<(), Failure> {
    if analysis.problems.has_errors() {
        let (problems, sources) = (analysis.problems.clone(), analysis.sources.clone());
        return Err(Failure { problems, sources, exit: Exit::Problems });
    }
    if !context.output.is_json() {
        for problem in &analysis.problems {
            let text = crate::diag::render(problem, &analysis.sources, context.output.remark_style());
            context.output.remark(text.trim_end());
        }
    }
    Ok(())
}

/// The plan of the campaign that is asked for, or of the only one.
fn planned(analysis: &Analysis, campaign: Option<&str>) -> Result<Plan, Failure> {
    let program = &analysis.program;
    let known: Vec<&str> = program.campaigns.iter().map(|campaign| campaign.name.as_str()).collect();
    let found = match (campaign, known.as_slice()) {
        (Some(name), _) => known.iter().position(|known| *known == name),
        (None, [_]) => Some(0),
        (None, _) => None,
    };
    let Some(found) = found else {
        let problem = match (campaign, known.is_empty()) {
            (_, true) => Problem::outside(codes::run::NO_CAMPAIGN, "the script has nothing to run")
                .help("add statements such as `send email to vip`, or a `campaign`"),
            (Some(name), _) => {
                let help = match did_you_mean(name, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("the script declares {}", known.join(", ")),
                };
                Problem::outside(codes::run::NO_CAMPAIGN, format!("there is no campaign `{name}`")).help(help)
            }
            (None, _) => Problem::outside(codes::run::NO_CAMPAIGN, "the script declares several campaigns")
                .help(format!("choose one with `--campaign`: {}", known.join(", "))),
        };
        return Err(problem.into());
    };
    let program = Arc::new(program.clone());
    Plan::new(program, CampaignId(found as u32), &analysis.sources)
        .map_err(|error| run_failure(&error.into(), analysis.sources.clone()))
}

/// The plans of all campaigns that a script itself declares and that start by themselves. Those of files that it uses
/// belong to these files.
///
/// # Errors
/// One of them cannot be run.
pub fn starting_plans(analysis: &Analysis) -> Result<Vec<Plan>, Failure> {
    let program = Arc::new(analysis.program.clone());
    let starts = |campaign: &Campaign| {
        let is_own = analysis.entry == Some(campaign.span.source);
        is_own && (campaign.schedule.is_some() || campaign.trigger.is_some())
    };
    let of = |(at, _): (usize, &Campaign)| {
        Plan::new(Arc::clone(&program), CampaignId(at as u32), &analysis.sources)
            .map_err(|error| run_failure(&error.into(), analysis.sources.clone()))
    };
    program.campaigns.iter().enumerate().filter(|(_, campaign)| starts(campaign)).map(of).collect()
}

/// An error of the engine as the end of a command.
pub fn run_failure(error: &RunError, sources: SourceMap) -> Failure {
    let exit = match error {
        RunError::Parameter(_) | RunError::UnknownRun { .. } | RunError::UnboundChannel { .. } => Exit::Usage,
        RunError::NotHarmless { .. } | RunError::NoMessage { .. } | RunError::Over { .. } => Exit::Usage,
        RunError::Held(_) | RunError::StillGoing { .. } => Exit::Usage,
        RunError::Store(_) | RunError::Restored { .. } => Exit::Usage,
        RunError::Source(problem) if problem.code == codes::run::BAD_BACKUP => Exit::Usage,
        RunError::Source(problem) if problem.code == codes::run::CACHE_UNUSABLE => Exit::Usage,
        RunError::Source(_) | RunError::Plan(_) => Exit::Problems,
        _ => Exit::Failed,
    };
    let mut problems = Problems::new();
    problems.push(error.problem());
    Failure { problems, sources, exit }
}

/// An engine for a project and the channels that a program uses.
///
/// # Errors
/// A channel that is not configured well, a missing secret.
pub fn engine(project: &Project, channel_names: &[String], context: &Context) -> Result<Engine, Failure> {
    let mut bound = BTreeMap::new();
    for name in channel_names {
        bound.insert(name.clone(), open_channel(project, name, context)?);
    }
    let threads = std::thread::available_parallelism().map_or(THREADS, usize::from);
    let options = EngineOptions {
        zone: project.settings.project.timezone.rules(),
        threads,
        memory_limit: project.settings.engine.memory_limit.map(crate::project::Bytes::as_usize),
        channels: bound,
        alerts: channels::alerts(project),
        sources: channels::sources(project),
        confirm_above: project.settings.project.confirm_above,
        allow: project.settings.allow_recipients.clone().unwrap_or_default(),
        ..EngineOptions::new(folders(project))
    };
    Engine::new(options).map_err(|error| run_failure(&error, SourceMap::new()))
}

/// A channel of a project, with its limits.
///
/// # Errors
/// It is not configured well, or a secret is missing.
pub fn open_channel(project: &Project, name: &str, context: &Context) -> Result<BoundChannel, Failure> {
    let places =
        Places { project: project.base.clone(), state: folders(project).state, console: context.output.printer() };
    let config = channels::channel_config(name, project)?;
    let rate = config.rate.and_then(|rate| Some((rate.count, jiff::SignedDuration::try_from(rate.per).ok()?)));
    let resend_unknown = config.unknown == UnknownPolicy::Resend;
    let driver = open(name, &config, &places)?;
    Ok(BoundChannel { driver, pace: Pace::new(rate), resend_unknown })
}

/// Where a project's files are.
pub fn folders(project: &Project) -> Folders {
    let base = std::path::absolute(&project.base).unwrap_or_else(|_| project.base.clone());
    let state = base.join(".orch").join(&project.profile);
    Folders { project: base, state }
}

/// The names of the channels that a plan needs: for its sends, and for its alerts.
pub fn channels_for(project: &Project, plan: &Plan) -> Vec<String> {
    let alert = |step: &crate::plan::Step| match &step.kind {
        crate::plan::StepKind::Data(data) => match data.as_ref() {
            DataStep::Alert { to, .. } => project.settings.alert.get(to).map(|alert| alert.channel.clone()),
            _ => None,
        },
        _ => None,
    };
    let mut names = channels_of(plan);
    names.extend(plan.steps().into_iter().filter_map(alert));
    names.sort();
    names.dedup();
    names
}

/// The names of the channels that a plan sends on.
pub fn channels_of(plan: &Plan) -> Vec<String> {
    let mut names: Vec<String> = plan
        .steps()
        .iter()
        .filter_map(|step| match &step.kind {
            crate::plan::StepKind::Send(send) => Some(plan.program[send.channel].name.clone()),
            _ => None,
        })
        .collect();
    names.sort();
    names.dedup();
    names
}

/// Opens the state of a project for writing.
///
/// # Errors
/// Another process holds it, or it cannot be opened.
pub fn store(project: &Project) -> Result<SqliteStore, Failure> {
    SqliteStore::open(&folders(project).state).map_err(|error| match error {
        StoreError::InUse { .. } => in_use(error).into(),
        error => run_failure(&error.into(), SourceMap::new()),
    })
}

/// Who may write to a state.
pub enum Holding {
    /// We: nobody else held it.
    Ours(SqliteStore),
    /// Another process, which takes in what is left in the inbox.
    Theirs {
        /// Its process id, if it could be read.
        holder: Option<u32>,
    },
}

/// Opens the state of a project for writing, unless another process holds it.
///
/// # Errors
/// It cannot be opened.
pub fn holding(project: &Project) -> Result<Holding, Failure> {
    match SqliteStore::open(&folders(project).state) {
        Ok(store) => Ok(Holding::Ours(store)),
        Err(StoreError::InUse { holder, .. }) => Ok(Holding::Theirs { holder }),
        Err(error) => Err(run_failure(&error.into(), SourceMap::new())),
    }
}

/// The process that holds the state, if another one does and says who it is.
pub fn holder(project: &Project) -> Option<u32> {
    match holding(project) {
        Ok(Holding::Theirs { holder }) => holder,
        _ => None,
    }
}

/// Another process holds the state, and nothing can be asked of it.
pub fn busy(project: &Project) -> Failure {
    let path = folders(project).state.display().to_string();
    in_use(StoreError::InUse { path, holder: holder(project) }).into()
}

/// What somebody at another terminal can do about it.
fn in_use(error: StoreError) -> Problem {
    let mut problem = RunError::from(error).problem();
    let help = problem.help.take().map_or(String::new(), |help| help + "\n");
    problem
        .help(format!("{help}Ctrl-C there parks its run, or start runs with `--detach` and go on with `orch resume`"))
}

/// Opens the state of a project for reading; `None` when there is none yet.
///
/// # Errors
/// It cannot be opened.
pub fn store_to_read(project: &Project) -> Result<Option<SqliteStore>, Failure> {
    SqliteStore::open_read_only(&folders(project).state).map_err(|error| run_failure(&error.into(), SourceMap::new()))
}

/// The run with this name, or the only one whose name begins so.
///
/// # Errors
/// None or several.
pub fn find_run(store: &dyn Store, written: &str) -> Result<RunRecord, Failure> {
    let failed = |error: crate::runtime::store::StoreError| run_failure(&error.into(), SourceMap::new());
    if let Some(record) = store.run(written).map_err(failed)? {
        return Ok(record);
    }
    let folded = written.to_lowercase();
    let runs = store.runs().map_err(failed)?;
    let matches = |record: &RunRecord| !written.is_empty() && record.run.to_lowercase().starts_with(&folded);
    let mut matching: Vec<RunRecord> = runs.into_iter().filter(matches).collect();
    if matching.len() > 1 {
        let names: Vec<&str> = matching.iter().map(|record| record.run.as_str()).take(5).collect();
        let message = format!("`{written}` is the beginning of {} runs", matching.len());
        return Err(Problem::outside(codes::run::UNKNOWN_RUN, message)
            .help(format!("write more of the name, such as {}", names.join(", ")))
            .into());
    }
    matching.pop().ok_or_else(|| run_failure(&RunError::UnknownRun { run: written.to_string() }, SourceMap::new()))
}

/// Refuses to send anything while everything is held.
///
/// # Errors
/// It is.
pub fn refuse_if_held(store: &SqliteStore) -> Result<(), Failure> {
    let failed = |error: RunError| run_failure(&error, SourceMap::new());
    match store.held().map_err(|error| failed(error.into()))? {
        Some(hold) => Err(failed(RunError::Held(hold))),
        None => Ok(()),
    }
}

/// Leaves a note for whoever drives the runs of a project.
///
/// # Errors
/// The state cannot be written.
pub fn leave(project: &Project, note: &Note) -> Result<(), Failure> {
    Inbox::new(&folders(project).state).leave(note).map_err(|error| run_failure(&error, SourceMap::new()))
}

/// Leaves a note for the runs of a project. If nobody drives one at the moment, what it says takes effect at once;
/// otherwise whoever does reads it within a moment.
///
/// # Errors
/// The state cannot be written.
pub fn tell(project: &Project, note: &Note, context: &Context) -> Result<(), Failure> {
    let failed = |error: RunError| run_failure(&error, SourceMap::new());
    let left = Inbox::new(&folders(project).state).put(note).map_err(failed)?;
    match SqliteStore::open(&folders(project).state) {
        Ok(store) => {
            if let Note::Stop { run, reason } = note {
                let record = find_run(&store, run)?;
                let script = pinned(project, &store, &record)?;
                let engine = engine(project, &channels_for(project, &script.plan), context)?;
                engine.stop(&store, &script.plan, run, reason.clone()).map_err(failed)?;
                // If it stays it is read again, which is harmless.
                let _ = std::fs::remove_file(left);
            }
            engine(project, &[], context)?.take_notes(&store).map_err(failed)
        }
        Err(StoreError::InUse { .. }) => Ok(()),
        Err(error) => Err(failed(error.into())),
    }
}

/// Waits until whoever holds the state has taken in that everything is held, or that it is not; not for long.
///
/// # Errors
/// The state cannot be read.
pub fn until_held(project: &Project, held: bool, engine: &Engine) -> Result<bool, Failure> {
    for _ in 0..50 {
        let hold = match store_to_read(project)? {
            Some(store) => store.held().map_err(|error| run_failure(&error.into(), SourceMap::new()))?,
            None => None,
        };
        if hold.is_some() == held {
            return Ok(true);
        }
        engine.pause(jiff::SignedDuration::from_millis(100), &Cancel::default());
    }
    Ok(false)
}

/// A run that is not over, by its name, and its project.
///
/// # Errors
/// It is unknown or over.
pub fn open_run(context: &Context, written: &str) -> Result<(Project, RunRecord), Failure> {
    let project = project_of_run(context, written)?;
    let failed = |error: RunError| run_failure(&error, SourceMap::new());
    let Some(store) = store_to_read(&project)? else {
        return Err(failed(RunError::UnknownRun { run: written.to_string() }));
    };
    let record = find_run(&store, written)?;
    if record.is_done() {
        return Err(failed(RunError::Over { run: record.run.clone(), status: record.status() }));
    }
    Ok((project, record))
}

/// The project that holds a run: the current one, or the only one below the current folder that has it. So a run
/// started as `orch run examples/shop/vip.orch` is found from where it was started.
///
/// # Errors
/// A manifest that is wrong, a state that cannot be opened.
pub fn project_of_run(context: &Context, written: &str) -> Result<Project, Failure> {
    let here = project::open(&context.globals, Path::new("."))?;
    let holds = |project: &Project| -> Result<bool, Failure> {
        Ok(store_to_read(project)?.is_some_and(|store| find_run(&store, written).is_ok()))
    };
    if context.globals.project.is_some() || holds(&here)? {
        return Ok(here);
    }
    let mut found = Vec::new();
    for project in projects_below(context, &here)? {
        if holds(&project)? {
            found.push(project);
        }
    }
    Ok(if found.len() == 1 { found.remove(0) } else { here })
}

/// Projects below the current folder that have a state under the profile, if the current folder has none itself.
///
/// # Errors
/// A manifest that is wrong.
pub fn projects_below(context: &Context, here: &Project) -> Result<Vec<Project>, Failure> {
    if context.globals.project.is_some() || folders(here).state.exists() {
        return Ok(Vec::new());
    }
    workspace::folders_with_state(Path::new("."), &here.profile)
        .iter()
        .map(|folder| project::open(&context.globals, folder))
        .collect()
}

/// The plan of a run, made again from the source it is pinned to.
///
/// # Errors
/// The source is missing, or this version reads it differently.
pub fn pinned(project: &Project, store: &dyn Store, record: &RunRecord) -> Result<Script, Failure> {
    version(project, store, &record.version())
}

/// The plan of a version of a script that a run is, or was, pinned to.
///
/// # Errors
/// The source is missing, or this version of orch reads it differently.
pub fn version(project: &Project, store: &dyn Store, record: &Version) -> Result<Script, Failure> {
    let failed = |error: RunError| run_failure(&error, SourceMap::new());
    let files = store.bundle(&record.fingerprint).map_err(|error| failed(error.into()))?.unwrap_or_default();
    let (plan, sources) = plan_of(project, files, &record.file, &record.campaign)?;
    if plan.fingerprint != record.fingerprint {
        let why = "its source is read differently by this version of orch".to_string();
        return Err(failed(RunError::Machine(crate::runtime::machine::MachineError(why))));
    }
    Ok(Script { project: project.clone(), path: record.file.clone(), sources, plan })
}

/// The plan of a campaign, made of texts that were kept.
///
/// # Errors
/// What this version finds wrong with them.
pub fn plan_of(
    project: &Project,
    files: Vec<(String, String)>,
    file: &str,
    campaign: &str,
) -> Result<(Plan, SourceMap), Failure> {
    let settings = &project.settings.project;
    let entry = files.iter().find(|(name, _)| name == file).cloned();
    let mut schema = settings.schema.clone();
    schema.retain(|name| files.iter().any(|(known, _)| known == name));
    let mut pinned = Workspace::from_files(files).schema(schema).timezone(settings.timezone.name());
    if let Some(topic) = &settings.default_topic {
        pinned = pinned.default_topic(topic.clone());
    }
    let analysis = match &entry {
        Some((name, text)) if name.starts_with('<') => pinned.analyze_text(name, text),
        _ => pinned.analyze(file),
    };
    if analysis.problems.has_errors() {
        let (problems, sources) = (analysis.problems.clone(), analysis.sources.clone());
        return Err(Failure { problems, sources, exit: Exit::Problems });
    }
    let plan = planned(&analysis, Some(campaign))?;
    Ok((plan, analysis.sources))
}

/// The parameters given on the command line, as values of the campaign's types.
///
/// # Errors
/// A value that its parameter cannot have.
pub fn parameters(plan: &Plan, written: &[String]) -> Result<BTreeMap<String, Value>, Failure> {
    let mut values = BTreeMap::new();
    for (name, text) in super::params::parse(written)? {
        let param = inputs(plan).find(|param| param.name == name);
        let value = match param {
            Some(param) => parse_value(&text, &param.ty.kind).ok_or_else(|| {
                let message = format!("`{text}` is not a value of the parameter `{name}`");
                run_failure(&RunError::Parameter(message), SourceMap::new())
            })?,
            None => return Err(unknown_parameter(plan, &name).into()),
        };
        values.insert(name, value);
    }
    Ok(values)
}

fn unknown_parameter(plan: &Plan, name: &str) -> Problem {
    let campaign = plan.campaign();
    let known: Vec<&str> = inputs(plan).map(|param| param.name.as_str()).collect();
    let help = match did_you_mean(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "leave it out: the campaign takes none".to_string(),
        None => format!("the campaign takes {}", known.join(", ")),
    };
    let message = format!("the campaign `{}` has no parameter `{name}`", campaign.name);
    Problem::outside(codes::run::BAD_PARAMETER, message).help(help)
}

/// A value of a type as people write it on a command line.
pub fn parse_value(text: &str, kind: &TyKind) -> Option<Value> {
    match kind {
        TyKind::Bool => text.parse().ok().map(Value::Bool),
        TyKind::Int => text.replace('_', "").parse().ok().map(Value::Int),
        TyKind::Float => text.parse().ok().map(Value::Float),
        TyKind::Decimal => text.parse().ok().map(Value::Decimal),
        TyKind::Percent => {
            let number: rust_decimal::Decimal = text.strip_suffix('%')?.trim().parse().ok()?;
            Some(Value::Decimal(number / rust_decimal::Decimal::ONE_HUNDRED))
        }
        TyKind::Date => text.parse().ok().map(Value::Date),
        TyKind::Time => text.parse().ok().map(Value::Time),
        TyKind::Timestamp => text.parse().ok().map(Value::Timestamp),
        TyKind::Enumeration(values) => values.iter().any(|value| value == text).then(|| Value::Text(text.to_string())),
        kind if kind.is_text() => Some(Value::Text(text.to_string())),
        _ => None,
    }
}

/// A path as it is shown: relative to the current folder where that is shorter.
pub fn shown(path: &Path) -> String {
    let here = std::path::absolute(".").unwrap_or_else(|_| PathBuf::from("."));
    path.strip_prefix(&here).unwrap_or(path).display().to_string()
}
