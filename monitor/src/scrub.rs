//! Texts without what is secret. Whoever says no likes to repeat what it was asked, in whatever form that had on its way. Pure.

use reqwest::Url;

/// What is shorter is part of too many words.
const SHORTEST: usize = 4;

/// `text` without any of `secrets`, as they are or encoded.
pub(crate) fn scrubbed(text: &str, secrets: &[String]) -> String {
    let mut telling: Vec<String> = secrets.iter().filter(|secret| secret.len() >= SHORTEST).flat_map(forms).collect();
    telling.retain(|form| form.len() >= SHORTEST);
    // A part of another must not spoil it.
    telling.sort_by_key(|form| std::cmp::Reverse(form.len()));
    telling.dedup();
    telling.into_iter().fold(text.to_owned(), |text, form| text.replace(&form, "***"))
}

/// What an address lets somebody in with: user and password, alone and as they are sent.
pub(crate) fn credentials(url: &Url) -> Vec<String> {
    let password = url.password().unwrap_or_default();
    if url.username().is_empty() && password.is_empty() {
        return Vec::new();
    }
    login(&decoded(url.username()), &decoded(password))
}

/// User and password, alone and as they are sent: together, with a colon by HTTP and with zeros by SMTP.
pub(crate) fn login(user: &str, password: &str) -> Vec<String> {
    vec![user.to_owned(), password.to_owned(), format!("{user}:{password}"), format!("\0{user}\0{password}")]
}

/// A part of an address, with `%40` as the `@` that it is.
pub(crate) fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A secret as it may be met: as it is, in an address, in JSON, in a header.
fn forms(secret: &String) -> Vec<String> {
    let plain = decoded(secret);
    let json = serde_json::Value::from(secret.as_str()).to_string();
    let lower = encoded(secret, |byte| format!("%{byte:02x}"));
    let forms = [encoded(secret, |byte| format!("%{byte:02X}")), lower, json.trim_matches('"').to_owned()];
    let headers = [&plain, secret].map(|text| base64(text.as_bytes()));
    let safe = headers.clone().map(|text| text.replace('+', "-").replace('/', "_"));
    [secret.clone(), plain].into_iter().chain(forms).chain(headers).chain(safe).collect()
}

fn encoded(text: &str, as_digits: fn(u8) -> String) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        other => as_digits(other),
    };
    text.bytes().map(encode).collect()
}

/// Without the `=` at its end, so that it is found with and without.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letters = |chunk: &[u8]| {
        let three = [chunk[0], chunk.get(1).copied().unwrap_or(0), chunk.get(2).copied().unwrap_or(0)];
        let bits = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        let four = [18, 12, 6, 0].map(|shift| char::from(LETTERS[(bits >> shift) as usize & 63]));
        four.into_iter().take(chunk.len() + 1).collect::<String>()
    };
    bytes.chunks(3).map(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lets_somebody_in_is_in_no_text_however_it_is_written() {
        let url: Url = "https://ann:p%40ss%2Fw%22rd@example.org/".parse().expect("an address");
        let secrets = credentials(&url);
        let check = |said: &str, expected: &str| assert_eq!(scrubbed(said, &secrets), expected, "{said}");
        check("you sent p@ss/w\"rd", "you sent ***");
        check("you sent p%40ss%2Fw%22rd, or p%40ss%2fw%22rd", "you sent ***, or ***");
        check(r#"{"password": "p@ss/w\"rd"}"#, r#"{"password": "***"}"#);
        // "ann:p@ss/w"rd", and the same for AUTH PLAIN and AUTH LOGIN.
        check("authorization: Basic YW5uOnBAc3MvdyJyZA==", "authorization: Basic ***==");
        check("AUTH PLAIN AGFubgBwQHNzL3cicmQ=", "AUTH PLAIN ***=");
        check("334 cEBzcy93InJk", "334 ***");
        check("ann is no user of ours", "ann is no user of ours");
        assert!(credentials(&"https://example.org/".parse().expect("an address")).is_empty());
    }

    #[test]
    fn a_secret_that_is_part_of_another_does_not_spoil_it() {
        let secrets = ["secret".to_owned(), "secret-and-more".to_owned(), "abc".to_owned()];
        assert_eq!(scrubbed("secret-and-more, secret, abc", &secrets), "***, ***, abc");
    }

    #[test]
    fn base64_is_what_it_is_elsewhere() {
        let check = |text: &str, expected: &str| assert_eq!(base64(text.as_bytes()), expected);
        check("", "");
        check("f", "Zg");
        check("fo", "Zm8");
        check("foobar", "Zm9vYmFy");
        check("\u{ff}\u{fe}?>", "w7/Dvj8+");
    }
}
