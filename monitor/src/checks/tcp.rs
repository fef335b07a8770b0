//! Does a server answer? A connection, or for an `http://` URL the status of an answer.

use std::{io, time::Duration};

use scheduler_core::{Error, config::checks::Tcp};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::Found;

/// The longest first line of an answer that is read.
const LINE: usize = 1024;

/// What came back.
#[derive(Debug)]
enum Answer {
    /// A connection.
    Connected,
    /// The first line of an answer to an HTTP request.
    Line(String),
}

pub(super) async fn look(check: &Tcp) -> Found {
    let asked = timeout(check.timeout, ask(&check.address)).await;
    judge(&check.address, check.timeout, asked.ok())
}

/// What an answer means; `None` is none in time.
fn judge(address: &str, patience: Duration, answer: Option<io::Result<Answer>>) -> Found {
    const START: &str = "see whether its server runs, and listens there";
    match answer {
        None => Found::bad(format!("{address} does not answer within {patience:?}"), START),
        Some(Err(error)) => Found::bad(Error::io(format!("{address} does not answer"), error).to_string(), START),
        Some(Ok(Answer::Connected)) => Found::ok(format!("{address} takes connections")),
        Some(Ok(Answer::Line(line))) => match status(&line) {
            Some(status @ 100..400) => Found::ok(format!("{address} answers {status}")),
            Some(status) => Found::bad(format!("{address} answers {status}"), "see the log of its server"),
            None => Found::bad(
                format!("{address} answers something that is not HTTP: {line:?}"),
                "see what listens there, and whether it wants TLS",
            ),
        },
    }
}

/// The status in `HTTP/1.1 204 No Content`.
fn status(line: &str) -> Option<u16> {
    line.strip_prefix("HTTP/")?.split_ascii_whitespace().nth(1)?.parse().ok()
}

async fn ask(address: &str) -> io::Result<Answer> {
    let Some((host, path)) = address.strip_prefix("http://").map(split) else {
        TcpStream::connect(address).await?;
        return Ok(Answer::Connected);
    };
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    let place = if has_port { host.to_owned() } else { format!("{host}:80") };
    let mut stream = TcpStream::connect(place).await?;
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: sched\r\nAccept: */*\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    while answer.len() < LINE && !answer.contains(&b'\n') {
        let mut buffer = [0; 256];
        match stream.read(&mut buffer).await? {
            0 => break,
            length => answer.extend_from_slice(&buffer[..length]),
        }
    }
    let line = answer.split(|byte| *byte == b'\n').next().unwrap_or_default();
    Ok(Answer::Line(String::from_utf8_lossy(line).trim_end().chars().take(80).collect()))
}

/// The host and the path of a URL, without its scheme; a fragment is nobody's business but a browser's.
fn split(url: &str) -> (&str, String) {
    let url = url.split('#').next().unwrap_or_default();
    match url.find(['/', '?']) {
        Some(at) if url[at..].starts_with('/') => (&url[..at], url[at..].to_owned()),
        Some(at) => (&url[..at], format!("/{}", &url[at..])),
        None => (url, "/".into()),
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::{super::row::shown, *};

    #[test]
    fn what_an_answer_means() {
        let check = |answer: Option<io::Result<Answer>>, expected: &str| {
            let found = shown(&judge("a:1", Duration::from_secs(5), answer));
            assert!(found.starts_with(expected), "{found}");
        };
        let line = |line: &str| Some(Ok(Answer::Line(line.into())));
        check(Some(Ok(Answer::Connected)), "ok a:1 takes connections");
        check(line("HTTP/1.1 204 No Content"), "ok a:1 answers 204");
        check(line("HTTP/1.0 302"), "ok a:1 answers 302");
        check(line("HTTP/1.1 503 Busy"), "bad a:1 answers 503 [see the log");
        check(line("SSH-2.0-OpenSSH"), "bad a:1 answers something that is not HTTP: \"SSH-2.0-OpenSSH\"");
        check(line(""), "bad a:1 answers something that is not HTTP");
        check(None, "bad a:1 does not answer within 5s");
        check(Some(Err(io::ErrorKind::ConnectionRefused.into())), "bad a:1 does not answer: connection refused");
    }

    #[test]
    fn a_url_is_taken_apart() {
        let check = |url: &str, host: &str, path: &str| assert_eq!(split(url), (host, path.to_owned()));
        check("a:8/x?y#z", "a:8", "/x?y");
        check("a?y", "a", "/?y");
        check("[::1]:8", "[::1]:8", "/");
    }

    #[tokio::test]
    async fn a_port_is_open_or_closed_and_a_silent_one_costs_its_time_only() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let open = look(&Tcp::new("a", &address)).await;
        assert_eq!(shown(&open), format!("ok {address} takes connections"));
        // It is connected by the kernel, and nobody ever answers.
        let mut silent = Tcp::new("a", format!("http://{address}/"));
        silent.timeout = Duration::from_millis(50);
        assert!(shown(&look(&silent).await).contains("does not answer within 50ms"));
        drop(listener);
        let closed = look(&Tcp::new("a", &address)).await;
        assert!(shown(&closed).contains("does not answer"), "{closed:?}");
    }
}
