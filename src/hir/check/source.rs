//! Where an entity's rows come from.

use super::super::problem::NameProblem;
use super::super::{Source, SourceLocation, TyKind};
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
];

impl Checker<'_> {
    /// A source and its options.
    pub(super) fn source(&mut self, source: &ast::SourceRef) -> Source {
        let options = self.constant_options(source.options.as_ref(), "a source", OPTIONS);
        let location = match &source.location {
            ast::SourceLocation::Path(path) => SourceLocation::Path(path.value.clone()),
            ast::SourceLocation::Dotted(names) => self.bound_source(names),
        };
        Source { location, options, span: source.span }
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
