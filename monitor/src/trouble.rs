//! Why a server can't be spoken to, in plain words with what to do about it. Libraries say it in the names of their types. Pure.

/// How it was to be spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// HTTP, with TLS or without.
    Web { tls: bool },
    /// SMTP with TLS from the start.
    Smtps,
    /// SMTP that turns to TLS, or has none.
    Smtp,
}

/// What is wrong, if `said` is known to mean something, and what to do.
pub(crate) fn plain(said: &str, way: Way) -> Option<(String, &'static str)> {
    let says = |part: &str| said.contains(part);
    let is_web = matches!(way, Way::Web { .. });
    if let Some((_, what)) = said.split_once("invalid peer certificate: ") {
        return Some(certificate(what));
    }
    if says("InvalidContentType") || says("InvalidMessage") {
        let hint = match way {
            Way::Web { .. } => "write `http://`, or the port that speaks TLS",
            Way::Smtps => {
                "`smtps://` is for port 465; for a port that turns to TLS (587, 25), write `smtp+starttls://`"
            }
            Way::Smtp => "see whether this is the port of a mail server",
        };
        return Some(("no TLS is spoken there".into(), hint));
    }
    if is_web && (says("invalid HTTP") || says("message is incomplete")) {
        let hint = match way {
            Way::Web { tls: false } => "if that port speaks TLS, write `https://`",
            _ => "see whether host and port are right",
        };
        return Some(("what answers there speaks no HTTP".into(), hint));
    }
    if says("STARTTLS is not supported") {
        let hint = "write `smtps://` for a port with TLS from the start (465); `smtp://` without a password goes without TLS if it must";
        return Some(("the server offers no STARTTLS".into(), hint));
    }
    if says("received fatal alert") || says("peer is incompatible") {
        let what = said.rsplit(": ").next().unwrap_or(said);
        return Some((
            format!("the server refuses TLS as it is spoken here ({what})"),
            "it may be too old, and know no TLS 1.2",
        ));
    }
    None
}

fn certificate(what: &str) -> (String, &'static str) {
    let says = |part: &str| what.contains(part);
    // The other is one whose issuer has the name of somebody trusted, and another key.
    let (is, hint) = if says("UnknownIssuer") || says("BadSignature") {
        (
            "is signed by nobody whom this machine trusts",
            "if it is your own, name its file in SSL_CERT_FILE in the environment of the daemon, or let the machine trust it",
        )
    } else if says("CaUsedAsEndEntity") {
        (
            "is one to sign others with, and no server's",
            "make one with `basicConstraints=CA:FALSE`, signed by it or by itself",
        )
    } else if says("not valid for name") || says("NotValidForName") {
        ("is for another name", "write the host as the certificate has it")
    } else if says("NotValidYet") || says("not valid yet") {
        ("is not valid yet", "see whether the clock of this machine is right")
    } else if says("xpired") {
        ("has expired", "it has to be renewed; see also whether the clock of this machine is right")
    } else if says("Revoked") {
        ("has been revoked", "it has to be renewed")
    } else {
        return (format!("its certificate can't be trusted: {what}"), "`openssl s_client -connect HOST:PORT` shows it");
    };
    (format!("its certificate {is}"), hint)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, OtherError};

    use super::*;

    #[derive(Debug)]
    struct CaUsedAsEndEntity;

    impl std::fmt::Display for CaUsedAsEndEntity {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("CaUsedAsEndEntity")
        }
    }

    impl std::error::Error for CaUsedAsEndEntity {}

    #[track_caller]
    fn check(said: &Error, way: Way, expected: (&str, &str)) {
        let (why, hint) = plain(&said.to_string(), way).unwrap_or_else(|| panic!("unknown: {said}"));
        assert!(why.contains(expected.0) && hint.contains(expected.1), "{said}: {why}; {hint}");
    }

    #[test]
    fn what_libraries_say_of_certificates_is_said_plainly() {
        let check = |error, expected| check(&Error::InvalidCertificate(error), Way::Smtps, expected);
        check(CertificateError::UnknownIssuer, ("whom this machine trusts", "SSL_CERT_FILE"));
        check(CertificateError::BadSignature, ("whom this machine trusts", "SSL_CERT_FILE"));
        check(CertificateError::Other(OtherError(Arc::new(CaUsedAsEndEntity))), ("to sign others", "CA:FALSE"));
        check(CertificateError::NotValidForName, ("for another name", "host"));
        check(CertificateError::Expired, ("has expired", "renewed"));
        check(CertificateError::NotValidYet, ("not valid yet", "clock"));
        check(CertificateError::Revoked, ("revoked", "renewed"));
        check(CertificateError::BadEncoding, ("can't be trusted", "openssl"));
    }

    #[test]
    fn a_wrong_port_is_told_by_the_way_it_was_meant() {
        let plain_text = Error::InvalidMessage(InvalidMessage::InvalidContentType);
        check(&plain_text, Way::Web { tls: true }, ("no TLS is spoken there", "`http://`"));
        check(&plain_text, Way::Smtps, ("no TLS is spoken there", "smtp+starttls"));
        check(&plain_text, Way::Smtp, ("no TLS is spoken there", "port of a mail server"));
        let old = Error::AlertReceived(AlertDescription::ProtocolVersion);
        check(&old, Way::Smtps, ("refuses TLS as it is spoken here (ProtocolVersion)", "too old"));
        assert_eq!(plain("Connection refused", Way::Smtp), None, "that is plain enough");
    }
}
