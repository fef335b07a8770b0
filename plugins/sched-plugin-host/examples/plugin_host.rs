//! The least that a program needs to be the child of plugins that are libraries: one call, first thing in `main`. It is what
//! the tests of this crate start; `plugin_host __plugin-host /path/to/library.so` waits for a host's `hello` on standard input.
#![expect(clippy::print_stdout, reason = "this is a program, and printing is all that it does by itself")]

fn main() {
    sched_plugin_host::library::serve_if_asked();
    println!("started as itself: no plugin's child was asked for");
}
