//! When somebody may be written to: the rules of the policy in force and the options of the send.
//!
//! A message waits for its moment (`at`), then for the first instant that every daily span allows (`quiet`,
//! `window`). Nothing of that is stored: a row that is held is simply not decided yet, and is judged again when its
//! time has come, so consent, zone and caps are those of the moment at which the message goes out.

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::base::civil;
use crate::hir::{self, ChannelId, ExprKind, PolicyRule, Program, Send, SendAt, Value, WindowZone};
use crate::plan::functions::{ticket, ticket_threshold};
use crate::runtime::store::Reason;

/// The policy of sends that name none.
const DEFAULT_POLICY: &str = "marketing";
/// A moment that is further back than this when a row's turn comes is past. Less is the time that sending takes.
const GRACE: SignedDuration = SignedDuration::from_hours(1);
/// Spans that exclude each other leave no time of day at all.
const MOST_SPANS_PASSED: usize = 64;

/// The rules for one send.
#[derive(Default)]
pub(super) struct Rules {
    holdouts: Vec<Holdout>,
    pub caps: Vec<Cap>,
    spans: Vec<DailySpan>,
    /// The send says of each row when: its next time of day, in the person's zone or in the campaign's, or an instant.
    at: Option<ClockOf>,
    late_skip: bool,
    pub unique_address: bool,
}

/// A share of people who never get anything.
struct Holdout {
    /// Tickets below it are held out; all without it.
    threshold: Option<u64>,
    seed: String,
}

/// At most so many messages in a rolling window.
pub(super) struct Cap {
    /// The channel whose messages count; none for all.
    pub channel: Option<String>,
    pub count: u64,
    pub per: SignedDuration,
}

/// A span of every day, in which messages may not leave, or in which alone they may.
struct DailySpan {
    from: Time,
    to: Time,
    clock: ClockOf,
    effect: Effect,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// Messages wait until the span is over.
    Hold,
    /// Messages are given up.
    Drop,
    /// Messages wait until the span begins.
    Only,
}

/// Whose clock a time of day is read on.
enum ClockOf {
    Campaign,
    Person,
    Zone(TimeZone),
}

/// The zones that a row's times are read in.
pub(super) struct Zones<'z> {
    pub campaign: &'z TimeZone,
    pub person: &'z TimeZone,
}

/// When a row's message goes out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Turn {
    /// Now; `late` when its moment is past.
    Now { late: bool },
    /// Not before this instant.
    Later(Timestamp),
    /// Never, and why.
    Never(Reason, &'static str),
}

impl Rules {
    /// The options of the send, and the rules of its policy and of those which that one extends, as far as they
    /// concern its channel.
    pub fn of(program: &Program, send: &Send) -> Self {
        let options = &send.options;
        let mut rules = Self {
            late_skip: options.late_skip,
            unique_address: options.unique_address,
            at: options.at.as_ref().map(|at| match at {
                SendAt::LocalTime(_) => ClockOf::Person,
                SendAt::Moment(_) => ClockOf::Campaign,
            }),
            ..Self::default()
        };
        if let Some(window) = &options.window {
            rules.spans.push(DailySpan::new(window, Effect::Only));
        }
        for policy in in_force(program, send) {
            for rule in policy.rules.iter().filter(|rule| concerns(rule, send.channel)) {
                rules.add(program, &policy.name, rule);
            }
        }
        rules
    }

    fn add(&mut self, program: &Program, policy: &str, rule: &PolicyRule) {
        match rule {
            PolicyRule::Cap { channel, count, per } => {
                let channel = channel.map(|channel| program[channel].name.clone());
                self.caps.push(Cap { channel, count: *count, per: per.exact() });
            }
            PolicyRule::Quiet { window, drop, .. } => {
                self.spans.push(DailySpan::new(window, if *drop { Effect::Drop } else { Effect::Hold }));
            }
            PolicyRule::Window { window, .. } => self.spans.push(DailySpan::new(window, Effect::Only)),
            PolicyRule::Holdout { share, seed } => {
                if let ExprKind::Literal(Value::Decimal(share)) = &share.kind {
                    let seed = seed.clone().unwrap_or_else(|| policy.to_string());
                    self.holdouts.push(Holdout { threshold: ticket_threshold(*share), seed });
                }
            }
        }
    }

    /// True when a time of day is read on the person's clock.
    pub fn need_zone(&self) -> bool {
        let person = |clock: &ClockOf| matches!(clock, ClockOf::Person);
        self.at.as_ref().is_some_and(person) || self.spans.iter().any(|span| person(&span.clock))
    }

    /// True when this person is in a share that gets nothing.
    pub fn holds_out(&self, person: &str) -> bool {
        let key = [Value::Text(person.to_string())];
        self.holdouts.iter().any(|holdout| holdout.threshold.is_none_or(|below| ticket(&holdout.seed, &key) < below))
    }

    /// When a row's message goes out. `moment` is what `at` says of the row; `begun` is when the send began, from
    /// which the next time of day counts.
    pub fn turn(&self, moment: Option<&Value>, begun: Timestamp, now: Timestamp, zones: &Zones<'_>) -> Turn {
        let (at, late) = match &self.at {
            None => (now, false),
            Some(clock) => {
                let at = match moment {
                    Some(Value::Timestamp(at)) => Some(*at),
                    Some(Value::Time(time)) => civil::next_at(*time, begun, clock.zone(zones)),
                    _ => None,
                };
                let Some(at) = at else { return Turn::Never(Reason::NoMoment, "") };
                (at, at < begun || now.duration_since(at) > GRACE)
            }
        };
        if late && self.late_skip {
            return Turn::Never(Reason::Late, "");
        }
        self.not_before(at, late, now, zones)
    }

    /// When a message that was to be sent before goes out once more.
    pub fn again(&self, now: Timestamp, zones: &Zones<'_>) -> Turn {
        self.not_before(now, false, now, zones)
    }

    fn not_before(&self, at: Timestamp, late: bool, now: Timestamp, zones: &Zones<'_>) -> Turn {
        match self.allowed(at.max(now), zones) {
            Ok(at) if at > now => Turn::Later(at),
            Ok(_) => Turn::Now { late },
            Err(why) => Turn::Never(Reason::QuietHours, why),
        }
    }

    /// The first instant from `at` on that all spans allow.
    fn allowed(&self, mut at: Timestamp, zones: &Zones<'_>) -> Result<Timestamp, &'static str> {
        for _ in 0..MOST_SPANS_PASSED {
            let Some(span) = self.spans.iter().find(|span| span.forbids(at, zones)) else { return Ok(at) };
            if span.effect == Effect::Drop {
                return Err("");
            }
            at = span.over(at, zones).ok_or("there is no later moment")?;
        }
        Err("its quiet hours and windows leave no time of the day")
    }
}

impl DailySpan {
    fn new(window: &hir::Window, effect: Effect) -> Self {
        let clock = match &window.zone {
            WindowZone::Campaign => ClockOf::Campaign,
            WindowZone::Local => ClockOf::Person,
            // The checker knows the zone.
            WindowZone::Named(name) => TimeZone::get(name).map_or(ClockOf::Campaign, ClockOf::Zone),
        };
        Self { from: window.from, to: window.to, clock, effect }
    }

    /// Within the span its beginning lies less far back than its end. So a time that a clock change skips or repeats
    /// counts as everywhere else.
    fn forbids(&self, at: Timestamp, zones: &Zones<'_>) -> bool {
        let zone = self.clock.zone(zones);
        let inside = civil::last_at(self.from, at, zone) > civil::last_at(self.to, at, zone);
        inside != (self.effect == Effect::Only)
    }

    /// When it forbids no longer.
    fn over(&self, at: Timestamp, zones: &Zones<'_>) -> Option<Timestamp> {
        let time = if self.effect == Effect::Only { self.from } else { self.to };
        civil::next_at(time, at, self.clock.zone(zones))
    }
}

impl ClockOf {
    fn zone<'z>(&'z self, zones: &Zones<'z>) -> &'z TimeZone {
        match self {
            ClockOf::Campaign => zones.campaign,
            ClockOf::Person => zones.person,
            ClockOf::Zone(zone) => zone,
        }
    }
}

/// The send's policy, then those that it extends; none for transactional messages.
fn in_force<'p>(program: &'p Program, send: &Send) -> impl Iterator<Item = &'p hir::Policy> {
    let named = send.options.policy.map(|policy| &program[policy]);
    let default = || program.policies.iter().find(|policy| policy.name == DEFAULT_POLICY);
    let first = if send.options.transactional { None } else { named.or_else(default) };
    // A policy that extends itself is an error of the program, and errors are not run.
    std::iter::successors(first, |policy| policy.extends.map(|base| &program[base]))
}

fn concerns(rule: &PolicyRule, channel: ChannelId) -> bool {
    match rule {
        PolicyRule::Cap { channel: of, .. }
        | PolicyRule::Quiet { channel: of, .. }
        | PolicyRule::Window { channel: of, .. } => of.is_none_or(|of| of == channel),
        PolicyRule::Holdout { .. } => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn span(from: i8, to: i8, clock: ClockOf, effect: Effect) -> DailySpan {
        DailySpan { from: Time::constant(from, 0, 0, 0), to: Time::constant(to, 0, 0, 0), clock, effect }
    }

    fn turn(rules: &Rules, moment: Option<&Value>, begun: &str, now: &str) -> Turn {
        let (paris, tokyo) = (TimeZone::get("Europe/Paris").unwrap(), TimeZone::get("Asia/Tokyo").unwrap());
        rules.turn(moment, at(begun), at(now), &Zones { campaign: &paris, person: &tokyo })
    }

    #[test]
    fn quiet_hours_hold_to_their_end_on_the_clock_that_they_name() {
        let quiet = |clock, effect| Rules { spans: vec![span(21, 8, clock, effect)], ..Rules::default() };
        let evening = "2026-06-01T20:00:00Z";
        let campaign = quiet(ClockOf::Campaign, Effect::Hold);
        assert_eq!(turn(&campaign, None, evening, evening), Turn::Later(at("2026-06-02T06:00:00Z")));
        let person = quiet(ClockOf::Person, Effect::Hold);
        assert_eq!(turn(&person, None, evening, evening), Turn::Later(at("2026-06-01T23:00:00Z")));
        assert_eq!(turn(&person, None, evening, "2026-06-01T23:00:00Z"), Turn::Now { late: false }, "eight is over");
        assert_eq!(
            turn(&person, None, evening, "2026-06-01T12:00:00Z"),
            Turn::Later(at("2026-06-01T23:00:00Z")),
            "nine is in"
        );
        let dropped = quiet(ClockOf::Person, Effect::Drop);
        assert_eq!(turn(&dropped, None, evening, evening), Turn::Never(Reason::QuietHours, ""));
    }

    #[test]
    fn windows_and_quiet_hours_must_all_allow() {
        let spans = vec![span(9, 12, ClockOf::Campaign, Effect::Only), span(8, 11, ClockOf::Campaign, Effect::Hold)];
        let rules = Rules { spans, ..Rules::default() };
        let noon = "2026-06-01T10:30:00Z";
        assert_eq!(turn(&rules, None, noon, noon), Turn::Later(at("2026-06-02T09:00:00Z")));
        let spans = vec![span(9, 12, ClockOf::Campaign, Effect::Only), span(8, 13, ClockOf::Campaign, Effect::Hold)];
        let never = Rules { spans, ..Rules::default() };
        assert!(matches!(turn(&never, None, noon, noon), Turn::Never(Reason::QuietHours, why) if !why.is_empty()));
    }

    #[test]
    fn quiet_hours_across_the_change_of_clocks() {
        // Until half past two, which occurs twice in Paris in that night: the first one ends it.
        let span = DailySpan {
            from: Time::constant(21, 0, 0, 0),
            to: Time::constant(2, 30, 0, 0),
            clock: ClockOf::Campaign,
            effect: Effect::Hold,
        };
        let rules = Rules { spans: vec![span], ..Rules::default() };
        let night = "2026-10-24T22:00:00Z";
        assert_eq!(turn(&rules, None, night, night), Turn::Later(at("2026-10-25T00:30:00Z")));
        assert_eq!(turn(&rules, None, night, "2026-10-25T01:10:00Z"), Turn::Now { late: false });
        // In spring it does not occur: the first instant after the gap ends it.
        let night = "2026-03-28T22:00:00Z";
        assert_eq!(turn(&rules, None, night, night), Turn::Later(at("2026-03-29T01:00:00Z")));
    }

    #[test]
    fn each_person_has_a_next_nine_o_clock() {
        let nine = Value::Time(Time::constant(9, 0, 0, 0));
        let rules = Rules { at: Some(ClockOf::Person), ..Rules::default() };
        let begun = "2026-06-01T08:00:00Z";
        assert_eq!(turn(&rules, Some(&nine), begun, begun), Turn::Later(at("2026-06-02T00:00:00Z")));
        assert_eq!(turn(&rules, Some(&nine), begun, "2026-06-02T00:00:00Z"), Turn::Now { late: false });
        assert_eq!(turn(&rules, Some(&nine), begun, "2026-06-02T05:00:00Z"), Turn::Now { late: true }, "we were off");
    }

    #[test]
    fn a_past_moment_is_late() {
        let past = Value::Timestamp(at("2026-06-01T07:59:00Z"));
        let mut rules = Rules { at: Some(ClockOf::Campaign), ..Rules::default() };
        let begun = "2026-06-01T08:00:00Z";
        assert_eq!(turn(&rules, Some(&past), begun, begun), Turn::Now { late: true });
        assert_eq!(turn(&rules, Some(&Value::Null), begun, begun), Turn::Never(Reason::NoMoment, ""));
        rules.late_skip = true;
        assert_eq!(turn(&rules, Some(&past), begun, begun), Turn::Never(Reason::Late, ""));
    }
}
