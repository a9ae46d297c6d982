use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::base::{SourceId, Span};
use crate::hir::{self, CampaignId, Expr, ExprKind, LocalId, Program, Ty, TyKind, Value};
use crate::plan::Block;

fn expr() -> Expr {
    let span = Span::new(SourceId(0), 0, 0);
    Expr { kind: ExprKind::Literal(Value::Bool(true)), ty: Ty::of(TyKind::Bool), span }
}

/// A plan with these blocks; the machine looks at nothing else of it.
fn plan(blocks: Vec<Vec<StepKind>>) -> Plan {
    let block = |steps: Vec<StepKind>| Block {
        steps: steps
            .into_iter()
            .enumerate()
            .map(|(at, kind)| Step { path: (at + 1).to_string(), title: String::new(), kind })
            .collect(),
    };
    Plan {
        program: Arc::new(Program::default()),
        campaign: CampaignId(0),
        blocks: blocks.into_iter().map(block).collect(),
        fingerprint: String::new(),
        files: Vec::new(),
    }
}

fn log() -> StepKind {
    StepKind::Log { text: expr() }
}

fn bind(local: u32) -> StepKind {
    StepKind::Let { local: LocalId(local), value: expr() }
}

fn wait() -> StepKind {
    StepKind::Wait { duration: expr() }
}

fn at(seconds: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_second(seconds).unwrap()
}

fn started(plan: &Plan) -> State {
    let mut state = State::default();
    apply(plan, &mut state, &Event::Started { values: BTreeMap::new() }).unwrap();
    state
}

fn done(token: &str, outcome: Outcome) -> Event {
    Event::Done { token: token.into(), outcome }
}

fn perform(token: &str) -> Effect {
    Effect::Perform { token: token.into() }
}

#[test]
fn steps_follow_each_other_and_the_run_finishes() {
    let plan = plan(vec![vec![bind(7), wait(), log()]]);
    let mut state = started(&plan);
    assert_eq!(effects(&state), [perform("")]);

    apply(&plan, &mut state, &done("", Outcome::Value(Value::Int(3)))).unwrap();
    assert_eq!(state.locals[&7], Bound::Value(Value::Int(3)));

    apply(&plan, &mut state, &done("", Outcome::Until(at(100)))).unwrap();
    assert_eq!(effects(&state), [Effect::WakeAt { token: String::new(), at: at(100) }]);

    apply(&plan, &mut state, &Event::Woken { token: String::new() }).unwrap();
    apply(&plan, &mut state, &done("", Outcome::Noted)).unwrap();
    assert_eq!(state.status, Status::Finished);
    assert!(effects(&state).is_empty());
}

#[test]
fn branches_run_side_by_side_and_join() {
    let fork = StepKind::Parallel { branches: vec![BlockId(1), BlockId(2), BlockId(3)] };
    let plan = plan(vec![vec![fork, log()], vec![wait(), log()], vec![log()], vec![]]);
    let mut state = started(&plan);
    apply(&plan, &mut state, &done("", Outcome::Noted)).unwrap();
    assert_eq!(effects(&state), [perform("/0"), perform("/1")], "the empty branch has ended");

    apply(&plan, &mut state, &done("/0", Outcome::Until(at(5)))).unwrap();
    apply(&plan, &mut state, &done("/1", Outcome::Noted)).unwrap();
    assert_eq!(effects(&state), [Effect::WakeAt { token: "/0".into(), at: at(5) }]);

    apply(&plan, &mut state, &Event::Woken { token: "/0".into() }).unwrap();
    apply(&plan, &mut state, &done("/0", Outcome::Noted)).unwrap();
    assert_eq!(effects(&state), [perform("")], "the main branch goes on after the last one");
}

#[test]
fn an_if_takes_the_chosen_arm_or_none() {
    let choice = || StepKind::If { arms: vec![(expr(), BlockId(1))], otherwise: None };
    let plan = plan(vec![vec![choice(), choice()], vec![log()]]);
    let mut state = started(&plan);
    apply(&plan, &mut state, &done("", Outcome::Chosen(Some(0)))).unwrap();
    assert_eq!(effects(&state), [perform("/0")]);
    apply(&plan, &mut state, &done("/0", Outcome::Noted)).unwrap();
    apply(&plan, &mut state, &done("", Outcome::Chosen(None))).unwrap();
    assert_eq!(state.status, Status::Finished);
}

#[test]
fn a_loop_runs_its_turns_under_names_of_their_own() {
    let repeat = StepKind::Repeat { times: expr(), every: None, until: None, body: BlockId(1) };
    let plan = plan(vec![vec![repeat, log()], vec![log()]]);
    let mut state = started(&plan);
    let turn = |next| done("", Outcome::Turn { bind: Some((4, Value::Int(1))), next, over: None });

    apply(&plan, &mut state, &turn(Some(at(70)))).unwrap();
    assert_eq!(effects(&state), [perform("/0")]);
    assert_eq!(state.locals[&4], Bound::Value(Value::Int(1)));
    apply(&plan, &mut state, &done("/0", Outcome::Noted)).unwrap();
    assert_eq!(effects(&state), [Effect::WakeAt { token: String::new(), at: at(70) }], "turns begin apart");

    apply(&plan, &mut state, &Event::Woken { token: String::new() }).unwrap();
    apply(&plan, &mut state, &turn(None)).unwrap();
    assert_eq!(effects(&state), [perform("/1")]);
    apply(&plan, &mut state, &done("/1", Outcome::Noted)).unwrap();
    assert_eq!(effects(&state), [perform("")], "without `every` the next turn is looked at once");

    apply(&plan, &mut state, &done("", Outcome::Over)).unwrap();
    assert_eq!((state.tokens[""].at, state.tokens[""].turn), (1, 0));
}

#[test]
fn waits_for_people_and_conditions_look_again_and_give_up() {
    let human = || StepKind::Human {
        kind: crate::plan::HumanKind::Approve,
        text: expr(),
        role: None,
        within: None,
        otherwise: Some(BlockId(1)),
    };
    let plan = plan(vec![vec![human(), human()], vec![log()]]);
    let mut state = started(&plan);
    apply(&plan, &mut state, &done("", Outcome::Again { at: None, deadline: None })).unwrap();
    assert!(effects(&state).is_empty(), "nothing happens by itself");
    apply(&plan, &mut state, &Event::Woken { token: String::new() }).unwrap();
    apply(&plan, &mut state, &done("", Outcome::Noted)).unwrap();

    let again = Outcome::Again { at: Some(at(9)), deadline: Some(at(9)) };
    apply(&plan, &mut state, &done("", again)).unwrap();
    assert_eq!(state.tokens[""].deadline, Some(at(9)));
    apply(&plan, &mut state, &Event::Woken { token: String::new() }).unwrap();
    apply(&plan, &mut state, &done("", Outcome::GivenUp)).unwrap();
    assert_eq!(effects(&state), [perform("/0")], "the else block");
    apply(&plan, &mut state, &done("/0", Outcome::Noted)).unwrap();
    assert_eq!(state.status, Status::Finished);
}

#[test]
fn a_no_without_an_else_stops_the_run() {
    let human = StepKind::Human {
        kind: crate::plan::HumanKind::Approve,
        text: expr(),
        role: None,
        within: None,
        otherwise: None,
    };
    let plan = plan(vec![vec![human, log()]]);
    let mut state = started(&plan);
    apply(&plan, &mut state, &done("", Outcome::GivenUp)).unwrap();
    assert_eq!(state.status, Status::Stopped);
}

#[test]
fn stop_ends_every_branch() {
    let fork = StepKind::Parallel { branches: vec![BlockId(1), BlockId(2)] };
    let plan = plan(vec![vec![fork], vec![StepKind::Stop { reason: None }], vec![wait()]]);
    let mut state = started(&plan);
    apply(&plan, &mut state, &done("", Outcome::Noted)).unwrap();
    apply(&plan, &mut state, &done("/1", Outcome::Until(at(5)))).unwrap();
    apply(&plan, &mut state, &done("/0", Outcome::Ended { reason: Some("enough".into()) })).unwrap();
    assert_eq!((state.status, state.reason.as_deref()), (Status::Stopped, Some("enough")));
    assert!(state.tokens.is_empty());
}

#[test]
fn a_paused_run_asks_for_nothing_and_goes_on_where_it_was() {
    let plan = plan(vec![vec![log(), log()]]);
    let mut state = started(&plan);
    apply(&plan, &mut state, &Event::Paused { reason: "by ann".into() }).unwrap();
    assert!(effects(&state).is_empty());
    apply(&plan, &mut state, &Event::Resumed).unwrap();
    assert_eq!(effects(&state), [perform("")]);
    assert_eq!(state.reason, None);
}

#[test]
fn events_that_do_not_fit_are_refused() {
    let plan = plan(vec![vec![log(), wait()]]);
    let mut state = started(&plan);
    let wrong = [
        done("", Outcome::Value(Value::Null)),
        done("/9", Outcome::Noted),
        Event::Woken { token: String::new() },
        Event::Resumed,
        Event::Started { values: BTreeMap::new() },
    ];
    for event in wrong {
        assert!(apply(&plan, &mut state.clone(), &event).is_err(), "{event:?}");
    }
    apply(&plan, &mut state, &done("", Outcome::Noted)).unwrap();
    apply(&plan, &mut state, &done("", Outcome::Until(at(1)))).unwrap();
    assert!(apply(&plan, &mut state, &done("", Outcome::Until(at(1)))).is_err(), "done twice");
}

#[test]
fn state_and_events_survive_json() {
    let fork = StepKind::Parallel { branches: vec![BlockId(1), BlockId(1)] };
    let plan = plan(vec![vec![bind(0), fork], vec![wait()]]);
    let mut state = started(&plan);
    let value = Value::Decimal("812.50".parse().unwrap());
    for event in [done("", Outcome::Value(value)), done("", Outcome::Noted), done("/1", Outcome::Until(at(77)))] {
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event, "{text}");
        apply(&plan, &mut state, &event).unwrap();
        let text = serde_json::to_string(&state).unwrap();
        assert_eq!(serde_json::from_str::<State>(&text).unwrap(), state, "{text}");
    }
    assert!(matches!(state.locals[&0], Bound::Value(hir::Value::Decimal(_))));
}

#[test]
fn a_restored_run_is_held_until_somebody_has_judged_it() {
    let plan = plan(vec![vec![wait(), wait(), log()]]);
    let mut state = started(&plan);
    apply(&plan, &mut state, &done("", Outcome::Until(at(50)))).unwrap();
    apply(&plan, &mut state, &Event::Restored { backup: at(10) }).unwrap();
    assert_eq!((state.status, effects(&state)), (Status::Paused, vec![]));
    assert!(apply(&plan, &mut state, &Event::Resumed).is_err(), "it does not go on by itself");

    let judged = Event::BackupJudged { resend: false, certain: false, until: at(60) };
    apply(&plan, &mut state, &judged).unwrap();
    let doubt = Doubt { backup: at(10), until: at(60), resend: false, certain: false };
    assert_eq!((state.status, state.doubt), (Status::Running, Some(doubt)));
    apply(&plan, &mut state, &Event::Woken { token: String::new() }).unwrap();
    assert!(state.doubt.is_some(), "the wait may have been over before the run was restored");
    apply(&plan, &mut state, &done("", Outcome::Until(at(70)))).unwrap();
    apply(&plan, &mut state, &Event::Woken { token: String::new() }).unwrap();
    assert_eq!(state.doubt, None, "what follows cannot have happened before");
    assert!(apply(&plan, &mut state, &judged).is_err());
}

#[test]
fn every_event_is_read_back_as_it_was_written() {
    let version = Version { campaign: "c".into(), file: "c.orch".into(), fingerprint: "f".into() };
    let token = Token { began: Some("3".into()), ..Token::at_start(BlockId(1)) };
    let again = Some(Again { token: "/0".into(), send: 7 });
    let events = [
        Event::Started { values: BTreeMap::from([(3, Value::Int(1))]) },
        Event::Retried { token: String::new(), step: "3".into(), send: 7, what: "failed".into(), rows: 2 },
        Event::Restored { backup: at(1) },
        Event::BackupJudged { resend: true, certain: true, until: at(2) },
        Event::Migrated {
            from: version.clone(),
            to: version,
            tokens: BTreeMap::from([(String::new(), token.clone()), (retry_name(7), Token { again, ..token })]),
            locals: BTreeMap::from([(12, Bound::Value(Value::Text("x".into())))]),
        },
    ];
    for event in events {
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event, "{text}");
    }
}
