//! `orch explain CODE`

use super::{Context, Exit, Failure, Output};
use crate::base::did_you_mean;
use crate::diag::{Code, Phase, Problem, codes, page};

/// Explain the code of a problem, with an example of what to write
#[derive(clap::Args, Debug)]
#[command(after_help = "Example: orch explain types::unknown_field")]
pub struct Arguments {
    /// A code as a problem shows it; without one, all codes are listed
    #[arg(value_name = "CODE")]
    code: Option<String>,
}

/// Prints the page of a code, or the list of codes.
pub fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Failure> {
    let Some(written) = &arguments.code else {
        list(&context.output);
        return Ok(Exit::Done);
    };
    let code = Code::find(written).ok_or_else(|| unknown(written))?;
    let text = page(code).unwrap_or_default();
    if context.output.is_json() {
        context.output.json(&serde_json::json!({ "code": code.full(), "page": text }));
    } else {
        context.output.text(plain(text, context.output.style().color));
    }
    Ok(Exit::Done)
}

fn list(output: &Output) {
    if output.is_json() {
        let all: Vec<String> = codes::all().map(Code::full).collect();
        output.json(&serde_json::json!({ "codes": all }));
        return;
    }
    let mut last: Option<Phase> = None;
    for code in codes::all() {
        if last.is_some_and(|last| last != code.phase) {
            output.line("");
        }
        last = Some(code.phase);
        output.line(code.to_string());
    }
}

fn unknown(written: &str) -> Failure {
    let full: Vec<String> = codes::all().map(|code| code.to_string()).collect();
    let short = codes::all().map(|code| code.name);
    let near = did_you_mean(written, full.iter().map(String::as_str).chain(short));
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`orch explain` lists all codes".to_owned(),
    };
    Problem::outside(codes::run::UNKNOWN_CODE, format!("no problem has the code `{written}`")).help(help).into()
}

/// Markdown for a terminal: titles stand out, code is indented instead of fenced.
fn plain(markdown: &str, color: bool) -> String {
    let mut out = String::new();
    let mut in_code = false;
    for line in markdown.trim().lines() {
        if line.starts_with("```") {
            in_code = !in_code;
        } else if in_code {
            let line = format!("    {line}");
            out += line.trim_end();
            out.push('\n');
        } else {
            let title = line.trim_start_matches('#');
            let is_title = title.len() < line.len();
            let shown = title.trim_start();
            out += &if is_title && color { format!("\u{1b}[1m{shown}\u{1b}[0m\n") } else { format!("{shown}\n") };
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn code_is_indented_and_titles_lose_their_marks() {
        let page = "# types::x\n\nWhy.\n\n```orch-wrong\nlet a = 1\n\n```\n## More\n";
        assert_eq!(super::plain(page, false), "types::x\n\nWhy.\n\n    let a = 1\n\nMore\n");
        assert!(super::plain(page, true).starts_with("\u{1b}[1mtypes::x\u{1b}[0m\n"));
    }
}
