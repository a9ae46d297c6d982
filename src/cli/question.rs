//! Asking before something that cannot be taken back.

use std::io::BufRead;

use super::{Context, Failure};
use crate::diag::{Problem, codes};

/// Whether somebody at the terminal says yes. `yes` says so beforehand.
///
/// # Errors
/// Nobody is there to be asked.
pub fn confirmed(question: &str, yes: bool, context: &Context) -> Result<bool, Failure> {
    if yes {
        return Ok(true);
    }
    if !context.environment.input_is_terminal || context.output.is_json() {
        return Err(Problem::outside(codes::run::NOT_CONFIRMED, format!("nobody is there to answer: {question}"))
            .help("nothing was changed; say yes beforehand with `--yes`")
            .into());
    }
    Ok(matches!(answer(question, "[y/N]", context).to_lowercase().as_str(), "y" | "yes"))
}

/// What somebody at the terminal answers; nothing when they just press Enter.
pub fn answer(question: &str, choices: &str, context: &Context) -> String {
    context.output.remark(format!("{question} {choices}"));
    let mut line = String::new();
    // Without an answer nothing is done, which is what an empty line says as well.
    let _ = std::io::stdin().lock().read_line(&mut line);
    line.trim().to_owned()
}
