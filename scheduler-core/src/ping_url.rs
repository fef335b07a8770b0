//! Addresses that somebody outside is told at: that the daemon lives, that a job started, how it ended.

use std::fmt;

use crate::config::Secret;

/// What addresses begin with.
const SCHEMES: [&str; 2] = ["https://", "http://"];

/// The address of a push monitor. Whoever knows it can vouch for us, so it is a secret: it prints as its host and `***`.
///
/// As in every [`Secret`], `${NAME}` stands for a variable of the environment and `file:PATH` for the content of a file.
///
/// ```
/// use scheduler_core::PingUrl;
/// let url = PingUrl::parse("https://hc-ping.com/4c1c…/backup?create=1").unwrap();
/// assert_eq!(format!("{url} {url:?}"), "https://hc-ping.com/*** https://hc-ping.com/***");
/// let wrong = PingUrl::parse("htps://hc-ping.com/s3cret").unwrap_err();
/// assert_eq!(wrong, "it begins with neither `https://` nor `http://`");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct PingUrl {
    written: Secret,
    shown: String,
}

impl PingUrl {
    /// Takes what is written. What it stands for is looked at when it is used.
    ///
    /// # Errors
    /// What is wrong with it, as a lower-case fragment; never the address.
    pub fn parse(written: &str) -> Result<Self, &'static str> {
        let written = written.trim();
        // What it stands for isn't known before it is used.
        let is_hidden = written.starts_with("file:") || written.starts_with("${");
        let shown = if is_hidden { "***".to_owned() } else { Self::show(written)? };
        Ok(Self { written: Secret::new(written), shown })
    }

    /// The text of it, to be revealed by whoever sends.
    ///
    /// ```
    /// use scheduler_core::PingUrl;
    /// let url = PingUrl::parse("https://hc-ping.com/${HC_KEY}/backup").unwrap();
    /// assert_eq!(url.secret().variables(), ["HC_KEY"]);
    /// ```
    pub fn secret(&self) -> &Secret {
        &self.written
    }

    /// The part of `address` that may be seen: paths and queries hold what lets somebody in.
    ///
    /// # Errors
    /// It is no address of a web server.
    ///
    /// ```
    /// use scheduler_core::PingUrl;
    /// assert_eq!(PingUrl::show("http://ann:s3cret@10.0.0.7:8000/ping/s3cret"), Ok("http://10.0.0.7:8000/***".into()));
    /// assert!(PingUrl::show("https:///s3cret").is_err());
    /// ```
    pub fn show(address: &str) -> Result<String, &'static str> {
        let known = |scheme: &&str| address.get(..scheme.len()).is_some_and(|it| it.eq_ignore_ascii_case(scheme));
        let scheme = SCHEMES.into_iter().find(known).ok_or("it begins with neither `https://` nor `http://`")?;
        if address.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err("it holds a space or a control character");
        }
        let rest = &address[scheme.len()..];
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        if host.is_empty() || host.starts_with(':') {
            return Err("it names no host");
        }
        // A host that is a variable is nobody's to see either.
        let host = if host.contains("${") { "***" } else { host };
        Ok(format!("{scheme}{host}/***"))
    }
}

impl fmt::Display for PingUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for PingUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_if_it_is_one_and_shows_its_host_alone() {
        let check = |written: &str, expected: Result<&str, &str>| {
            let taken = PingUrl::parse(written).map(|url| url.to_string());
            assert_eq!(taken.as_deref().map_err(|why| *why), expected, "{written}");
        };
        check("https://hc-ping.com/s3cret", Ok("https://hc-ping.com/***"));
        check("HTTPS://hc-ping.com", Ok("https://hc-ping.com/***"));
        check(" http://[::1]:8080?s3cret#x ", Ok("http://[::1]:8080/***"));
        check("https://${HOST}/s3cret", Ok("https://***/***"));
        check("https://hc-ping.com/${KEY}/backup", Ok("https://hc-ping.com/***"));
        check("${WHOLE}", Ok("***"));
        check("file:/etc/sched/ping", Ok("***"));
        check("", Err("it begins with neither `https://` nor `http://`"));
        check("hc-ping.com/s3cret", Err("it begins with neither `https://` nor `http://`"));
        check("ftp://s3cret", Err("it begins with neither `https://` nor `http://`"));
        check("https://", Err("it names no host"));
        check("https://ann@:80/", Err("it names no host"));
        check("https://a b/", Err("it holds a space or a control character"));
    }
}
