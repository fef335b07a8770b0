//! What the operator can set about runs. Values only.

use std::{collections::BTreeMap, fmt, path::PathBuf, time::Duration};

/// How commands are run and how much of their output is kept.
///
/// ```
/// let mut config = sched_runner::RunnerConfig::new("/var/lib/sched/runs");
/// config.env.insert("MAILTO".into(), "ops@example.org".into());
/// assert_eq!(config.output_limit, 1024 * 1024);
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct RunnerConfig {
    /// The folder of the output files, `<job>/<run>.log` in it. Made when the first run needs it, with mode 0700.
    pub runs_dir: PathBuf,
    /// The shell that gets the commands that are a line of text, as `shell -c line`.
    pub shell: String,
    /// Whether a child starts from the environment of this process.
    pub inherit_env: bool,
    /// Added to every child's environment; the job's own wins.
    pub env: BTreeMap<String, String>,
    /// Variables of this process that no child inherits: those the configuration took its secrets from.
    pub secret_env: Vec<String>,
    /// How much of a run's output is kept, in bytes, where the job doesn't say: the first and the last half of it.
    pub output_limit: u64,
    /// How long a run that is stopped has between SIGTERM and SIGKILL.
    pub kill_after: Duration,
    /// How many output files of a job are kept.
    pub keep_logs_per_job: usize,
    /// How much room all output files together may take, in bytes.
    pub logs_max_bytes: u64,
}

impl RunnerConfig {
    /// The defaults, with output files in `runs_dir`.
    pub fn new(runs_dir: impl Into<PathBuf>) -> Self {
        Self {
            runs_dir: runs_dir.into(),
            shell: "/bin/sh".into(),
            inherit_env: true,
            env: BTreeMap::new(),
            secret_env: Vec::new(),
            output_limit: 1 << 20,
            kill_after: Duration::from_secs(10),
            keep_logs_per_job: 20,
            logs_max_bytes: 1 << 30,
        }
    }
}

impl fmt::Debug for RunnerConfig {
    /// Without the values of `env`: they may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunnerConfig")
            .field("runs_dir", &self.runs_dir)
            .field("shell", &self.shell)
            .field("inherit_env", &self.inherit_env)
            .field("env", &self.env.keys())
            .field("secret_env", &self.secret_env)
            .field("output_limit", &self.output_limit)
            .field("kill_after", &self.kill_after)
            .field("keep_logs_per_job", &self.keep_logs_per_job)
            .field("logs_max_bytes", &self.logs_max_bytes)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_values() {
        let mut config = RunnerConfig::new("runs");
        config.env.insert("TOKEN".into(), "hunter2".into());
        let shown = format!("{config:?}");
        assert!(shown.contains("TOKEN") && !shown.contains("hunter2"), "{shown}");
    }
}
