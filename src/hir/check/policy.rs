//! Policies.

use super::super::problem::NameProblem;
use super::super::{ChannelId, PolicyId, PolicyRule, Ty, TyKind, Value};
use super::Checker;
use super::collect::Found;
use crate::base::Span;
use crate::diag::codes::names as codes;
use crate::syntax::ast::{self, PolicyRuleKind};

impl<'a> Checker<'a> {
    /// All policies.
    pub(super) fn check_policies(&mut self, found: &Found<'a>) {
        for (id, policy) in &found.policies {
            if policy.name.text == "transactional" {
                let help = "choose another name";
                self.bad_policy("`transactional` is built in: no topic, no caps", help, policy.name.span);
            }
            let extends = policy.extends.as_ref().and_then(|base| self.extended(base));
            let (rules, places) = policy.rules.iter().filter_map(|rule| Some((self.rule(rule)?, rule.span))).unzip();
            let checked = &mut self.program.policies[id.0 as usize];
            checked.extends = extends;
            checked.rules = rules;
            checked.places = places;
        }
        for (id, policy) in &found.policies {
            self.circle(*id, policy);
        }
    }

    fn bad_policy(&mut self, why: impl Into<String>, help: impl Into<String>, span: Span) {
        self.report(NameProblem::Declaration { code: codes::BAD_POLICY, why: why.into(), help: help.into(), span });
    }

    fn extended(&mut self, base: &ast::Name) -> Option<PolicyId> {
        if base.text == "transactional" {
            self.bad_policy("`transactional` has no rules to extend", "declare a policy without `extends`", base.span);
            return None;
        }
        self.policy_named(base)
    }

    /// A policy that extends itself loses its base.
    fn circle(&mut self, id: PolicyId, written: &ast::Policy) {
        let mut at = id;
        for _ in 0..self.program.policies.len() {
            match self.program[at].extends {
                Some(next) if next == id => {
                    let span = written.extends.as_ref().map_or(written.name.span, |base| base.span);
                    self.program.policies[id.0 as usize].extends = None;
                    return self.bad_policy("a policy cannot extend itself", "remove one `extends`", span);
                }
                Some(next) => at = next,
                None => return,
            }
        }
    }

    fn rule(&mut self, rule: &ast::PolicyRule) -> Option<PolicyRule> {
        match &rule.kind {
            PolicyRuleKind::Cap { channel, rate } => {
                let channel = self.channel_or_any(channel)?;
                let (count, per) = self.rate_constant(rate)?;
                Some(PolicyRule::Cap { channel, count, per })
            }
            PolicyRuleKind::Quiet { channel, window, drop } => {
                let channel = self.channel_or_any(channel)?;
                Some(PolicyRule::Quiet { channel, window: self.window("quiet", window)?, drop: *drop })
            }
            PolicyRuleKind::Window { channel, window } => {
                let channel = self.channel_or_any(channel)?;
                Some(PolicyRule::Window { channel, window: self.window("window", window)? })
            }
            PolicyRuleKind::Holdout { share, seed } => self.holdout(share, seed.as_ref()),
            PolicyRuleKind::Error => None,
        }
    }

    fn holdout(&mut self, share: &ast::Expr, seed: Option<&ast::Text>) -> Option<PolicyRule> {
        let value = self.constant(share, &Ty::of(TyKind::Percent))?;
        let Value::Decimal(number) = &value else { return None };
        if number.is_sign_negative() || *number > rust_decimal::Decimal::ONE {
            self.bad_policy("a holdout is a share between 0% and 100%", "write for example `holdout 5%`", share.span);
            return None;
        }
        let ty = Ty::of(TyKind::Percent);
        let share = super::super::Expr { kind: super::super::ExprKind::Literal(value), ty, span: share.span };
        Some(PolicyRule::Holdout { share, seed: seed.map(|seed| seed.value.clone()) })
    }

    /// `Some(None)` for `any`.
    #[allow(clippy::option_option, reason = "unknown, any and one are three different things")]
    fn channel_or_any(&mut self, name: &ast::Name) -> Option<Option<ChannelId>> {
        if name.text == "any" { Some(None) } else { self.channel_named(name).map(Some) }
    }
}
