//! Campaigns: parameters, header, body; signals.

use super::super::problem::NameProblem;
use super::super::{CampaignId, Local, LocalKind, OnError, Overlap, Param, Schedule, SignalId};
use super::collect::{CampaignSource, Found, is_flow};
use super::{Checker, Global, Scope};
use crate::base::Span;
use crate::diag::codes::flow as codes;
use crate::syntax::ast::{self, HeaderPartKind};

impl<'a> Checker<'a> {
    /// All signals.
    pub(super) fn check_signals(&mut self, found: &Found<'a>) {
        for (id, signal) in &found.signals {
            let params = match &signal.params {
                ast::SignalParams::Declared(params) => self.value_params(params),
                ast::SignalParams::Given(args) => {
                    let help = "write `signal NAME(sku: text)`";
                    self.wrong(codes::BAD_ARGUMENTS, "a signal declares its parameters with types", help, args.span);
                    Vec::new()
                }
            };
            self.program.signals[id.0 as usize].params = params;
        }
    }

    /// All campaigns.
    pub(super) fn check_campaigns(&mut self, found: &Found<'a>) {
        for (id, source) in &found.campaigns {
            self.locals.clear();
            match source {
                CampaignSource::Declared(campaign) => self.declared_campaign(*id, campaign),
                CampaignSource::File(file) => self.file_campaign(*id, &file.ast.stmts),
            }
            let locals = std::mem::take(&mut self.locals);
            self.program.campaigns[id.0 as usize].locals = locals;
        }
        self.stray_params();
    }

    fn declared_campaign(&mut self, id: CampaignId, campaign: &'a ast::Campaign) {
        let mut scope = Scope::default();
        self.campaign_params(id, &campaign.params, &mut scope);
        self.header(id, campaign, &mut scope);
        let body = self.stmts(&campaign.body.stmts, &mut scope);
        self.program.campaigns[id.0 as usize].body = body;
    }

    fn file_campaign(&mut self, id: CampaignId, stmts: &'a [ast::Stmt]) {
        let mut scope = Scope::default();
        let params: Vec<ast::Param> = stmts
            .iter()
            .filter_map(|stmt| match &stmt.kind {
                ast::StmtKind::Param(param) => Some(param.clone()),
                _ => None,
            })
            .collect();
        self.campaign_params(id, &params, &mut scope);
        let mut body = Vec::new();
        for stmt in stmts {
            if is_flow(&stmt.kind) {
                self.stmt(stmt, &mut scope, &mut body);
            }
        }
        self.program.campaigns[id.0 as usize].body = body;
    }

    fn campaign_params(&mut self, id: CampaignId, written: &[ast::Param], scope: &mut Scope) {
        let mut params = self.value_params(written);
        self.bind_params(id, &mut params, LocalKind::Parameter, scope);
        self.program.campaigns[id.0 as usize].params = params;
    }

    /// Binds parameters under their names and under `CAMPAIGN.NAME`.
    fn bind_params(&mut self, id: CampaignId, params: &mut [Param], kind: LocalKind, scope: &mut Scope) {
        let owner = self.program[id].name.clone();
        for param in params {
            let local = Local { name: param.name.clone(), span: param.span, kind, ty: param.ty.clone() };
            let local = self.add_local(local);
            param.local = Some(local);
            scope.bind_qualified(&owner, &param.name, local);
        }
    }

    /// `param` and lines of tests at the top level of files that are no campaigns.
    fn stray_params(&mut self) {
        for file in self.files {
            let is_campaign = file.ast.stmts.iter().any(|stmt| is_flow(&stmt.kind));
            for stmt in &file.ast.stmts {
                match &stmt.kind {
                    ast::StmtKind::Param(_) if !is_campaign => self.misplaced(stmt, "here"),
                    kind if is_test_line(kind) => self.misplaced(stmt, "outside a test"),
                    _ => {}
                }
            }
        }
    }

    fn header(&mut self, id: CampaignId, campaign: &'a ast::Campaign, scope: &mut Scope) {
        self.repeated_parts(&campaign.header);
        let places = campaign.header.iter().map(|part| (part_word(&part.kind), part.span)).collect();
        self.program.campaigns[id.0 as usize].header = places;
        let schedule = self.schedule(&campaign.header);
        self.program.campaigns[id.0 as usize].schedule = schedule;
        for part in &campaign.header {
            match &part.kind {
                HeaderPartKind::OnSignal(signal) => self.trigger(id, signal, scope),
                HeaderPartKind::OnError(mode) => {
                    let on_error = self.on_error(mode);
                    self.program.campaigns[id.0 as usize].on_error = on_error;
                }
                _ => {}
            }
        }
        self.needs_no_values(id);
        // After the trigger, whose fields it may name.
        for part in &campaign.header {
            if let HeaderPartKind::Overlap { mode, by } = &part.kind {
                let overlap = self.overlap(mode, by.as_ref(), scope);
                self.program.campaigns[id.0 as usize].overlap = overlap;
            }
        }
    }

    fn trigger(&mut self, id: CampaignId, signal: &ast::Name, scope: &mut Scope) {
        let Some(Global::Signal(signal)) = self.lookup_global(signal, "signal") else { return };
        self.program.campaigns[id.0 as usize].trigger = Some(signal);
        self.bind_trigger(id, signal, scope);
    }

    /// The fields of the signal that started the run.
    fn bind_trigger(&mut self, id: CampaignId, signal: SignalId, scope: &mut Scope) {
        let mut params = self.program[signal].params.clone();
        self.bind_params(id, &mut params, LocalKind::SignalField, scope);
        self.program.campaigns[id.0 as usize].trigger_params = params;
    }

    /// Whoever starts by itself has nobody to ask for values.
    fn needs_no_values(&mut self, id: CampaignId) {
        let campaign = &self.program[id];
        let starter = match (&campaign.schedule, campaign.trigger) {
            (Some(_), _) => "a schedule starts the campaign",
            (None, Some(_)) => "a signal starts the campaign",
            (None, None) => return,
        };
        let missing = |param: &&Param| param.default.is_none() && !param.ty.nullable;
        let Some(param) = campaign.params.iter().find(missing) else { return };
        let (name, span) = (param.name.clone(), param.span);
        let help = format!("give `{name}` a default, such as `country: text = \"FR\"`");
        self.wrong(codes::BAD_SCHEDULE, format!("{starter}, and nothing gives `{name}` a value"), &help, span);
    }

    fn overlap(&mut self, mode: &ast::Name, by: Option<&ast::Name>, scope: &Scope) -> Overlap {
        if let Some(by) = by
            && scope.local(&by.text).is_none()
        {
            let known = scope.locals.iter().map(|(name, _)| name.clone()).filter(|name| !name.contains('.')).collect();
            self.report(NameProblem::Unknown { name: by.clone(), kinds: "parameter", known });
        }
        let name = by.map(|by| by.text.clone());
        match (mode.text.as_str(), by) {
            ("skip", None) => Overlap::Skip,
            ("queue", _) => Overlap::Queue { by: name },
            ("allow", _) => Overlap::Allow { by: name },
            ("skip", Some(by)) => {
                let help = "write `overlap queue by ...` or `overlap allow by ...`";
                self.wrong(codes::BAD_SCHEDULE, "`overlap skip` takes no `by`", help, by.span);
                Overlap::Skip
            }
            _ => {
                self.wrong_option("overlap", "`skip`, `queue` or `allow`", mode.span);
                Overlap::default()
            }
        }
    }

    fn on_error(&mut self, mode: &ast::Name) -> OnError {
        match mode.text.as_str() {
            "pause" => OnError::Pause,
            "stop" => OnError::Stop,
            "continue" => OnError::Continue,
            _ => {
                self.wrong_option("on error", "`pause`, `stop` or `continue`", mode.span);
                OnError::default()
            }
        }
    }

    /// Parts of a header that are there twice.
    fn repeated_parts(&mut self, header: &[ast::HeaderPart]) {
        let mut seen: Vec<(&'static str, Span)> = Vec::new();
        for part in header {
            let word = part_word(&part.kind);
            match seen.iter().find(|(known, _)| *known == word) {
                Some((_, first)) => {
                    let (name, first) = (word.to_owned(), *first);
                    self.report(NameProblem::RepeatedOption { name, span: part.span, first });
                }
                None => seen.push((word, part.span)),
            }
        }
    }
}

/// What a part of a header begins with; `every` and `cron` say the same thing.
fn part_word(kind: &HeaderPartKind) -> &'static str {
    match kind {
        HeaderPartKind::Every { .. } | HeaderPartKind::Cron(_) => "every",
        HeaderPartKind::Zone(_) => "in",
        HeaderPartKind::From(_) => "from",
        HeaderPartKind::Until(_) => "until",
        HeaderPartKind::OnSignal(_) => "on signal",
        HeaderPartKind::Overlap { .. } => "overlap",
        HeaderPartKind::OnError(_) => "on error",
    }
}

fn is_test_line(kind: &ast::StmtKind) -> bool {
    use ast::StmtKind::*;
    matches!(
        kind,
        Given { .. } | At { .. } | Run { .. } | Advance { .. } | Feedback { .. } | Decide { .. } | Expect { .. }
    )
}

/// The parts of a schedule, while it is being put together.
#[derive(Default)]
pub(super) struct ScheduleParts {
    pub rule: Option<super::super::ScheduleRule>,
    pub at: Vec<jiff::civil::Time>,
    pub zone: Option<String>,
    pub from: Option<jiff::civil::Date>,
    pub until: Option<jiff::civil::Date>,
}

impl ScheduleParts {
    /// The schedule, if there is a rule.
    pub(super) fn finish(self) -> Option<Schedule> {
        let Self { rule, at, zone, from, until } = self;
        rule.map(|rule| Schedule { rule, at, zone, from, until })
    }
}
