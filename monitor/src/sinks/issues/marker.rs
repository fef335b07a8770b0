//! The hidden comment by which an issue is known again: whose it is, and about what.

use crate::notice::Notice;

/// The marker of the alert's issue. Two homes that share a repository don't take each other's for theirs.
pub(super) fn of(notice: &Notice) -> String {
    format!("<!-- sched-alert node={} key={} -->", plain(&notice.sender.node), plain(&notice.alert.key))
}

/// Text in which nothing can end a comment.
fn plain(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' => char::from(byte).to_string(),
        // A single hyphen is plain as well, and two end a comment.
        other => format!("%{other:02x}"),
    };
    text.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn no_text_ends_the_comment_that_it_is_in() {
        assert_eq!(plain("job-a --> x"), "job%2da%20%2d%2d%3e%20x");
        assert_ne!(plain("a-b"), plain("a%2db"), "and no two are the same");
    }
}
