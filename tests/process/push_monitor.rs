//! A push monitor: a real server that notes what it hears, and can be slow, cross or gone.

use std::{
    collections::VecDeque,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{Method, StatusCode, Uri},
};
use tokio::{net::TcpListener, runtime::Runtime};

use super::bench::eventually;

pub(crate) struct PushMonitor {
    address: SocketAddr,
    state: Arc<Shared>,
    runtime: Option<Runtime>,
}

#[derive(Default)]
struct Shared {
    heard: Mutex<Vec<Heard>>,
    /// What the next ones are answered with; 200 after that.
    answers: Mutex<VecDeque<u16>>,
    hangs: AtomicBool,
}

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) what: String,
    pub(crate) body: Vec<u8>,
    pub(crate) answer: u16,
}

impl Heard {
    pub(crate) fn path(&self) -> &str {
        self.what.split('?').next().unwrap_or_default()
    }

    pub(crate) fn rid(&self) -> Option<&str> {
        self.what.split(['?', '&']).find_map(|pair| pair.strip_prefix("rid="))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("text")
    }
}

impl PushMonitor {
    pub(crate) fn new() -> Self {
        let mut monitor =
            Self { address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), state: Arc::default(), runtime: None };
        monitor.up();
        monitor
    }

    /// It listens, where it did before.
    pub(crate) fn up(&mut self) {
        let runtime = Runtime::new().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind(self.address)).expect("its port");
        self.address = listener.local_addr().expect("an address");
        let app = Router::new().fallback(hear).with_state(Arc::clone(&self.state));
        runtime.spawn(async move { axum::serve(listener, app).await });
        self.runtime = Some(runtime);
    }

    /// It is gone, with all its connections.
    pub(crate) fn down(&mut self) {
        self.runtime.take().expect("it was up").shutdown_background();
    }

    /// From now on it takes what comes and never answers, or does again.
    pub(crate) fn hang(&self, hangs: bool) {
        self.state.hangs.store(hangs, Ordering::Relaxed);
    }

    /// What the next requests are answered with.
    pub(crate) fn answer(&self, answers: &[u16]) {
        self.state.answers.lock().expect("whole").extend(answers);
    }

    pub(crate) fn url(&self, rest: &str) -> String {
        format!("http://{}/{rest}", self.address)
    }

    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.state.heard.lock().expect("whole").clone()
    }

    /// Waits until `count` requests were heard whose path begins with `path`; answers them.
    #[track_caller]
    pub(crate) fn until_heard(&self, path: &str, count: usize) -> Vec<Heard> {
        eventually(&format!("{count} requests for {path}"), || {
            let all = self.heard();
            let these: Vec<Heard> = all.iter().filter(|heard| heard.path().starts_with(path)).cloned().collect();
            if these.len() >= count { Ok(these) } else { Err(format!("{all:?}")) }
        })
    }
}

async fn hear(State(state): State<Arc<Shared>>, method: Method, uri: Uri, body: Bytes) -> StatusCode {
    let answer = state.answers.lock().expect("whole").pop_front().unwrap_or(200);
    let (method, what, body) = (method.to_string(), uri.to_string(), body.to_vec());
    state.heard.lock().expect("whole").push(Heard { method, what, body, answer });
    if state.hangs.load(Ordering::Relaxed) {
        std::future::pending::<()>().await;
    }
    StatusCode::from_u16(answer).expect("a status")
}
