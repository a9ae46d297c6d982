//! Layer 7: the command line. Thin: one file per command, which reads its arguments, calls the library and prints.
//!
//! Results go to standard output, everything else to standard error; `--format json` gives one JSON document instead of
//! text. Exit codes are [`Exit`].

#[cfg(feature = "engine")]
mod ask;
#[cfg(feature = "engine")]
mod backup;
#[cfg(feature = "engine")]
mod channels;
mod check;
mod completions;
#[cfg(feature = "engine")]
mod conduct;
mod doc;
#[cfg(feature = "engine")]
mod doctor;
#[cfg(feature = "engine")]
mod doubt;
#[cfg(feature = "engine")]
mod drive;
mod environment;
mod exit;
mod explain;
mod failure;
#[cfg(feature = "engine")]
mod feedback;
mod fmt;
#[cfg(feature = "engine")]
mod follow;
#[cfg(feature = "engine")]
mod gc;
#[cfg(feature = "engine")]
mod handover;
#[cfg(feature = "engine")]
mod host;
#[cfg(feature = "engine")]
mod init;
#[cfg(feature = "engine")]
mod migrate;
mod output;
#[cfg(feature = "engine")]
mod params;
#[cfg(feature = "engine")]
mod pause;
#[cfg(feature = "engine")]
mod plan;
#[cfg(feature = "engine")]
mod progress;
mod project;
#[cfg(feature = "engine")]
mod question;
#[cfg(feature = "engine")]
mod register;
#[cfg(feature = "engine")]
mod repl;
#[cfg(feature = "engine")]
mod resume;
#[cfg(feature = "engine")]
mod retry;
#[cfg(feature = "engine")]
mod run;
#[cfg(feature = "engine")]
mod runs;
#[cfg(feature = "engine")]
mod schema;
#[cfg(feature = "engine")]
mod serve;
#[cfg(feature = "engine")]
mod show;
#[cfg(feature = "engine")]
mod signal;
#[cfg(feature = "engine")]
mod state;
#[cfg(feature = "engine")]
mod stop;
#[cfg(feature = "engine")]
mod tasks;
#[cfg(test)]
mod tests;
#[cfg(feature = "engine")]
mod waiting;
mod workspace;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

#[cfg(feature = "engine")]
use crate::plan::HumanKind;
pub use environment::Environment;
pub use exit::Exit;
pub use failure::Failure;
pub use output::Output;

const STYLES: Styles =
    Styles::styled().header(AnsiColor::Green.on_default().bold()).literal(AnsiColor::Cyan.on_default().bold());

const EXAMPLES: &str = "\
Start here:
  orch init --from data               a project that declares these files, with a first script
  orch check                          every problem of the project in this folder
  orch plan vip.orch --simulate       who would get what; nothing is sent
  orch run vip.orch --fast-forward    a whole run at once, into an outbox
  orch explain types::unknown_field   what a code means and what to write instead

Exit codes: 0 done, 1 problems found, 2 wrong usage or configuration, 3 the run failed, 4 the run waits or is paused";

/// Campaigns as programs: who to reach, when, with what, on which channel.
///
/// A script is checked before anything runs, rehearsed without sending, and then run so that each message is decided
/// exactly once.
#[derive(Parser, Debug)]
#[command(name = "orch", version, styles = STYLES, after_help = EXAMPLES, subcommand_required = true)]
#[command(arg_required_else_help = true, disable_help_subcommand = true, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

/// What every command understands.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Everywhere")]
pub struct Globals {
    /// The folder of the project; by default the nearest one with an orch.toml
    #[arg(long, global = true, value_name = "DIR")]
    pub project: Option<PathBuf>,
    /// The profile of orch.toml; `dev` by default
    #[arg(long, global = true, value_name = "NAME", hide_default_value = true)]
    #[arg(default_value = crate::project::DEFAULT_PROFILE)]
    pub profile: String,
    /// Text for people or one JSON document for programs
    #[arg(long, global = true, value_name = "FORMAT", default_value = "human", hide_default_value = true)]
    pub format: Format,
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_default_value = true)]
    pub color: ColorChoice,
}

/// For whom the output is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub enum Format {
    /// Text.
    #[default]
    Human,
    /// One JSON document.
    Json,
}

/// When colours are used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Subcommand, Debug)]
enum Command {
    #[cfg(feature = "engine")]
    Init(init::Arguments),
    #[cfg(feature = "engine")]
    Schema(schema::Arguments),
    Check(check::Arguments),
    Fmt(fmt::Arguments),
    #[cfg(feature = "engine")]
    Plan(plan::Arguments),
    #[cfg(feature = "engine")]
    Run(run::Arguments),
    #[cfg(feature = "engine")]
    Serve(serve::Arguments),
    #[cfg(feature = "engine")]
    Runs(runs::Arguments),
    #[cfg(feature = "engine")]
    Show(show::Arguments),
    #[cfg(feature = "engine")]
    Resume(resume::Arguments),
    #[cfg(feature = "engine")]
    Pause(pause::Arguments),
    #[cfg(feature = "engine")]
    Stop(stop::Arguments),
    #[cfg(feature = "engine")]
    Retry(retry::Arguments),
    #[cfg(feature = "engine")]
    Migrate(migrate::Arguments),
    #[cfg(feature = "engine")]
    State(state::Arguments),
    #[cfg(feature = "engine")]
    Tasks(tasks::ListArguments),
    /// Say yes to what a run asks with `approve`
    #[cfg(feature = "engine")]
    Approve(tasks::AnswerArguments),
    /// Say no to what a run asks with `approve`
    #[cfg(feature = "engine")]
    Reject(tasks::AnswerArguments),
    /// Say that what a run asks for with `task` is done
    #[cfg(feature = "engine")]
    Done(tasks::AnswerArguments),
    #[cfg(feature = "engine")]
    Signal(signal::Arguments),
    #[cfg(feature = "engine")]
    Feedback(feedback::Arguments),
    #[cfg(feature = "engine")]
    Doctor(doctor::Arguments),
    #[cfg(feature = "engine")]
    Gc(gc::Arguments),
    #[cfg(feature = "engine")]
    Backup(backup::BackupArguments),
    #[cfg(feature = "engine")]
    Restore(backup::RestoreArguments),
    #[cfg(feature = "engine")]
    Repl(repl::Arguments),
    Doc(doc::Arguments),
    Explain(explain::Arguments),
    Completions(completions::Arguments),
}

/// What a command works with.
pub struct Context {
    /// The options that every command has.
    pub globals: Globals,
    /// Where results and remarks go.
    pub output: Output,
    /// Variables of the environment.
    pub environment: Environment,
}

/// Runs the command that `arguments` (the first is the program's name) ask for.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let environment = Environment::of_process();
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are errors to clap, too. A closed pipe is no reason to complain.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Done };
        }
    };
    let output = Output::of_process(cli.globals.format, cli.globals.color, &environment);
    let context = Context { globals: cli.globals, output, environment };
    let exit = match cli.command.run(&context) {
        Ok(exit) => exit,
        Err(failure) => failure.show(&context.output),
    };
    context.output.finish(exit)
}

/// The definition of the command line, for completions and for the manual.
pub fn definition() -> clap::Command {
    Cli::command()
}

impl Command {
    fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self {
            #[cfg(feature = "engine")]
            Self::Init(arguments) => init::run(&arguments, context),
            #[cfg(feature = "engine")]
            Self::Schema(arguments) => schema::run(&arguments, context),
            Self::Check(arguments) => check::run(&arguments, context),
            Self::Fmt(arguments) => fmt::run(&arguments, context),
            #[cfg(feature = "engine")]
            Self::Plan(arguments) => plan::run(&arguments, context),
            #[cfg(feature = "engine")]
            Self::Run(arguments) => run::run(&arguments, context),
            #[cfg(feature = "engine")]
            Self::Serve(arguments) => serve::run(&arguments, context),
            #[cfg(feature = "engine")]
            Self::Runs(arguments) => runs::run(&arguments, context),
            #[cfg(feature = "engine")]
            Self::Show(arguments) => show::run(&arguments, context),
            #[cfg(feature = "engine")]
            Self::Resume(arguments) => resume::run(&arguments, context),
            #[cfg(feature = "engine")]
            Self::Pause(arguments) => pause::run(&arguments, context),
            #[cfg(feature = "engine")]
            Self::Stop(arguments) => stop::run(&arguments, context),
            #[cfg(feature = "engine")]
            Self::Retry(arguments) => retry::run(&arguments, context),
            #[cfg(feature = "engine")]
            Self::Migrate(arguments) => migrate::run(&arguments, context),
            #[cfg(feature = "engine")]
            Self::State(arguments) => state::run(&arguments, context),
            #[cfg(feature = "engine")]
            Self::Tasks(arguments) => tasks::list(&arguments, context),
            #[cfg(feature = "engine")]
            Self::Approve(arguments) => tasks::answer(&arguments, HumanKind::Approve, true, context),
            #[cfg(feature = "engine")]
            Self::Reject(arguments) => tasks::answer(&arguments, HumanKind::Approve, false, context),
            #[cfg(feature = "engine")]
            Self::Done(arguments) => tasks::answer(&arguments, HumanKind::Task, true, context),
            #[cfg(feature = "engine")]
            Self::Signal(arguments) => signal::run(&arguments, context),
            #[cfg(feature = "engine")]
            Self::Feedback(arguments) => feedback::run(&arguments, context),
            #[cfg(feature = "engine")]
            Self::Doctor(arguments) => doctor::run(&arguments, context),
            #[cfg(feature = "engine")]
            Self::Gc(arguments) => gc::run(&arguments, context),
            #[cfg(feature = "engine")]
            Self::Backup(arguments) => backup::backup_state(&arguments, context),
            #[cfg(feature = "engine")]
            Self::Restore(arguments) => backup::restore_state(&arguments, context),
            #[cfg(feature = "engine")]
            Self::Repl(arguments) => repl::run(&arguments, context),
            Self::Doc(arguments) => doc::run(&arguments, context),
            Self::Explain(arguments) => explain::run(&arguments, context),
            Self::Completions(arguments) => completions::run(&arguments, context),
        }
    }
}
