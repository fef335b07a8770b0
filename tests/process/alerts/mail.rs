//! Mail, by a server of the machine's Python: with TLS, with STARTTLS, with a login.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

use crate::process::bench::{Place, eventually};

/// A server, as long as this lives.
pub(in crate::process) struct Server {
    child: Child,
    port: String,
    certificate: PathBuf,
    folder: PathBuf,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// `None` where there is none to be had: `scripts/test` installs it, and says so if it can't.
    pub(in crate::process) fn start(place: &Place, mode: &str) -> Option<Self> {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target folder");
        let python = target.join("mail-server/bin/python");
        let (certificate, key) = (place.path("cert.pem"), place.path("key.pem"));
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"])
            .args([
                "-addext",
                "subjectAltName=IP:127.0.0.1,DNS:localhost",
                "-addext",
                "basicConstraints=critical,CA:FALSE",
            ])
            .arg("-keyout")
            .arg(&key)
            .arg("-out")
            .arg(&certificate)
            .stderr(Stdio::null())
            .status();
        if !python.exists() || !made.is_ok_and(|status| status.success()) {
            return None;
        }
        let folder = place.path("mails");
        fs::create_dir_all(&folder).expect("a folder");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("process/alerts/mail.py");
        let mut child = Command::new(python)
            .arg(script)
            .arg(mode)
            .args([&certificate, &key, &folder])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a mail server");
        let mut port = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut port).expect("its port");
        Some(Self { child, port: port.trim().to_owned(), certificate, folder })
    }

    fn mails(&self) -> Vec<String> {
        let text = |number: usize| fs::read_to_string(self.folder.join(format!("{number}.eml"))).ok();
        (1..).map_while(text).collect()
    }

    /// The same, decoded: `type`, `subject`, and the `parts` by their types.
    pub(in crate::process) fn read(&self) -> Vec<Value> {
        let one = |number: usize| fs::read_to_string(self.folder.join(format!("{number}.json"))).ok();
        let read = (1..=self.mails().len()).map_while(one);
        read.map(|text| serde_json::from_str(&text).expect("JSON")).collect()
    }

    /// A sink of this server that needs the environment of [`sched`].
    pub(in crate::process) fn sink(&self, scheme: &str) -> Value {
        let smtp = format!("{scheme}://ann:${{SMTP_PASS}}@localhost:{}", self.port);
        json!({"name": "mail", "type": "email", "to": ["ops@example.org"], "from": "sched@example.org", "smtp": smtp})
    }
}

/// What holds a password in which everything is that means something in an address.
const PASSWORD: &str = "p@ss/word%41";

/// The program with what it takes to send mail by `server`.
pub(in crate::process) fn sched(place: &Place, server: &Server, line: &[&str]) -> Command {
    let mut command = place.command(line);
    command.env("SMTP_PASS", PASSWORD).env("SSL_CERT_FILE", &server.certificate);
    command
}

fn header<'m>(mail: &'m str, name: &str) -> &'m str {
    let line = mail.lines().find(|line| line.to_lowercase().starts_with(&format!("{}:", name.to_lowercase())));
    line.and_then(|line| line.split_once(": ")).unwrap_or_else(|| panic!("no {name}: {mail}")).1
}

fn a_thread(mode: &str, scheme: &str) {
    let place = Place::beating();
    let Some(server) = Server::start(&place, mode) else { return };
    place.write("config.yaml", format!("agent: db-1\nnotify:\n  - {}\n", server.sink(scheme)));
    let mended = place.path("mended");
    let command = format!("test -e {}", mended.display());
    place.write_jobs(&[json!({"id": "backup", "schedule": "@yearly", "command": command})]);

    // Nobody has said that this certificate can be trusted.
    let refused = place.start_command(place.command(&["alerts", "test"]).env("SMTP_PASS", PASSWORD)).ran();
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(
        refused.out.contains("its certificate is signed by nobody whom this machine trusts")
            && !refused.out.contains("p@ss")
            && !refused.out.contains("p%40ss"),
        "{refused:?}"
    );
    // And this is not the password.
    let refused = place.start_command(sched(&place, &server, &["alerts", "test"]).env("SMTP_PASS", "wrong-one")).ran();
    assert!(refused.out.contains("535") && !refused.out.contains("wrong-one"), "{refused:?}");
    assert_eq!(server.mails().len(), 0);

    let failed = place.start_command(&mut sched(&place, &server, &["fire", "backup", "--wait"])).ran();
    assert_eq!(failed.code, Some(1), "{failed:?}");
    fs::write(&mended, "").expect("mended");
    let well = place.start_command(&mut sched(&place, &server, &["fire", "backup", "--wait"])).ran();
    assert_eq!(well.code, Some(0), "{well:?}");
    let mails =
        eventually(
            "two mails",
            || if server.mails().len() == 2 { Ok(server.mails()) } else { Err(format!("{well:?}")) },
        );
    assert_eq!(header(&mails[0], "Subject"), "[db-1] job `backup` failed");
    assert!(header(&mails[1], "Subject").starts_with("[db-1] job `backup` succeeded again after "), "{}", mails[1]);
    assert_eq!(header(&mails[1], "In-Reply-To"), header(&mails[0], "Message-ID"));
    assert!(
        mails[0].contains("exit code 1") && header(&mails[0], "Content-Type").starts_with("text/plain"),
        "{}",
        mails[0]
    );
}

#[test]
fn mail_forms_a_thread_by_tls() {
    a_thread("tls", "smtps");
}

#[test]
fn mail_forms_a_thread_by_starttls() {
    a_thread("starttls", "smtp+starttls");
}
