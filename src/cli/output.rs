//! Printing: results to standard output, remarks to standard error.

use std::io::{ErrorKind, Write};
use std::sync::{Arc, Mutex};

use super::{ColorChoice, Environment, Exit, Format};
use crate::base::SourceMap;
use crate::diag::{Problems, RenderStyle, problems_json, render_all};

/// Where a command prints. A reader that has gone away (`orch runs | head -1`) is no error: what follows is dropped and
/// the command goes on. Any other failure to write a result makes the command fail at its end.
pub struct Output {
    format: Format,
    results: Arc<Stream>,
    remarks: Stream,
}

struct Stream {
    style: RenderStyle,
    state: Mutex<State>,
}

struct State {
    writer: Box<dyn Write + Send>,
    closed: bool,
    lost: Option<String>,
}

impl Output {
    /// The streams of this process.
    pub fn of_process(format: Format, color: ColorChoice, environment: &Environment) -> Self {
        let style = |terminal: bool| {
            let color = match color {
                ColorChoice::Always => true,
                ColorChoice::Never => false,
                ColorChoice::Auto => terminal && !environment.no_color,
            };
            RenderStyle { color, width: environment.width }
        };
        Self {
            format,
            results: Arc::new(Stream::new(Box::new(std::io::stdout()), style(environment.output_is_terminal))),
            remarks: Stream::new(Box::new(std::io::stderr()), style(environment.error_is_terminal)),
        }
    }

    /// Any two writers, without colours.
    pub fn to(format: Format, results: Box<dyn Write + Send>, remarks: Box<dyn Write + Send>) -> Self {
        let style = RenderStyle::default();
        Self { format, results: Arc::new(Stream::new(results, style)), remarks: Stream::new(remarks, style) }
    }

    /// True when a program reads the results.
    pub fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Colours and width of the results.
    pub fn style(&self) -> RenderStyle {
        self.results.style
    }

    /// Colours and width of the remarks.
    pub fn remark_style(&self) -> RenderStyle {
        self.remarks.style
    }

    /// A line of the result.
    pub fn line(&self, text: impl AsRef<str>) {
        self.results.write(&[text.as_ref(), "\n"].concat());
    }

    /// A piece of the result as it is.
    pub fn text(&self, text: impl AsRef<str>) {
        self.results.write(text.as_ref());
    }

    /// Writes pieces of the result, for those who outlive a borrow.
    pub fn printer(&self) -> Arc<dyn Fn(&str) + Send + Sync> {
        let results = Arc::clone(&self.results);
        Arc::new(move |text| results.write(text))
    }

    /// A line beside the result: progress, where to look next.
    pub fn remark(&self, text: impl AsRef<str>) {
        self.remarks.write(&[text.as_ref(), "\n"].concat());
    }

    /// The whole result as a JSON document.
    pub fn json(&self, document: &impl serde::Serialize) {
        match serde_json::to_string_pretty(document) {
            Ok(text) => self.line(text),
            Err(error) => self.results.lose(error.to_string()),
        }
    }

    /// Problems as the result of a command. `files` is the number of files that were read.
    pub fn problems(&self, problems: &Problems, sources: &SourceMap, files: usize) {
        if self.is_json() {
            self.json(&problems_json(problems, sources));
        } else {
            self.text(render_all(problems, sources, self.style(), files));
        }
    }

    /// Problems as the reason why there is no result.
    pub fn failure(&self, problems: &Problems, sources: &SourceMap) {
        if self.is_json() {
            self.json(&problems_json(problems, sources));
            return;
        }
        for problem in problems {
            self.remark(crate::diag::render(problem, sources, self.remark_style()).trim_end());
        }
    }

    /// Flushes. `exit` becomes a failure when a part of the result was lost.
    pub fn finish(&self, exit: Exit) -> Exit {
        self.results.flush();
        self.remarks.flush();
        match self.results.lost() {
            Some(why) => {
                self.remark(format!("cannot write the result: {why}"));
                Exit::Failed
            }
            None => exit,
        }
    }
}

impl Stream {
    fn new(writer: Box<dyn Write + Send>, style: RenderStyle) -> Self {
        Self { style, state: Mutex::new(State { writer, closed: false, lost: None }) }
    }

    fn write(&self, text: &str) {
        self.attempt(|writer| writer.write_all(text.as_bytes()));
    }

    fn flush(&self) {
        self.attempt(|writer| writer.flush());
    }

    fn attempt(&self, action: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) {
        let Ok(mut state) = self.state.lock() else { return };
        if state.closed {
            return;
        }
        if let Err(error) = action(&mut state.writer) {
            state.closed = true;
            if error.kind() != ErrorKind::BrokenPipe {
                state.lost = Some(super::failure::reason(&error));
            }
        }
    }

    fn lose(&self, why: String) {
        if let Ok(mut state) = self.state.lock() {
            state.lost.get_or_insert(why);
        }
    }

    fn lost(&self) -> Option<String> {
        self.state.lock().ok().and_then(|state| state.lost.clone())
    }
}
