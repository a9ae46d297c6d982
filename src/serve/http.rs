//! Requests and answers.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Map, Value, json};

use super::{Daemon, Delivered, Refusal, Token};
use crate::base::SourceMap;
use crate::diag::codes::run;
use crate::diag::{Problem, Problems, problems_json};

/// Most bytes of a body.
const LARGEST_BODY: usize = 64 << 10;
/// Most bytes of a signal's id.
const LONGEST_ID: usize = 200;
/// How long a request may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);
/// Runs that are listed unless asked otherwise.
const LISTED: usize = 20;

/// Names a signal, so that it can be sent again without being delivered twice.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

struct Shared {
    daemon: Arc<dyn Daemon>,
    token: Token,
}

type App = State<Arc<Shared>>;

/// All routes.
pub(super) fn routes(daemon: Arc<dyn Daemon>, token: Token) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/runs", get(runs))
        .route("/signals/{name}", post(signal))
        .fallback(|| async { refused(StatusCode::NOT_FOUND, bad_request("there is no such route", ROUTES)) })
        .method_not_allowed_fallback(|| async {
            refused(StatusCode::METHOD_NOT_ALLOWED, bad_request("the route takes no such method", ROUTES))
        })
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(Arc::new(Shared { daemon, token }))
}

const ROUTES: &str = "GET /health, GET /runs, POST /signals/NAME";

async fn health(State(shared): App) -> Response {
    let status = shared.daemon.health();
    let code = if status == "failing" { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    answer(code, &json!({ "status": status }))
}

#[derive(serde::Deserialize)]
struct RunsQuery {
    #[serde(default)]
    open: bool,
    limit: Option<usize>,
}

async fn runs(
    State(shared): App,
    headers: HeaderMap,
    query: Result<Query<RunsQuery>, axum::extract::rejection::QueryRejection>,
) -> Response {
    if let Some(refused) = unauthorized(&shared, &headers) {
        return refused;
    }
    let Ok(Query(query)) = query else {
        let problem = bad_request("the query cannot be understood", "write `?open=true&limit=50`");
        return refused(StatusCode::BAD_REQUEST, problem);
    };
    let look = move || shared.daemon.runs(query.open, query.limit.unwrap_or(LISTED));
    match tokio::task::spawn_blocking(look).await {
        Ok(Ok(document)) => answer(StatusCode::OK, &document),
        Ok(Err(problem)) => refused(StatusCode::INTERNAL_SERVER_ERROR, problem),
        Err(_) => broken(),
    }
}

#[derive(serde::Deserialize)]
struct SignalQuery {
    id: Option<String>,
}

async fn signal(State(shared): App, Path(name): Path<String>, request: Request) -> Response {
    let headers = request.headers();
    if let Some(refused) = unauthorized(&shared, headers) {
        return refused;
    }
    let query = Query::<SignalQuery>::try_from_uri(request.uri());
    let header = headers.get(IDEMPOTENCY_KEY).map(HeaderValue::to_str);
    let (Ok(Query(query)), Ok(header)) = (query, header.transpose()) else {
        let problem = bad_request("the id of the signal cannot be understood", ID_HELP);
        return refused(StatusCode::BAD_REQUEST, problem);
    };
    let id = query.id.or_else(|| header.map(str::to_owned));
    if id.as_ref().is_some_and(|id| id.is_empty() || id.len() > LONGEST_ID) {
        let problem = bad_request(format!("an id has 1 to {LONGEST_ID} bytes"), ID_HELP);
        return refused(StatusCode::BAD_REQUEST, problem);
    }
    let fields = match fields(request).await {
        Ok(fields) => fields,
        Err(refused) => return *refused,
    };
    let deliver = move || shared.daemon.signal(&name, id.as_deref(), &fields);
    match tokio::task::spawn_blocking(deliver).await {
        Ok(delivered) => delivered_or_not(delivered),
        Err(_) => broken(),
    }
}

const ID_HELP: &str = "name it with `?id=ID` or the header `Idempotency-Key: ID`, or leave both out";

fn delivered_or_not(delivered: Result<Delivered, Refusal>) -> Response {
    match delivered {
        Ok(Delivered { id, new }) => {
            let code = if new { StatusCode::ACCEPTED } else { StatusCode::OK };
            answer(code, &json!({ "signal": id, "new": new }))
        }
        Err(Refusal::Unknown(problem)) => refused(StatusCode::NOT_FOUND, problem),
        Err(Refusal::Wrong(problem)) => refused(StatusCode::UNPROCESSABLE_ENTITY, problem),
        Err(Refusal::Conflict(problem)) => refused(StatusCode::CONFLICT, problem),
        Err(Refusal::Broken(problem)) => refused(StatusCode::INTERNAL_SERVER_ERROR, problem),
    }
}

/// The object in the body; an empty body has no fields.
async fn fields(request: Request) -> Result<Map<String, Value>, Box<Response>> {
    use axum::extract::FromRequest;
    let body: Result<Bytes, BytesRejection> =
        match tokio::time::timeout(PATIENCE, Bytes::from_request(request, &())).await {
            Ok(body) => body,
            Err(_) => {
                let problem = bad_request("the body did not arrive in time", "send it at once");
                return Err(Box::new(refused(StatusCode::REQUEST_TIMEOUT, problem)));
            }
        };
    let body = body.map_err(|rejection| {
        let help = format!("a body has at most {LARGEST_BODY} bytes");
        Box::new(refused(rejection.status(), bad_request("the body cannot be read", help)))
    })?;
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    let wrong = |message: String| {
        let problem =
            bad_request(message, "send the signal's fields as an object: {\"sku\": \"A-17\", \"quantity\": 40}");
        Box::new(refused(StatusCode::BAD_REQUEST, problem))
    };
    match serde_json::from_slice(&body) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(wrong("the body is no JSON object".into())),
        Err(error) => Err(wrong(format!("the body is not JSON: {error}"))),
    }
}

/// The answer to a request that does not know the token.
fn unauthorized(shared: &Shared, headers: &HeaderMap) -> Option<Response> {
    let written = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = written.and_then(|text| {
        let (scheme, token) = text.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    if token.is_some_and(|token| shared.token.is(token)) {
        return None;
    }
    let message = match token {
        Some(_) => "the token is not the one of this daemon",
        None => "the request has no token",
    };
    let problem = Problem::outside(run::BAD_TOKEN, message)
        .help("send the header `Authorization: Bearer TOKEN`; `orch serve` says where the token is when it starts");
    let mut response = refused(StatusCode::UNAUTHORIZED, problem);
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    Some(response)
}

fn bad_request(message: impl Into<String>, help: impl Into<String>) -> Problem {
    Problem::outside(run::BAD_REQUEST, message.into()).help(help.into())
}

fn broken() -> Response {
    let problem = Problem::outside(run::STATE_BROKEN, "the request could not be worked on").help("try again");
    refused(StatusCode::INTERNAL_SERVER_ERROR, problem)
}

fn refused(code: StatusCode, problem: Problem) -> Response {
    let mut problems = Problems::new();
    problems.push(problem);
    answer(code, &problems_json(&problems, &SourceMap::new()))
}

fn answer(code: StatusCode, document: &impl serde::Serialize) -> Response {
    let text = serde_json::to_string(document).unwrap_or_default();
    let mut response = Response::new(Body::from(text + "\n"));
    *response.status_mut() = code;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
