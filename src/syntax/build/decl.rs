//! Declarations, types and the headers of campaigns.

use super::Build;
use crate::base::Span;
use crate::syntax::ast::{
    Block, Campaign, EntityItem, EntityItemKind, EveryUnit, Expr, HeaderPart, HeaderPartKind, Name, Param, PolicyRule,
    PolicyRuleKind, Record, Signal, SignalParams, SourceLocation, SourceRef, StmtKind, Test, Text, TypeExpr,
    TypeExprKind, Window,
};
use crate::syntax::error::SyntaxError;
use crate::syntax::token::Token;

/// A piece of a campaign's header, before those that belong together are put together.
#[derive(Debug)]
pub enum Piece {
    /// `every 2w`
    Interval(Expr),
    /// `every monday, thursday`, `every month`
    Days(Vec<Name>),
    /// `at 09:00, 18:00`
    At(Vec<Expr>),
    /// `on monday, friday`
    OnDays(Vec<Name>),
    /// `on last friday`
    OnWeekday(Name, Name),
    /// `on day 1`
    OnDay(Name, Expr),
    /// Needs no neighbour.
    Whole(HeaderPartKind),
}

impl From<HeaderPartKind> for Piece {
    fn from(kind: HeaderPartKind) -> Self {
        Piece::Whole(kind)
    }
}

impl Build<'_> {
    pub fn ty(&self, start: u32, kind: TypeExprKind, nullable: Option<Token>, end: u32) -> TypeExpr {
        TypeExpr { kind, nullable: nullable.is_some(), span: self.span(start, end) }
    }

    pub fn list_type(&self, start: u32, inner: TypeExprKind, end: u32) -> TypeExprKind {
        TypeExprKind::List(Box::new(self.ty(start, inner, None, end)))
    }

    pub fn source(&self, start: u32, location: SourceLocation, options: Option<Record>, end: u32) -> SourceRef {
        SourceRef { location, options, span: self.span(start, end) }
    }

    pub fn entity_item(&self, start: u32, kind: EntityItemKind, end: u32) -> EntityItem {
        EntityItem { doc: self.doc(start), kind, span: self.span(start, end) }
    }

    pub fn entity_field(&self, name: Name, ty: TypeExpr, key: Option<Token>, default: Option<Expr>) -> EntityItemKind {
        EntityItemKind::Field { name, ty, key: key.is_some(), default }
    }

    pub fn policy_rule(&self, start: u32, kind: PolicyRuleKind, end: u32) -> PolicyRule {
        PolicyRule { kind, span: self.span(start, end) }
    }

    pub fn cap(&self, channel: Name, amount: Expr, per: Expr) -> PolicyRuleKind {
        PolicyRuleKind::Cap { channel, rate: self.rate(amount, per) }
    }

    pub fn quiet(&self, channel: Name, window: Window, drop: Option<Token>) -> PolicyRuleKind {
        PolicyRuleKind::Quiet { channel, window, drop: drop.is_some() }
    }

    pub fn signal(&self, name: Name, params: Vec<Param>) -> StmtKind {
        StmtKind::Signal(Signal { name, params: SignalParams::Declared(params) })
    }

    pub fn test(&self, title: Text, body: Block) -> StmtKind {
        StmtKind::Test(Test { title, body: body.stmts })
    }

    pub fn campaign(&self, name: Name, params: Vec<Param>, pieces: Vec<(Piece, Span)>, body: Block) -> StmtKind {
        let mut header: Vec<HeaderPart> = Vec::new();
        let mut early: Vec<Expr> = Vec::new();
        for (piece, span) in pieces {
            match piece {
                Piece::Interval(length) => {
                    let unit = EveryUnit::Interval { length, on: Vec::new() };
                    header.push(HeaderPart { kind: HeaderPartKind::Every { unit, at: Vec::new() }, span });
                }
                Piece::Days(days) => {
                    let kind = HeaderPartKind::Every { unit: EveryUnit::Days(days), at: std::mem::take(&mut early) };
                    header.push(HeaderPart { kind, span });
                }
                Piece::Whole(kind) => header.push(HeaderPart { kind, span }),
                // `at 09:00 every day`
                Piece::At(times) if header.is_empty() => {
                    self.problem(SyntaxError::MisplacedHeaderPart {
                        span,
                        message: "the time stands behind the days".to_owned(),
                        help: "write `every day at 09:00`".to_owned(),
                    });
                    early = times;
                }
                piece => self.join(header.last_mut(), piece, span),
            }
        }
        StmtKind::Campaign(Campaign { name, params, header, body })
    }

    /// Adds `at ...` or `on ...` to the `every` it stands behind.
    fn join(&self, every: Option<&mut HeaderPart>, piece: Piece, span: Span) {
        if let (None, Piece::OnDays(names)) = (&every, &piece)
            && let [name] = &names[..]
        {
            if crate::syntax::explain::is_day(&name.text) {
                let message = "days of a schedule stand behind `every`".to_owned();
                let help = format!("write `every {}`", name.text);
                return self.problem(SyntaxError::MisplacedHeaderPart { span, message, help });
            }
            self.problem(SyntaxError::MisplacedHeaderPart {
                span,
                message: "this says neither a day nor a signal".to_owned(),
                help: format!("write `on signal {0}` if `{0}` is a signal, `every ...` for a schedule", name.text),
            });
            return;
        }
        let joined = every.is_some_and(|part| {
            let HeaderPartKind::Every { unit, at } = &mut part.kind else { return false };
            let fits = match (piece, unit) {
                (Piece::At(times), _) if at.is_empty() => {
                    *at = times;
                    true
                }
                (Piece::OnDays(days), EveryUnit::Interval { on, .. }) if on.is_empty() => {
                    *on = days;
                    true
                }
                (Piece::OnDays(days), unit) if is_week(unit) => {
                    let names: Vec<&str> = days.iter().map(|day| day.text.as_str()).collect();
                    self.problem(SyntaxError::MisplacedHeaderPart {
                        span: part.span.to(span),
                        message: "a day of every week is named alone".to_owned(),
                        help: format!("write `every {}`", names.join(", ")),
                    });
                    *unit = EveryUnit::Days(days);
                    true
                }
                (Piece::OnDay(word, day), unit) if is_month(unit) && word.text == "day" => {
                    *unit = EveryUnit::MonthDay(day);
                    true
                }
                (Piece::OnWeekday(which, day), unit) if is_month(unit) => {
                    *unit = EveryUnit::MonthWeekday { which, day };
                    true
                }
                _ => false,
            };
            if fits {
                part.span = part.span.to(span);
            }
            fits
        });
        if !joined {
            self.problem(SyntaxError::MisplacedHeaderPart {
                span,
                message: "this does not fit what stands before it".to_owned(),
                help: "write `every 2w on monday`, `every month on day 1` or `every month on last friday`, \
                       each with `at 09:00` behind; for events `on signal NAME` or `on error pause`"
                    .to_owned(),
            });
        }
    }
}

/// `every month`
fn is_month(unit: &EveryUnit) -> bool {
    matches!(unit, EveryUnit::Days(days) if days.len() == 1 && days[0].text == "month")
}

/// `every week`
fn is_week(unit: &EveryUnit) -> bool {
    matches!(unit, EveryUnit::Days(days) if days.len() == 1 && days[0].text == "week")
}
