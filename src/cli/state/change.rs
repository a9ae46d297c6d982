//! `orch state MEMORY --rewind`, `--baseline`

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::handover::{Handed, hand_over, overtaken, remark_later};
use super::super::host::{self, Holding};
use super::super::{Context, Exit, Failure, workspace};
use super::{exact, failed, up_to};
use crate::base::SourceMap;
use crate::diag::{Problem, codes};
use crate::hir::{CampaignId, Value};
use crate::plan::{NewRows, Plan};
use crate::project::Project;
use crate::report::{count, plural};
use crate::runtime::store::sqlite::SqliteStore;
use crate::runtime::store::{Change, Store, TakeRecord};
use crate::runtime::{Baseline, Note, read_cells};

/// Forgets what was taken since a moment, by a run, or ever. What a run that is not over has reserved stays.
pub fn rewind(project: &Project, memory: &str, since: &str, context: &Context) -> Result<(), Failure> {
    let takes = match host::store_to_read(project)? {
        Some(store) => store.takes(Some(memory)).map_err(failed)?,
        None => Vec::new(),
    };
    let is_meant = meant(project, &takes, since)?;
    let (held, gone): (Vec<&TakeRecord>, Vec<&TakeRecord>) =
        takes.iter().filter(|take| is_meant(take)).partition(|take| !take.kept);
    let ids = || gone.iter().map(|take| take.id).collect();
    let engine = host::engine(project, &[], context)?;
    let store = match host::holding(project)? {
        Holding::Ours(store) => Handed::Free(store),
        Holding::Theirs { .. } => hand_over(project, &[Note::Forget { takes: ids() }], &engine)?,
    };
    match store {
        Handed::Free(store) => {
            engine.block_on(store.commit(vec![Change::Forget { takes: ids() }])).map_err(failed)?;
            for file in gone.iter().filter_map(|take| take.file.as_ref()) {
                // Nobody names it any more; if it stays, it only takes space.
                let _ = std::fs::remove_file(host::folders(project).state.join(file));
            }
        }
        // A run may be reading the files at this moment; `orch gc` takes them away.
        Handed::Taken => {}
        Handed::Later => {
            remark_later(project, context);
            return Ok(());
        }
    }
    if !context.output.is_json() {
        let rows = gone.iter().map(|take| take.rows).sum();
        let takes = plural(gone.len() as u64, "take");
        context.output.line(format!("{memory}: {takes} forgotten, {} rows of them are new again", count(rows)));
        for take in held {
            let run = take.run.as_deref().unwrap_or_default();
            context.output.line(format!("what {run} took stays: that run is not over"));
        }
    }
    Ok(())
}

/// Which takes `--rewind` means.
fn meant(
    project: &Project,
    takes: &[TakeRecord],
    since: &str,
) -> Result<impl Fn(&&TakeRecord) -> bool + use<>, Failure> {
    let run = takes.iter().any(|take| take.run.as_deref() == Some(since)).then(|| since.to_owned());
    let moment = match (&run, since) {
        (Some(_), _) | (None, "all") => Some(jiff::Timestamp::MIN),
        (None, text) => instant(project, text),
    };
    let Some(moment) = moment else {
        let message = format!("`{since}` is no date, no instant and no run that took anything");
        return Err(Problem::outside(codes::run::BAD_BASELINE, message)
            .help("write `--rewind 2026-11-20`, the name of a run, or `all`")
            .into());
    };
    Ok(move |take: &&TakeRecord| match &run {
        Some(run) => take.run.as_ref() == Some(run),
        None => take.at >= moment,
    })
}

/// A date, a civil time in the project's zone, or an instant.
fn instant(project: &Project, text: &str) -> Option<jiff::Timestamp> {
    if let Ok(instant) = text.parse() {
        return Some(instant);
    }
    let civil: jiff::civil::DateTime = text.parse().ok()?;
    crate::base::civil::instant(civil, &project.settings.project.timezone.rules())
}

/// Lets a memory begin with rows that no run has to take.
pub fn baseline(project: &Project, memory: &str, what: &str, context: &Context) -> Result<Exit, Failure> {
    let plans = plans(project, context)?;
    let found = plans.iter().find_map(|(plan, _)| {
        let new = plan.news().into_iter().find(|new| new.memory == memory)?;
        Some((plan, new))
    });
    let Some((plan, new)) = found else { return Err(unknown(memory, &plans).into()) };
    let baseline = asked(project, plan, &new, what)?;
    let added = match host::holding(project)? {
        Holding::Ours(store) => add(project, &store, (plan, &new), &baseline, context)?,
        Holding::Theirs { .. } => add_elsewhere(project, (plan, &new), &baseline, context)?,
    };
    if !context.output.is_json() {
        context.output.line(match added {
            Added::Later => return Ok(Exit::Done),
            Added::Nothing => format!("{memory}: nothing to leave out"),
            Added::Take(take) if take.by.is_some() => {
                let to = up_to(std::iter::once(&*take)).as_ref().map(exact).unwrap_or_default();
                format!("{memory}: everything up to {to} is left out")
            }
            Added::Take(take) => format!("{memory}: {} left out", plural(take.rows, "row")),
        });
    }
    Ok(Exit::Done)
}

/// No script has a `new` of this memory.
fn unknown(memory: &str, plans: &[(Plan, PathBuf)]) -> Problem {
    let known: Vec<String> = plans.iter().flat_map(|(plan, _)| plan.news().into_iter().map(|new| new.memory)).collect();
    let problem = Problem::outside(codes::run::UNKNOWN_MEMORY, format!("no `new` remembers in `{memory}`"));
    problem.help(match known.is_empty() {
        true => "no script of the project has a `new`".to_owned(),
        false => format!("there are {}", known.join(", ")),
    })
}

/// Believes a memory of a restored state as it is.
pub fn trust(project: &Project, memory: &str, context: &Context) -> Result<Exit, Failure> {
    let Some(reader) = host::store_to_read(project)? else {
        return Err(unknown(memory, &plans(project, context)?).into());
    };
    let restored = reader.restored().map_err(failed)?;
    let is_known = !reader.takes(Some(memory)).map_err(failed)?.is_empty();
    drop(reader);
    if !is_known {
        let plans = plans(project, context)?;
        if !plans.iter().any(|(plan, _)| plan.news().iter().any(|new| new.memory == memory)) {
            return Err(unknown(memory, &plans).into());
        }
    }
    let in_doubt = restored.is_some_and(|restored| restored.doubts(memory));
    if in_doubt {
        host::tell(project, &Note::Trust { memory: memory.to_owned() }, context)?;
    }
    if !context.output.is_json() {
        context.output.line(match in_doubt {
            true => format!("{memory}: it holds what was taken before the backup; what was taken since is new again"),
            false => format!("{memory}: nothing is in doubt"),
        });
    }
    Ok(Exit::Done)
}

/// What came of a baseline.
enum Added {
    /// The memory holds it.
    Take(Box<TakeRecord>),
    /// There are no rows.
    Nothing,
    /// Whoever holds the state is busy and adds it later.
    Later,
}

/// Adds a baseline to the memory; gives what it holds.
fn add(
    project: &Project,
    store: &SqliteStore,
    (plan, new): (&Plan, &NewRows<'_>),
    baseline: &Baseline,
    context: &Context,
) -> Result<Added, Failure> {
    let engine = host::engine(project, &[], context)?;
    let found = engine.baseline(store, plan, new, baseline);
    let Some((take, seen)) = found.map_err(|error| host::run_failure(&error, SourceMap::new()))? else {
        return Ok(Added::Nothing);
    };
    engine.block_on(store.commit(Change::baseline(take.clone(), seen))).map_err(failed)?;
    Ok(Added::Take(Box::new(take)))
}

/// Has whoever holds the state add it.
fn add_elsewhere(
    project: &Project,
    (plan, new): (&Plan, &NewRows<'_>),
    baseline: &Baseline,
    context: &Context,
) -> Result<Added, Failure> {
    let engine = host::engine(project, &[], context)?;
    let Some(reader) = host::store_to_read(project)? else { return Err(host::busy(project)) };
    let found = engine.baseline(&reader, plan, new, baseline);
    let Some((take, seen)) = found.map_err(|error| host::run_failure(&error, SourceMap::new()))? else {
        return Ok(Added::Nothing);
    };
    drop(reader);
    let note = Note::Baseline { take: Box::new(take.clone()), seen };
    match hand_over(project, &[note], &engine)? {
        Handed::Free(store) => return add(project, &store, (plan, new), baseline, context),
        Handed::Later => {
            remark_later(project, context);
            return Ok(Added::Later);
        }
        Handed::Taken => {}
    }
    // A run may have taken rows since the memory was looked at; then the baseline was not added.
    let is_it = |known: &TakeRecord| known.run.is_none() && known.at == take.at;
    match host::store_to_read(project)? {
        Some(store) if store.takes(Some(&take.memory)).map_err(failed)?.iter().any(is_it) => {
            Ok(Added::Take(Box::new(take)))
        }
        _ => Err(overtaken(&format!("the memory `{}`", take.memory)).into()),
    }
}

/// The campaigns of the project that can be planned.
fn plans(project: &Project, context: &Context) -> Result<Vec<(Plan, PathBuf)>, Failure> {
    let mut plans = Vec::new();
    for (of, files) in workspace::scripts(std::slice::from_ref(&project.base), &context.globals)? {
        for file in files.into_iter().filter(|_| of.base == project.base) {
            let analysis = workspace::workspace(project).analyze(&workspace::inner_path(project, &file));
            if analysis.problems.has_errors() {
                continue;
            }
            let program = Arc::new(analysis.program);
            for at in 0..program.campaigns.len() {
                let plan = Plan::new(program.clone(), CampaignId(at as u32), &analysis.sources);
                plans.extend(plan.ok().map(|plan| (plan, file.clone())));
            }
        }
    }
    Ok(plans)
}

/// What `--baseline` asks for.
fn asked(project: &Project, plan: &Plan, new: &NewRows<'_>, what: &str) -> Result<Baseline, Failure> {
    let bad = |message: String, help: &str| -> Failure {
        Problem::outside(codes::run::BAD_BASELINE, message).help(help).into()
    };
    match (what, new.by) {
        ("all", _) => Ok(Baseline::Everything),
        (text, Some(by)) => {
            let value = host::parse_value(text, &by.ty.kind).or_else(|| instant(project, text).map(Value::Timestamp));
            let fits = value
                .filter(|value| matches!(value, Value::Timestamp(_)) == (by.ty.kind == crate::hir::TyKind::Timestamp));
            fits.map(Baseline::UpTo).ok_or_else(|| {
                let message = format!("`{text}` is not {} to begin after", by.ty.kind.show(&plan.program));
                bad(message, "write a value of the field after `by`, or `all`")
            })
        }
        (file, None) => keys(plan, new, Path::new(file)).map(Baseline::Keys),
    }
}

/// The keys in a file whose columns are named like the key's fields.
fn keys(plan: &Plan, new: &NewRows<'_>, file: &Path) -> Result<Vec<Vec<Value>>, Failure> {
    let entity = &plan.program[new.query.ty.entity];
    let (header, rows) = read_cells(file).map_err(|error| host::run_failure(&error, SourceMap::new()))?;
    let bad = |message: String| -> Failure {
        let names: Vec<&str> = entity.key.iter().map(|key| entity[*key].name.as_str()).collect();
        let help = format!("the file needs the columns of the key of `{}`: {}", entity.name, names.join(", "));
        Problem::outside(codes::run::BAD_BASELINE, message).help(help).into()
    };
    let mut places = Vec::new();
    for key in &entity.key {
        let name = &entity[*key].name;
        let at = header.iter().position(|column| column == name);
        places.push(at.ok_or_else(|| bad(format!("`{}` has no column `{name}`", file.display())))?);
    }
    let mut keys = Vec::with_capacity(rows.len());
    for (line, row) in rows.iter().enumerate() {
        let cell = |(key, at): (&crate::hir::FieldId, &usize)| {
            let text = row.get(*at).map_or("", String::as_str);
            host::parse_value(text, &entity[*key].ty.kind)
                .ok_or_else(|| bad(format!("`{}`, line {}: `{text}` is no key", file.display(), line + 2)))
        };
        keys.push(entity.key.iter().zip(&places).map(cell).collect::<Result<_, _>>()?);
    }
    Ok(keys)
}
