//! A stand-in for Gitea and GitHub that remembers: labels, issues, comments, pages, who may do what, and failures on demand.

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Json, Router,
    extract::{Path, Query, Request, State},
    http::{HeaderMap, StatusCode},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::{get, patch, post},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Barrier};

/// What everybody has to show.
pub(crate) const TOKEN: &str = "t0ken-that-nobody-sees";

/// The most that a page has, whatever is asked for.
const PAGE: usize = 20;

/// A tracker that runs, as long as this lives.
pub(crate) struct Tracker {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    books: Mutex<Books>,
    /// Whoever opens an issue waits for the others here.
    together: Mutex<Option<Arc<Barrier>>>,
}

/// What it remembers.
#[derive(Default)]
pub(crate) struct Books {
    pub(crate) labels: Vec<String>,
    pub(crate) issues: Vec<Issue>,
    /// The requests to come that fail: with this status, or never answered.
    pub(crate) faults: VecDeque<Fault>,
    pub(crate) requests: usize,
    /// Issues can't be closed.
    pub(crate) keeps_open: bool,
}

#[derive(Clone, Copy)]
pub(crate) enum Fault {
    Status(u16),
    Hang,
}

#[derive(Clone, Default)]
pub(crate) struct Issue {
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) closed: bool,
    pub(crate) labels: Vec<String>,
    pub(crate) assignees: Vec<String>,
    pub(crate) comments: Vec<String>,
    pub(crate) is_pull: bool,
}

impl Drop for Tracker {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Tracker {
    pub(crate) async fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let of_repo = Router::new()
            .route("/labels", get(labels).post(make_label))
            .route("/issues", get(issues).post(open))
            .route("/issues/{number}", get(issue).merge(patch(change)))
            .route("/issues/{number}/comments", post(comment))
            .with_state(Arc::clone(&shared));
        let app = Router::new().nest("/api/v1/repos/ops/cron", of_repo.clone()).nest("/repos/ops/cron", of_repo);
        let app = app.layer(middleware::from_fn_with_state(Arc::clone(&shared), gate));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let server = tokio::spawn(async move { axum::serve(listener, app).await.expect("a server") });
        Self { address, shared, server }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn books(&self) -> MutexGuard<'_, Books> {
        self.shared.books.lock().expect("no panic")
    }

    /// From now on, an issue is only opened when this many want to.
    pub(crate) fn open_together(&self, many: usize) {
        *self.shared.together.lock().expect("no panic") = Some(Arc::new(Barrier::new(many)));
    }

    /// The issues that are open, by their numbers.
    pub(crate) fn open_issues(&self) -> Vec<usize> {
        let books = self.books();
        books
            .issues
            .iter()
            .zip(1..)
            .filter(|(issue, _)| !issue.closed && !issue.is_pull)
            .map(|(_, number)| number)
            .collect()
    }
}

type Shares = State<Arc<Shared>>;

/// Lets in who shows the token as this kind of tracker wants it, and fails when it should.
async fn gate(State(shared): Shares, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let fault = {
        let mut books = shared.books.lock().expect("no panic");
        books.requests += 1;
        books.faults.pop_front()
    };
    match fault {
        Some(Fault::Status(status)) => {
            let status = StatusCode::from_u16(status).expect("a status");
            return (status, format!("it went wrong, and you sent {TOKEN}")).into_response();
        }
        Some(Fault::Hang) => std::future::pending().await,
        None => {}
    }
    let scheme = if path.starts_with("/api/v1/") { "token" } else { "Bearer" };
    if !is_let_in(request.headers(), scheme) {
        return (StatusCode::UNAUTHORIZED, Json(json!({"message": "token is required"}))).into_response();
    }
    next.run(request).await
}

fn is_let_in(headers: &HeaderMap, scheme: &str) -> bool {
    headers.get("authorization").is_some_and(|shown| shown == &format!("{scheme} {TOKEN}"))
}

fn page_of(all: Vec<Value>, query: &BTreeMap<String, String>) -> Json<Value> {
    let number = |key: &str| query.get(key).and_then(|value| value.parse::<usize>().ok());
    let size = number("limit").unwrap_or(PAGE).min(PAGE);
    let page = number("page").unwrap_or(1).max(1);
    Json(all.into_iter().skip((page - 1) * size).take(size).collect())
}

async fn labels(State(shared): Shares, Query(query): Query<BTreeMap<String, String>>) -> Json<Value> {
    let books = shared.books.lock().expect("no panic");
    let all = books.labels.iter().zip(1..).map(|(name, id): (_, u64)| json!({"id": id, "name": name})).collect();
    page_of(all, &query)
}

async fn make_label(State(shared): Shares, Json(label): Json<Value>) -> Response {
    let mut books = shared.books.lock().expect("no panic");
    let name = label["name"].as_str().expect("a name").to_owned();
    if books.labels.contains(&name) {
        return (StatusCode::UNPROCESSABLE_ENTITY, "it is there").into_response();
    }
    books.labels.push(name.clone());
    (StatusCode::CREATED, Json(json!({"id": books.labels.len(), "name": name}))).into_response()
}

fn shown(number: usize, issue: &Issue) -> Value {
    let mut shown = json!({"number": number, "title": issue.title, "body": issue.body,
        "state": if issue.closed { "closed" } else { "open" }});
    if issue.is_pull {
        shown["pull_request"] = json!({});
    }
    shown
}

async fn issues(State(shared): Shares, Query(query): Query<BTreeMap<String, String>>) -> Json<Value> {
    let books = shared.books.lock().expect("no panic");
    let label = query.get("labels").cloned().unwrap_or_default();
    // The newest first, as both do it.
    let open = books.issues.iter().zip(1..).filter(|(issue, _)| !issue.closed && issue.labels.contains(&label));
    let mut all: Vec<Value> = open.map(|(issue, number)| shown(number, issue)).collect();
    all.reverse();
    page_of(all, &query)
}

async fn open(State(shared): Shares, Json(wanted): Json<Value>) -> Response {
    let together = shared.together.lock().expect("no panic").clone();
    if let Some(together) = together {
        together.wait().await;
    }
    let mut books = shared.books.lock().expect("no panic");
    let assignees: Vec<String> = texts(&wanted["assignees"]);
    if let Some(unknown) = assignees.iter().find(|name| name.as_str() != "ann") {
        let message = format!("Assignee does not exist: [name: {unknown}]");
        return (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({"message": message}))).into_response();
    }
    let label = |label: &Value| match label {
        Value::Number(id) => books.labels[id.as_u64().expect("an id") as usize - 1].clone(),
        name => name.as_str().expect("a name").to_owned(),
    };
    let labels = wanted["labels"].as_array().expect("labels").iter().map(label).collect();
    let text = |key: &str| wanted[key].as_str().expect(key).to_owned();
    let issue = Issue { title: text("title"), body: text("body"), labels, assignees, ..Issue::default() };
    books.issues.push(issue);
    let number = books.issues.len();
    (StatusCode::CREATED, Json(shown(number, &books.issues[number - 1]))).into_response()
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

async fn issue(State(shared): Shares, Path(number): Path<usize>) -> Response {
    let books = shared.books.lock().expect("no panic");
    match books.issues.get(number - 1) {
        Some(issue) => Json(shown(number, issue)).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn change(State(shared): Shares, Path(number): Path<usize>, Json(change): Json<Value>) -> Response {
    let mut books = shared.books.lock().expect("no panic");
    if books.keeps_open {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let issue = &mut books.issues[number - 1];
    issue.closed = change["state"] == "closed";
    Json(shown(number, issue)).into_response()
}

async fn comment(State(shared): Shares, Path(number): Path<usize>, Json(comment): Json<Value>) -> Response {
    let mut books = shared.books.lock().expect("no panic");
    books.issues[number - 1].comments.push(comment["body"].as_str().expect("a body").to_owned());
    (StatusCode::CREATED, Json(json!({"id": 1}))).into_response()
}
