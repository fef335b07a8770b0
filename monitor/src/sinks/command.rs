//! A program that gets the alert as JSON on its standard input. It, and all it starts, is gone when its time is up.

use std::time::Duration;

use async_trait::async_trait;
use scheduler_core::{Error, ErrorKind, Result};
use tokio::process::Command;

use super::Carrier;
use crate::{
    notice::Notice,
    program::{self, Bounds},
    report::Letter,
};

/// The most that is kept of what it complains about.
const COMPLAINT: usize = 4096;

/// A program to be run for every message.
#[derive(Debug)]
pub(super) struct Program {
    command: Vec<String>,
    timeout: Duration,
    /// Variables of the environment that it doesn't get: they let somebody in elsewhere.
    secret_env: Vec<String>,
}

impl Program {
    pub(super) fn new(command: Vec<String>, timeout: Duration, secret_env: Vec<String>) -> Self {
        Self { command, timeout, secret_env }
    }

    async fn run(&self, input: &[u8]) -> Result<()> {
        let program = self.command.first().map_or("", String::as_str);
        let mut command = Command::new(program);
        command.args(self.command.iter().skip(1));
        for name in &self.secret_env {
            command.env_remove(name);
        }
        let bounds = Bounds { within: self.timeout, keep: COMPLAINT, all: false };
        let ended = program::run(command, input, bounds).await;
        let ended = ended.map_err(|error| Error::io(format!("cannot start `{program}`"), error))?;
        match ended.status {
            Some(status) if status.success() => Ok(()),
            Some(status) => {
                let (how, why) = (program::words(status), ended.last_words());
                Err(Error::new(ErrorKind::Foreign, format!("`{program}` failed with {how}{why}")))
            }
            None => {
                let what = format!("`{program}` took longer than {:?} and was ended", self.timeout);
                Err(Error::new(ErrorKind::Io, what))
            }
        }
    }
}

#[async_trait]
impl Carrier for Program {
    async fn deliver(&self, notice: &Notice) -> Result<Option<String>> {
        let mut input = notice.json().to_string().into_bytes();
        input.push(b'\n');
        self.run(&input).await.map(|()| None)
    }

    async fn deliver_report(&self, letter: &Letter) -> Result<()> {
        let mut input = letter.for_programs().to_string().into_bytes();
        input.push(b'\n');
        self.run(&input).await
    }

    fn preview(&self, notice: &Notice) -> String {
        format!("runs {} with this on its standard input:\n{:#}", self.command.join(" "), notice.json())
    }

    fn patience(&self) -> Duration {
        self.timeout + Duration::from_secs(5)
    }
}
