//! The program `sched`; everything it does is in the library `sched_cli`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    sched_cli::main()
}
