//! The program `sched`; everything it does is in the library `sched_cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    sched_cli::main()
}
