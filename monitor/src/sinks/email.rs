//! A mail, in plain text; a report is a page besides. What is sent about one alert forms a thread.

use std::{error::Error as _, time::Duration};

use async_trait::async_trait;
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{
        Mailbox, MessageBuilder, MultiPart,
        header::{ContentType, HeaderName, HeaderValue},
    },
    transport::smtp::{
        self,
        authentication::Credentials,
        client::{Tls, TlsParameters},
        extension::ClientId,
    },
};
use reqwest::Url;
use scheduler_core::{Error, ErrorKind, Result, config::Secret};

use super::Carrier;
use crate::{
    desk::Secrets,
    notice::Notice,
    report::Letter,
    scrub::{decoded, login as forms_of_login, scrubbed},
    trouble::{Way, plain},
};

/// How long one answer of the server may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server, and whom it is to write to.
#[derive(Debug)]
pub(super) struct Mail {
    pub(super) to: Vec<String>,
    pub(super) from: String,
    pub(super) smtp: Secret,
    pub(super) secrets: Secrets,
}

/// Where mail goes, as `smtp` has it.
struct Server {
    host: String,
    port: u16,
    tls: Tls,
    way: Way,
    login: Option<(String, String)>,
}

impl Mail {
    /// The mail about an alert, and its id.
    fn message(&self, notice: &Notice) -> Result<(Message, String)> {
        let (mut message, id) = self.envelope(&notice.subject())?;
        let about = HeaderValue::new(HeaderName::new_from_ascii_str("X-Sched-Alert"), ascii(&notice.id()));
        message = message.raw_header(about).header(ContentType::TEXT_PLAIN);
        if let Some(thread) = &notice.thread {
            message = message.in_reply_to(thread.clone()).references(thread.clone());
        }
        Ok((message.body(format!("{}\n", notice.body())).map_err(|why| unmade(&why))?, id))
    }

    /// The mail with a report: as text, and as a page for those who can show it.
    fn report(&self, letter: &Letter) -> Result<Message> {
        let both = MultiPart::alternative_plain_html(letter.text.clone(), letter.html.clone());
        self.envelope(&letter.subject)?.0.multipart(both).map_err(|why| unmade(&why))
    }

    /// Everything but what it says, and its id.
    fn envelope(&self, subject: &str) -> Result<(MessageBuilder, String)> {
        let odd = |address: &str| Error::new(ErrorKind::Invalid, format!("`{address}` is no address for mail"));
        let mailbox = |address: &String| address.parse::<Mailbox>().map_err(|_| odd(address));
        let mut random = [0; 12];
        let failed = |why| Error::new(ErrorKind::Io, format!("no random number: {why}"));
        getrandom::fill(&mut random).map_err(failed)?;
        let letters = random.iter().fold(String::new(), |letters, byte| format!("{letters}{byte:02x}"));
        let id = format!("<{letters}@{}>", host_of(&self.from));
        let mut message = Message::builder()
            .from(mailbox(&self.from)?)
            .subject(subject.replace(['\r', '\n'], " "))
            .message_id(Some(id.clone()))
            .date_now()
            // No vacation notice shall answer it.
            .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".into()));
        for to in &self.to {
            message = message.to(mailbox(to)?);
        }
        Ok((message, id))
    }

    async fn send(&self, message: Message) -> Result<()> {
        // lettre takes the cryptography that the process has.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let Server { host, port, tls, way, login } = self.server()?;
        let mut secrets = self.secrets.hidden(&self.smtp);
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host.clone())
            .port(port)
            .tls(tls)
            .timeout(Some(PATIENCE))
            .hello_name(ClientId::Domain(host_of(&self.from).to_owned()));
        if let Some((user, password)) = login {
            secrets.extend(forms_of_login(&user, &password));
            transport = transport.credentials(Credentials::new(user, password));
        }
        let sent = transport.build().send(message).await;
        let failed = |error: smtp::Error| {
            let (why, hint) = why(&error, way, port);
            let error = Error::new(ErrorKind::Io, format!("mail by {host}:{port}: {}", scrubbed(&why, &secrets)));
            hint.into_iter().fold(error, Error::hint)
        };
        sent.map(drop).map_err(failed)
    }

    fn server(&self) -> Result<Server> {
        let wrong = |what: String| Error::new(ErrorKind::Invalid, format!("its `smtp` {what}"));
        let url =
            Url::parse(&self.secrets.reveal_url(&self.smtp)?).map_err(|why| wrong(format!("is no address: {why}")))?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| wrong("names no host".into()))?;
        let host = host.trim_matches(['[', ']']).to_owned();
        let login = match (url.username(), url.password()) {
            ("", _) => None,
            (user, Some(password)) => Some((decoded(user), decoded(password))),
            (_, None) => return Err(wrong("has a user and no password".into())),
        };
        let parameters =
            || TlsParameters::new(host.clone()).map_err(|why| wrong(format!("can't be had with TLS: {why}")));
        let (port, tls) = match url.scheme() {
            "smtps" => (465, Tls::Wrapper(parameters()?)),
            "smtp+starttls" => (587, Tls::Required(parameters()?)),
            // A password goes in the clear to nobody but this machine.
            "smtp" if login.is_some() && !is_here(&host) => (587, Tls::Required(parameters()?)),
            "smtp" if is_here(&host) => (25, Tls::None),
            "smtp" => (25, Tls::Opportunistic(parameters()?)),
            _ => return Err(wrong("begins with none of `smtps://`, `smtp+starttls://`, `smtp://`".into())),
        };
        let way = if url.scheme() == "smtps" { Way::Smtps } else { Way::Smtp };
        Ok(Server { port: url.port().unwrap_or(port), host, tls, way, login })
    }
}

#[async_trait]
impl Carrier for Mail {
    async fn deliver(&self, notice: &Notice) -> Result<Option<String>> {
        let (message, id) = self.message(notice)?;
        self.send(message).await?;
        // The first mail is what the others answer to.
        Ok(Some(notice.thread.clone().unwrap_or(id)))
    }

    async fn deliver_report(&self, letter: &Letter) -> Result<()> {
        self.send(self.report(letter)?).await
    }

    fn preview(&self, notice: &Notice) -> String {
        let by = match self.server() {
            Ok(Server { host, port, .. }) => format!("{host}:{port}"),
            Err(error) => return format!("can't be sent: {error}"),
        };
        let (from, to, subject) = (&self.from, self.to.join(", "), notice.subject());
        format!("mails by {by}:\nFrom: {from}\nTo: {to}\nSubject: {subject}\n\n{}", notice.body())
    }
}

fn unmade(why: &lettre::error::Error) -> Error {
    Error::new(ErrorKind::Invalid, format!("no mail can be made of it: {why}"))
}

fn host_of(address: &str) -> &str {
    address.rsplit_once('@').map_or("localhost", |(_, host)| host.trim_end_matches('>'))
}

fn is_here(host: &str) -> bool {
    matches!(host, "localhost" | "::1") || host.starts_with("127.")
}

fn ascii(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_graphic() { c } else { '?' }).collect()
}

/// What went wrong, and what to do about it, if that is known.
fn why(error: &smtp::Error, way: Way, port: u16) -> (String, Option<&'static str>) {
    if error.is_timeout() {
        let from_the_start = way == Way::Smtp && port == 465;
        let hint = from_the_start.then_some("port 465 speaks TLS from the start: write `smtps://`");
        return (format!("no answer within {} s", PATIENCE.as_secs()), hint);
    }
    if let Some(code) = error.status() {
        let hint = if u16::from(code) == 535 { Some("see whether user and password are still valid") } else { None };
        return (error.to_string(), hint);
    }
    // The innermost says it all: the others repeat it.
    let (mut said, mut cause) = (error.to_string(), error.source());
    while let Some(inner) = cause {
        (said, cause) = (inner.to_string(), inner.source());
    }
    match plain(&said, way) {
        Some((why, hint)) => (why, Some(hint)),
        None => (said.split(" (os error").next().unwrap_or_default().to_owned(), None),
    }
}
