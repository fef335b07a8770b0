//! A server that takes whatever is posted, or refuses it, and remembers.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
};
use serde_json::Value;
use tokio::net::TcpListener;

#[derive(Clone)]
pub(crate) struct PostBox {
    address: SocketAddr,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    got: Vec<Posted>,
    refuses: Option<u16>,
    /// What it answered when it refused last.
    refused: String,
}

#[derive(Clone)]
pub(crate) struct Posted {
    pub(crate) path: String,
    pub(crate) authorization: Option<String>,
    pub(crate) body: Value,
}

impl PostBox {
    pub(crate) async fn start() -> Self {
        let inner = Arc::<Mutex<Inner>>::default();
        let app = Router::new().fallback(take).with_state(Arc::clone(&inner));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        tokio::spawn(async move { axum::serve(listener, app).await.expect("a server") });
        Self { address, inner }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Refuses everything from now on, or takes it.
    pub(crate) fn refuse(&self, status: Option<u16>) {
        self.inner.lock().expect("no panic").refuses = status;
    }

    /// What it answered when it refused last.
    pub(crate) fn refused(&self) -> String {
        self.inner.lock().expect("no panic").refused.clone()
    }

    pub(crate) fn got(&self) -> Vec<Posted> {
        self.inner.lock().expect("no panic").got.clone()
    }

    /// What came, as `event: title`.
    pub(crate) fn heard(&self) -> Vec<String> {
        let line = |posted: &Posted| {
            let text = |key: &str| posted.body[key].as_str().unwrap_or_default().to_owned();
            format!("{}: {}", text("event"), text("title"))
        };
        self.got().iter().map(line).collect()
    }
}

async fn take(
    State(inner): State<Arc<Mutex<Inner>>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    let mut inner = inner.lock().expect("no panic");
    let authorization = headers.get("authorization").and_then(|value| value.to_str().ok()).map(str::to_owned);
    if let Some(status) = inner.refuses {
        let shown = authorization.map_or_else(String::new, |shown| format!(", authorization: {shown}"));
        inner.refused = format!("no, {uri}{shown}");
        return (StatusCode::from_u16(status).expect("a status"), inner.refused.clone());
    }
    let body = serde_json::from_slice(&body).expect("JSON");
    inner.got.push(Posted { path: uri.to_string(), authorization, body });
    (StatusCode::OK, "ok".into())
}
