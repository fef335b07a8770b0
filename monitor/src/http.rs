//! The client that sinks share: time limits, no redirects, and errors without anything that is secret.

use std::{error::Error as _, sync::OnceLock, time::Duration};

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::{Client, Method, Url, header::HeaderMap, redirect::Policy};
use scheduler_core::{Error, ErrorKind, Result};
use serde_json::Value;

use crate::{
    scrub::scrubbed,
    trouble::{Way, plain},
};

/// How long one request may take, unless somebody says otherwise.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// How long a server may take to say that it is there.
const CONNECT: Duration = Duration::from_secs(10);

/// The most that is read of an answer.
const MOST: usize = 8 << 20;

/// The most of a refusal that is repeated.
const EXCERPT: usize = 200;

/// A client, made when it is needed first.
#[derive(Debug)]
pub(crate) struct Http {
    client: OnceLock<Client>,
    /// What the environment says about proxies, read as the client reads it.
    proxies: OnceLock<Matcher>,
    /// How long one request may take.
    patience: Duration,
}

/// What is asked.
pub(crate) struct Request<'a> {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<&'a Value>,
    /// What must not be repeated in an error.
    pub(crate) secrets: &'a [String],
}

/// What was answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl Default for Http {
    fn default() -> Self {
        Self::new(PATIENCE)
    }
}

impl Http {
    pub(crate) fn new(patience: Duration) -> Self {
        Self { client: OnceLock::new(), proxies: OnceLock::new(), patience }
    }

    /// Asks, and answers whatever the server says.
    pub(crate) async fn ask(&self, request: Request<'_>) -> Result<Answer> {
        let Request { method, url, headers, body, secrets } = request;
        let to = url.clone();
        let failed = |error: reqwest::Error| self.failed(&error, &method, &to, self.patience, secrets);
        let mut asked = self.client()?.request(method.clone(), url).headers(headers).timeout(self.patience);
        if let Some(body) = body {
            asked = asked.header("content-type", "application/json").body(body.to_string());
        }
        let mut answer = asked.send().await.map_err(failed)?;
        let status = answer.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > MOST {
                let what = format!("{method} {}: the answer is too long", public(&to));
                return Err(Error::new(ErrorKind::Invalid, what));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, body })
    }

    /// Asks, and takes everything but success for an error.
    pub(crate) async fn done(&self, request: Request<'_>) -> Result<Answer> {
        let (method, place, secrets) = (request.method.clone(), public(&request.url), request.secrets);
        let answer = self.ask(request).await?;
        if answer.is_success() { Ok(answer) } else { Err(refused(&method, &place, &answer, secrets)) }
    }

    /// Says `text`, and waits for at most `patience`. Of the answer the first words are enough.
    pub(crate) async fn tell(
        &self,
        (method, url): (Method, Url),
        text: String,
        patience: Duration,
        secrets: &[String],
    ) -> Result<Answer> {
        let to = url.clone();
        let failed = |error: reqwest::Error| self.failed(&error, &method, &to, patience, secrets);
        let mut asked = self.client()?.request(method.clone(), url).timeout(patience);
        if method == Method::POST {
            asked = asked.header("content-type", "text/plain; charset=utf-8").body(text);
        }
        let mut answer = asked.send().await.map_err(failed)?;
        let (status, mut body) = (answer.status().as_u16(), Vec::new());
        while body.len() < EXCERPT * 4 {
            let Some(chunk) = answer.chunk().await.map_err(failed)? else { break };
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, body })
    }

    /// Why `to` could not be asked, and by which proxy.
    fn failed(
        &self,
        error: &reqwest::Error,
        method: &Method,
        to: &Url,
        patience: Duration,
        secrets: &[String],
    ) -> Error {
        let said = words(error, patience);
        let known = plain(&said, Way::Web { tls: to.scheme() == "https" });
        let (why, hint) = known.map_or((said, None), |(why, hint)| (why, Some(hint)));
        let proxy = self.proxy(to);
        let by = proxy.as_ref().map_or_else(String::new, |proxy| format!(" by the proxy {proxy}"));
        let what = format!("{method} {}{by}: {}", public(to), scrubbed(&why, secrets));
        let error = Error::new(ErrorKind::Io, what);
        match (proxy, hint) {
            (Some(_), _) => {
                error.hint("see whether HTTPS_PROXY, HTTP_PROXY or ALL_PROXY is right, or name the host in NO_PROXY")
            }
            (None, Some(hint)) => error.hint(hint),
            (None, None) => error,
        }
    }

    /// The proxy that stands between us and `url`, if the environment names one.
    fn proxy(&self, url: &Url) -> Option<String> {
        let proxies = self.proxies.get_or_init(Matcher::from_env);
        let between = proxies.intercept(&url.as_str().parse().ok()?)?;
        // Without user and password.
        let port = between.uri().port().map_or_else(String::new, |port| format!(":{port}"));
        Some(format!("{}{port}", between.uri().host()?))
    }

    fn client(&self) -> Result<&Client> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        // Whoever was first has said which, and it doesn't matter.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .user_agent(concat!("sched/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            // A redirect would take what is secret elsewhere.
            .redirect(Policy::none())
            .build();
        let failed = |error: reqwest::Error| {
            Error::new(ErrorKind::Foreign, format!("no HTTP client: {}", words(&error, self.patience)))
        };
        let client = client.map_err(failed)?;
        Ok(self.client.get_or_init(|| client))
    }
}

/// What the server said no with.
pub(crate) fn refused(method: &Method, place: &str, answer: &Answer, secrets: &[String]) -> Error {
    let status = answer.status;
    let text = String::from_utf8_lossy(&answer.body);
    let text = scrubbed(&text.split_whitespace().collect::<Vec<_>>().join(" "), secrets);
    let excerpt = &text[..text.floor_char_boundary(EXCERPT)];
    let why = if excerpt.is_empty() { String::new() } else { format!(": {excerpt}") };
    let error = Error::new(ErrorKind::Foreign, format!("{method} {place}: answered {status}{why}"));
    match status {
        401 | 403 => error.hint("see whether the token or the address is still valid, and what it may do"),
        404 => error.hint("see whether the address is right; a token without access may get this answer too"),
        300..=399 => error.hint("redirects aren't followed; write the address that it leads to"),
        429 => error.hint("it is asked too often; what is left follows"),
        _ => error,
    }
}

/// A written address, parsed. The text is no part of the error.
pub(crate) fn url(text: &str) -> Result<Url> {
    let url = Url::parse(text).map_err(|why| Error::new(ErrorKind::Invalid, format!("its `url` is none: {why}")))?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(url),
        _ => Err(Error::new(ErrorKind::Invalid, "its `url` begins with neither `https://` nor `http://`")),
    }
}

/// The part of an address that may be seen: whose it is. Paths hold the tokens of most webhooks.
pub(crate) fn public(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    let rest = if url.path() == "/" && url.query().is_none() { "/" } else { "/***" };
    format!("{}://{host}{port}{rest}", url.scheme())
}

/// An error with its causes, and without its address. `patience` is how long the request could take.
fn words(error: &reqwest::Error, patience: Duration) -> String {
    if error.is_timeout() {
        let patience = if error.is_connect() { patience.min(CONNECT) } else { patience };
        return format!("no answer within {} s", patience.as_secs_f32());
    }
    let mut words = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        words.push(error.to_string());
        cause = error.source();
    }
    // The innermost says it all: the others repeat it, or say "error sending request".
    words
        .pop()
        .map_or_else(|| "it failed".into(), |last| last.split(" (os error").next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_seen_of_an_address_is_its_host() {
        let check = |written: &str, expected: &str| assert_eq!(public(&url(written).expect(written)), expected);
        check("https://hooks.slack.com/services/T0/B0/s3cret", "https://hooks.slack.com/***");
        check("http://ann:s3cret@127.0.0.1:8080/?token=s3cret", "http://127.0.0.1:8080/***");
        check("https://example.org", "https://example.org/");
        for wrong in ["s3cret", "ftp://s3cret.example.org/", "file:///s3cret", "http://"] {
            assert!(!url(wrong).expect_err(wrong).to_string().contains("s3cret"));
        }
    }
}
