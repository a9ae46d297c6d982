//! Where an entity's rows come from.

use super::super::problem::NameProblem;
use super::super::{Duration, EntityId, Fresh, Source, SourceLocation, TyKind, Value};
use super::Checker;
use super::options::{OptionKind, OptionSpec};
use crate::diag::codes::names as codes;
use crate::syntax::ast;

const OPTIONS: &[OptionSpec] = &[
    OptionSpec { name: "delimiter", kind: OptionKind::Constant(TyKind::Text) },
    OptionSpec { name: "quote", kind: OptionKind::Constant(TyKind::Text) },
    OptionSpec { name: "header", kind: OptionKind::Constant(TyKind::Bool) },
    OptionSpec { name: "encoding", kind: OptionKind::Constant(TyKind::Text) },
    OptionSpec { name: "null", kind: OptionKind::Constant(TyKind::Text) },
    OptionSpec { name: "date_format", kind: OptionKind::Constant(TyKind::Text) },
    OptionSpec { name: "decimal", kind: OptionKind::Constant(TyKind::Text) },
    OptionSpec { name: "thousands", kind: OptionKind::Constant(TyKind::Text) },
    OptionSpec { name: "map", kind: OptionKind::Constants(TyKind::Text) },
    OptionSpec { name: "widths", kind: OptionKind::Constants(TyKind::Int) },
    OptionSpec { name: "undeclared", kind: OptionKind::Word(&["ignore", "fail"]) },
    OptionSpec { name: "on_error", kind: OptionKind::Word(&["fail", "reject", "null"]) },
    OptionSpec { name: "max_errors", kind: OptionKind::Constant(TyKind::Int) },
    OptionSpec { name: "compression", kind: OptionKind::Word(&["gzip", "zstd", "none"]) },
    OptionSpec { name: "archive", kind: OptionKind::Constant(TyKind::Text) },
    OptionSpec { name: "fresh", kind: OptionKind::Constant(TyKind::Duration) },
    OptionSpec { name: "fresh_by", kind: OptionKind::Name },
];

impl Checker<'_> {
    /// A source and its options.
    pub(super) fn source(&mut self, source: &ast::SourceRef) -> Source {
        let mut options = self.constant_options(source.options.as_ref(), "a source", OPTIONS);
        let location = match &source.location {
            ast::SourceLocation::Path(path) => SourceLocation::Path(path.value.clone()),
            ast::SourceLocation::Dotted(names) => self.bound_source(names),
        };
        let fresh = self.fresh(source, &mut options);
        self.options_of_typed(source, &mut options);
        Source { location, options, fresh, span: source.span }
    }

    /// What has types of its own is not read from text: most options say nothing about it.
    fn options_of_typed(&mut self, source: &ast::SourceRef, options: &mut Vec<(String, Value)>) {
        // What a bound source is, a database or files, only the manifest of a profile knows.
        let ast::SourceLocation::Path(path) = &source.location else { return };
        if !is_typed(&path.value) {
            return;
        }
        let means_something = |name: &str| matches!(name, "archive" | "on_error" | "max_errors");
        let items = source.options.iter().flat_map(|options| &options.items);
        for item in items.filter(|item| !item.name.text.starts_with("fresh")) {
            let name = item.name.text.as_str();
            if means_something(name) || !options.iter().any(|(option, _)| option == name) {
                continue;
            }
            self.report(NameProblem::Declaration {
                code: codes::WRONG_OPTION,
                why: format!("`{name}` is an option of text files, and this is a Parquet or Arrow file"),
                help: "leave it out: its values have types already".to_owned(),
                span: item.name.span,
            });
        }
        options.retain(|(name, _)| means_something(name));
    }

    /// `fresh` and `fresh_by`, which say nothing about how the source is read.
    fn fresh(&mut self, source: &ast::SourceRef, options: &mut Vec<(String, Value)>) -> Option<Fresh> {
        let mut take = |name: &str| {
            let at = options.iter().position(|(known, _)| known == name)?;
            let place = source.options.as_ref()?.items.iter().find(|item| item.name.text == name)?.name.span;
            Some((options.remove(at).1, place))
        };
        let (within, by) = (take("fresh"), take("fresh_by"));
        match (within, by) {
            (Some((Value::Duration(within), span)), by) => {
                let by = by.map(|(name, _)| name.to_text(&jiff::tz::TimeZone::UTC));
                if within.months < 0 || within.days < 0 || within.seconds < 0 || within == Duration::default() {
                    self.wrong_option("fresh", "a length of time, such as `6h`", span);
                    return None;
                }
                if by.is_none() && matches!(source.location, ast::SourceLocation::Dotted(_)) {
                    self.report(NameProblem::Declaration {
                        code: codes::WRONG_OPTION,
                        why: "the age of a table is not known by itself".to_owned(),
                        help: "name the field that says when a row changed: `fresh: 6h, fresh_by: updated_at`"
                            .to_owned(),
                        span,
                    });
                    return None;
                }
                Some(Fresh { within, by, span })
            }
            (_, Some((_, span))) => {
                self.report(NameProblem::Declaration {
                    code: codes::WRONG_OPTION,
                    why: "`fresh_by` says what counts, but nothing says how old it may be".to_owned(),
                    help: "add `fresh: 6h`".to_owned(),
                    span,
                });
                None
            }
            _ => None,
        }
    }

    /// The field after `fresh_by` must say when. Checked once the fields are known.
    pub(super) fn fresh_field(&mut self, id: EntityId) {
        let entity = &self.program[id];
        let Some(fresh) = entity.source.as_ref().and_then(|source| source.fresh.as_ref()) else { return };
        let Some(by) = &fresh.by else { return };
        let kind = entity.field(by).map(|field| &entity[field].ty.kind);
        let why = match kind {
            Some(TyKind::Date | TyKind::Timestamp | TyKind::Error) => return,
            Some(kind) => format!("`fresh_by: {by}` is of type {}, which says no time", kind.show(&self.program)),
            None => format!("`{}` has no field `{by}`", entity.name),
        };
        let help = "name a field of type `timestamp` or `date`".to_owned();
        let span = fresh.span;
        self.report(NameProblem::Declaration { code: codes::WRONG_OPTION, why, help, span });
    }

    fn bound_source(&mut self, names: &[ast::Name]) -> SourceLocation {
        let (source, table) = match names {
            [source, table @ ..] => (source.text.clone(), table),
            [] => (String::new(), names),
        };
        if let ([name], []) = (names, table) {
            self.report(NameProblem::Declaration {
                code: codes::WRONG_OPTION,
                why: format!("`{}` names a source, but no table in it", name.text),
                help: format!("write `{}.TABLE`, or put the path of a file in quotes", name.text),
                span: name.span,
            });
        }
        SourceLocation::Bound { source, table: table.iter().map(|name| name.text.clone()).collect() }
    }
}

/// Whether the name of a file, or a pattern of names, says that its values have types.
fn is_typed(path: &str) -> bool {
    let (_, extension) = path.rsplit_once('.').unwrap_or_default();
    ["parquet", "pq", "arrow", "ipc", "feather"].contains(&extension.to_lowercase().as_str())
}
