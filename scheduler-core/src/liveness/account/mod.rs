//! What the last look at the history found: whether every occurrence that was owed is on record.
//!
//! An audit reads a day of history, far too much for every `status`. So whoever keeps the home looks now and then, and leaves in a
//! file what came of it. What the file says counts until the next look; that none comes any more is a problem too.
//!
//! | file | holds |
//! |---|---|
//! | `look` | what a look found: [`Account`]; when the next is due |
//! | `file` | how it lies on the disk |
//! | `judge` | what of it is a problem. Pure |

mod file;
mod judge;
mod look;

pub(super) use self::judge::problems;
pub use self::{
    judge::AccountFacts,
    look::{Account, Unrecorded},
};

#[cfg(test)]
mod tests;
