//! Questions: `orch run -e` and the prompt.
//!
//! What somebody types is a statement, a population or a value. A population or a value is analysed as the value of
//! a name that nobody can write otherwise, so that it is checked exactly as it would be in a script.

use std::path::Path;

use super::host::{self, run_failure};
use super::{Context, Exit, Failure, project, workspace};
use crate::analysis::{Analysis, Workspace};
use crate::base::{SourceMap, Span, did_you_mean};
use crate::diag::{Problem, Problems, Severity, codes};
use crate::hir::{CampaignId, TyKind, Value};
use crate::plan::{Plan, StepKind};
use crate::project::Project;
use crate::report::{Align, Column, Table, count, group_digits, share};
use crate::runtime::clock::Stopwatch;
use crate::runtime::{Answer, Engine, Notebook, Rows};
use crate::syntax::{WordClass, words};

/// The name that an expression is bound to; a name in backquotes that no script uses by chance.
const SHOWN: &str = "shown here";
/// How the text is called in messages.
pub const NAME: &str = "<input>";
/// Rows of a table that is shown once.
const MOST_ROWS: u64 = 40;

/// What was typed, checked.
pub enum Question {
    /// Statements.
    Statements(Analysis),
    /// A population or a value under the name [`SHOWN`].
    Expression(Analysis),
    /// Neither.
    Wrong(Analysis),
}

/// Checks what was typed after what was accepted before.
pub fn question(workspace: &Workspace, before: &str, text: &str) -> Question {
    let parsed = |problems: &Problems| !problems.has_errors();
    let is_expression = parsed(&crate::syntax::parse_expression(crate::base::SourceId(0), text).1);
    if !is_expression {
        let statements = inner(workspace, before, text);
        if !statements.problems.has_errors() {
            return Question::Statements(statements);
        }
        if meant_as_statement(text) {
            return Question::Wrong(statements);
        }
    }
    let population = inner(workspace, &format!("{before}segment `{SHOWN}` =\n"), text);
    if !population.problems.has_errors() {
        return Question::Expression(population);
    }
    let value = inner(workspace, &format!("{before}let `{SHOWN}` =\n"), text);
    if !value.problems.has_errors() {
        return Question::Expression(value);
    }
    if assigns(text) {
        return Question::Wrong(inner(workspace, before, text));
    }
    let no_population = population.problems.iter().any(|problem| problem.code == codes::types::NOT_A_POPULATION);
    Question::Wrong(if no_population { value } else { population })
}

/// True for what begins as a statement does, or nearly so; anything else that is wrong was meant as a population or a
/// value.
fn meant_as_statement(text: &str) -> bool {
    let (first, _) = first_word(text);
    let statements = || words(WordClass::Statement);
    assigns(text)
        || first == "select"
        || statements().any(|word| word == first)
        || did_you_mean(first, statements()).is_some()
}

/// True for `x = ...`, which lacks a `segment` or a `let`.
fn assigns(text: &str) -> bool {
    let (first, rest) = first_word(text);
    !first.is_empty() && rest.starts_with('=') && !rest.starts_with("==")
}

/// The word that a text begins with, and what follows.
fn first_word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    let end = text.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(text.len());
    let (first, rest) = text.split_at(end);
    (first, rest.trim_start())
}

/// The analysis of `before` and `text` together, with places counted in `text`.
fn inner(workspace: &Workspace, before: &str, text: &str) -> Analysis {
    let mut analysis = workspace.analyze_text(NAME, &format!("{before}{text}"));
    let Some(entry) = analysis.entry else { return analysis };
    let shift = |span: Span| {
        let cut = |offset: u32| offset.saturating_sub(before.len() as u32).min(text.len() as u32);
        if span.source == entry { Span::new(entry, cut(span.start), cut(span.end)) } else { span }
    };
    let mut problems = Problems::new();
    for mut problem in std::mem::take(&mut analysis.problems) {
        let inside = problem.labels.first().is_none_or(|label| {
            label.span.source != entry || label.span.end as usize > before.len() || is_error(&problem)
        });
        // Warnings about what was accepted before were shown then; that a shown result is not used is no news.
        if !inside || problem.code == codes::lints::UNUSED_SEGMENT {
            continue;
        }
        for label in &mut problem.labels {
            label.span = shift(label.span);
        }
        if let Some(fix) = &mut problem.fix {
            fix.span = shift(fix.span);
        }
        problems.push(problem);
    }
    let mut sources = SourceMap::new();
    for (id, file) in analysis.sources.files() {
        sources.add(file.name.clone(), if id == entry { text } else { file.text.as_str() });
    }
    analysis.problems = problems;
    analysis.sources = sources;
    analysis
}

fn is_error(problem: &Problem) -> bool {
    problem.severity == Severity::Error
}

/// The plan of a question's only campaign.
pub fn plan_of(analysis: &Analysis) -> Result<Plan, Failure> {
    let program = std::sync::Arc::new(analysis.program.clone());
    Plan::new(program, CampaignId(analysis.program.campaigns.len().saturating_sub(1) as u32), &analysis.sources)
        .map_err(|error| run_failure(&error.into(), analysis.sources.clone()))
}

/// Answers `text` if it is a population or a value; `None` when it is something to run.
///
/// # Errors
/// Errors in the text, data that cannot be read.
pub fn answer_once(text: &str, context: &Context) -> Result<Option<Exit>, Failure> {
    let project = project::open(&context.globals, Path::new("."))?;
    let workspace = workspace::workspace(&project);
    let analysis = match question(&workspace, "", text) {
        Question::Statements(_) => return Ok(None),
        Question::Expression(analysis) => analysis,
        Question::Wrong(analysis) => {
            let (problems, sources) = (analysis.problems, analysis.sources);
            return Err(Failure { problems, sources, exit: Exit::Problems });
        }
    };
    let engine = host::engine(&project, &[], context)?;
    let most = if context.output.is_json() { u64::MAX } else { MOST_ROWS };
    let failed = |error| run_failure(&error, analysis.sources.clone());
    let stopwatch = Stopwatch::start();
    let mut notebook = Notebook::new(&engine).map_err(failed)?;
    let plan = plan_of(&analysis)?;
    let answers = notebook.ask(&plan, SHOWN, most).map_err(failed)?;
    for answer in answers {
        show_once(answer, &plan, &engine, stopwatch, context);
    }
    Ok(Some(Exit::Done))
}

/// True when an entity of the project's schema has a row with this key now. What cannot be read has none.
pub fn is_in_data(key: &str, project: &Project, context: &Context) -> bool {
    let workspace = workspace::workspace(project);
    let Ok(engine) = host::engine(project, &[], context) else { return false };
    let Ok(mut notebook) = Notebook::new(&engine) else { return false };
    let program = workspace.analyze_text(NAME, "").program;
    program.entities.iter().any(|entity| {
        let [field] = entity.key.as_slice() else { return false };
        let field = &entity[*field];
        let literal = match &field.ty.kind {
            TyKind::Int if key.parse::<i64>().is_ok() => key.to_owned(),
            kind if kind.is_text() && !key.contains(['"', '\\', '{', '}']) => format!("\"{key}\""),
            _ => return false,
        };
        let text = format!("count({} where {} = {literal})", entity.name, field.name);
        let Question::Expression(analysis) = question(&workspace, "", &text) else { return false };
        let answers = plan_of(&analysis).ok().and_then(|plan| notebook.ask(&plan, SHOWN, 1).ok());
        matches!(answers.as_deref(), Some([Answer::Value { value: Value::Int(1..), .. }]))
    })
}

fn show_once(answer: Answer, plan: &Plan, engine: &Engine, stopwatch: Stopwatch, context: &Context) {
    let zone = &engine.options().zone;
    match answer {
        Answer::Rows(rows) if context.output.is_json() => {
            for row in &rows.rows {
                let names = rows.columns.iter().map(|(name, _)| name.clone());
                let values = row.iter().map(|value| value.to_exact_json(zone));
                let object: serde_json::Map<_, _> = names.zip(values).collect();
                context.output.line(serde_json::Value::Object(object).to_string());
            }
        }
        Answer::Rows(rows) => {
            let width = context.output.style().width;
            let table = table(&rows, engine, Some(stopwatch)).with_first(&main_columns(plan), width);
            context.output.text(table.render(width));
        }
        Answer::Value { value, .. } if context.output.is_json() => {
            context.output.line(value.to_exact_json(zone).to_string());
        }
        other => {
            if let Some(text) = text(&other, engine) {
                context.output.line(text);
            }
        }
    }
}

/// The columns of the shown population that must not be missing: its keys, and what the question added.
fn main_columns(plan: &Plan) -> Vec<String> {
    let shown = plan.steps().into_iter().rev().find_map(|step| match &step.kind {
        StepKind::Segment { query, .. } => Some(&query.ty),
        _ => None,
    });
    let Some(ty) = shown else { return Vec::new() };
    let entity = &plan.program[ty.entity];
    let keys = entity.key.iter().map(|key| entity.fields[key.0 as usize].name.clone());
    keys.chain(ty.with.iter().map(|column| column.name.clone())).collect()
}

/// Rows as a table for people.
fn table(rows: &Rows, engine: &Engine, stopwatch: Option<Stopwatch>) -> Table {
    let zone = &engine.options().zone;
    let column = |(name, number): &(String, bool)| Column {
        name: name.clone(),
        align: if *number { Align::Right } else { Align::Left },
    };
    let cell = |(value, number): (&Value, bool)| match value {
        Value::Null => None,
        // Keys and years are numbers to the engine but names to people, so only amounts are grouped.
        Value::Decimal(_) | Value::LongDecimal(_) if number => Some(group_digits(&value.to_text(zone))),
        other => Some(other.to_text(zone)),
    };
    let row = |row: &Vec<Value>| row.iter().zip(rows.columns.iter().map(|(_, number)| *number)).map(cell).collect();
    Table {
        columns: rows.columns.iter().map(column).collect(),
        rows: rows.rows.iter().map(row).collect(),
        total: rows.total,
        elapsed: stopwatch.map(Stopwatch::elapsed),
    }
}

/// A short answer.
fn text(answer: &Answer, engine: &Engine) -> Option<String> {
    let zone = &engine.options().zone;
    Some(match answer {
        Answer::Bound { name, entity, rows, of } => {
            format!("{name}: {} of {} {entity} ({})", count(*rows), count(*of), share(*rows, *of))
        }
        Answer::Value { name, value } => {
            let shown = match value {
                Value::Null => "null".to_string(),
                Value::Int(_) | Value::Decimal(_) | Value::LongDecimal(_) => group_digits(&value.to_text(zone)),
                other => other.to_text(zone),
            };
            name.as_ref().map_or(shown.clone(), |name| format!("{name} = {shown}"))
        }
        Answer::Skipped { title } => format!("`{title}` is checked; nothing is sent from here"),
        Answer::Rows(_) => return None,
    })
}

/// The prompt's other side.
pub struct Asker<'e> {
    workspace: Workspace,
    engine: &'e Engine,
    notebook: Notebook<'e>,
    /// The script whose names are visible.
    script: String,
    /// Statements accepted so far.
    accepted: Vec<(String, String)>,
    style: crate::diag::RenderStyle,
    symbols: Vec<crate::repl::Symbol>,
    failed: bool,
}

impl<'e> Asker<'e> {
    /// An evaluator for a project.
    ///
    /// # Errors
    /// When no temporary folder can be made.
    pub fn new(
        project: &Project,
        engine: &'e Engine,
        script: String,
        style: crate::diag::RenderStyle,
    ) -> Result<Self, Failure> {
        let failed = |error| run_failure(&error, SourceMap::new());
        let workspace = workspace::workspace(project);
        let notebook = Notebook::new(engine).map_err(failed)?;
        let mut asker = Self {
            workspace,
            engine,
            notebook,
            script,
            accepted: Vec::new(),
            style,
            symbols: Vec::new(),
            failed: false,
        };
        let analysis = asker.workspace.analyze_text(NAME, &asker.script);
        asker.symbols = crate::repl::symbols(&analysis);
        Ok(asker)
    }

    /// True once a question could not be answered.
    pub fn has_failed(&self) -> bool {
        self.failed
    }

    fn before(&self, without: Option<&str>) -> String {
        let kept = self.accepted.iter().filter(|(name, _)| without != Some(name.as_str()));
        // Each ends for good, so that a clause typed later does not go on with it.
        std::iter::once(&self.script).chain(kept.map(|(_, text)| text)).map(|text| format!("{text}\n;\n")).collect()
    }

    fn answer(&mut self, text: &str) -> Result<crate::repl::Answer, Failure> {
        use crate::repl;
        let rebound = bound_name(text);
        let before = self.before(rebound.as_deref());
        let stopwatch = Stopwatch::start();
        let (analysis, statement) = match question(&self.workspace, &before, text) {
            Question::Statements(analysis) => (analysis, true),
            Question::Expression(analysis) => (analysis, false),
            Question::Wrong(analysis) => return Ok(repl::Answer::Problems(analysis.render(self.style))),
        };
        let plan = plan_of(&analysis)?;
        if let Some(name) = &rebound {
            self.notebook.forget(name);
        }
        let failed = |error| run_failure(&error, analysis.sources.clone());
        let answers = self.notebook.ask(&plan, SHOWN, 20).map_err(failed)?;
        if statement {
            if let Some(name) = &rebound {
                self.accepted.retain(|(known, _)| known != name);
                self.accepted.push((name.clone(), text.trim().to_string()));
            }
            self.symbols = crate::repl::symbols(&analysis);
        }
        let warnings = if analysis.problems.is_empty() { String::new() } else { analysis.render(self.style) };
        Ok(match answers.into_iter().next_back() {
            None if warnings.is_empty() => repl::Answer::Nothing,
            None => repl::Answer::Text(warnings),
            Some(Answer::Rows(rows)) => {
                let table = table(&rows, self.engine, Some(stopwatch));
                repl::Answer::Table(table.with_first(&main_columns(&plan), self.style.width))
            }
            Some(other) => {
                let said = self::text(&other, self.engine).unwrap_or_default();
                repl::Answer::Text(format!("{warnings}{said}"))
            }
        })
    }
}

/// The name that a `segment` or `let` statement binds.
fn bound_name(text: &str) -> Option<String> {
    let mut words = text.split_whitespace();
    let first = words.next()?;
    let name = words.next()?.trim_end_matches('=');
    (matches!(first, "segment" | "let") && !name.is_empty()).then(|| name.to_string())
}

impl crate::repl::Evaluator for Asker<'_> {
    fn eval(&mut self, text: &str) -> crate::repl::Answer {
        match self.answer(text) {
            Ok(answer) => {
                self.failed |= matches!(answer, crate::repl::Answer::Problems(_));
                answer
            }
            Err(failure) => {
                self.failed = true;
                let shown =
                    failure.problems.iter().map(|problem| crate::diag::render(problem, &failure.sources, self.style));
                crate::repl::Answer::Problems(shown.collect())
            }
        }
    }

    fn symbols(&self) -> Vec<crate::repl::Symbol> {
        self.symbols.clone()
    }
}
