//! Layer 7: the interactive prompt. It edits lines, completes names and prints answers; what they are is decided by an
//! [`Evaluator`].

mod complete;
mod highlight;
mod prompt;
mod symbols;
#[cfg(test)]
mod tests;

use std::path::Path;

use rustyline::error::ReadlineError;
use rustyline::history::DefaultHistory;
use rustyline::{CompletionType, Config, Editor};

pub use complete::{Symbol, SymbolKind};
pub use symbols::symbols;

use crate::report::Table;
use crate::syntax::is_incomplete;
use prompt::Prompt;

/// What somebody typed, answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// Nothing to say.
    Nothing,
    /// Lines of text.
    Text(String),
    /// Rows.
    Table(Table),
    /// What was typed is wrong: the problems as text.
    Problems(String),
}

/// What stands behind the prompt.
pub trait Evaluator {
    /// Answers a complete input.
    fn eval(&mut self, text: &str) -> Answer;

    /// The names that can be completed now, see [`symbols`].
    fn symbols(&self) -> Vec<Symbol>;
}

/// How the prompt looks and where it remembers.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    /// File of earlier inputs; nothing is remembered without one.
    pub history: Option<&'a Path>,
    /// Colours.
    pub color: bool,
    /// Columns for tables.
    pub width: usize,
}

const HELP: &str = "\
Type a query (`customers where spend > 500`), an expression (`count(customers)`) or a statement
(`segment vip = customers where spend > 500`). An unfinished input goes on in the next line.
  Tab        completes names
  Ctrl-C     drops the input
  :help      shows this
  :quit      leaves, as does Ctrl-D";

/// What a line that begins with `:` asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Request {
    Help,
    Quit,
    Unknown,
}

/// Reads inputs until the end and prints the answers.
///
/// # Errors
/// A terminal that cannot be read.
pub fn run(evaluator: &mut dyn Evaluator, settings: Settings, print: &mut dyn FnMut(&str)) -> Result<(), String> {
    let config = Config::builder().completion_type(CompletionType::List).auto_add_history(true).build();
    let mut editor: Editor<Prompt, DefaultHistory> = Editor::with_config(config).map_err(|error| error.to_string())?;
    if let Some(path) = settings.history {
        // The first time there is no history to load.
        let _ = editor.load_history(path);
    }
    let result = converse(&mut editor, evaluator, settings, print);
    if let Some(path) = settings.history {
        // A history that cannot be written is a pity, not an error.
        let _ = editor.save_history(path);
    }
    result
}

fn converse(
    editor: &mut Editor<Prompt, DefaultHistory>,
    evaluator: &mut dyn Evaluator,
    settings: Settings,
    print: &mut dyn FnMut(&str),
) -> Result<(), String> {
    loop {
        let symbols = evaluator.symbols();
        // The editor asks while somebody types, so it works on what was known before.
        editor.set_helper(Some(Prompt::new(symbols, settings.color)));
        let mut input = String::new();
        loop {
            let line = match editor.readline(if input.is_empty() { "orch> " } else { "  ... " }) {
                Ok(line) => line,
                Err(ReadlineError::Interrupted) => {
                    input.clear();
                    continue;
                }
                Err(ReadlineError::Eof) if input.is_empty() => return Ok(()),
                Err(ReadlineError::Eof) => break,
                Err(error) => return Err(error.to_string()),
            };
            input += &line;
            // An empty line ends every input, or nobody could leave one that never gets complete.
            if line.trim().is_empty() || request(&input).is_some() || !is_incomplete(&input) {
                break;
            }
            input.push('\n');
        }
        match request(&input) {
            Some(Request::Quit) => return Ok(()),
            Some(Request::Help) => print(HELP),
            Some(Request::Unknown) => print("`:help` and `:quit` are all that begins with a colon"),
            None if input.trim().is_empty() => {}
            None => show(evaluator.eval(&input), settings, print),
        }
    }
}

fn request(input: &str) -> Option<Request> {
    match input.trim().strip_prefix(':')? {
        "help" | "h" | "?" => Some(Request::Help),
        "quit" | "q" | "exit" => Some(Request::Quit),
        _ => Some(Request::Unknown),
    }
}

fn show(answer: Answer, settings: Settings, print: &mut dyn FnMut(&str)) {
    match answer {
        Answer::Nothing => {}
        Answer::Text(text) | Answer::Problems(text) => print(text.trim_end()),
        Answer::Table(table) => print(table.render(settings.width).trim_end()),
    }
}
