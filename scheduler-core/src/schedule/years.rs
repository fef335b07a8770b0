//! The set of years of a seven-field expression, as a bitset. Most schedules have none.

/// Years from [`Years::FIRST`] to [`Years::LAST`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Years {
    words: Box<[u64; WORDS]>,
}

const WORDS: usize = ((Years::LAST - Years::FIRST) / 64 + 1) as usize;

impl Years {
    /// The epoch's: no job was defined before it.
    pub(super) const FIRST: u32 = 1970;
    /// The last year a timestamp can lie in.
    pub(super) const LAST: u32 = 9999;

    /// The first member that is not before `year`.
    pub(super) fn first_from(&self, year: i32) -> Option<i32> {
        let from = u32::try_from(year).unwrap_or(0).max(Self::FIRST);
        (from..=Self::LAST).find(|&year| self.contains(year)).map(u32::cast_signed)
    }

    /// The members, ascending.
    pub(super) fn members(&self) -> impl Iterator<Item = u32> {
        (Self::FIRST..=Self::LAST).filter(|&year| self.contains(year))
    }

    /// The members as runs of neighbours.
    pub(super) fn runs(&self) -> Vec<(u32, u32)> {
        let mut runs: Vec<(u32, u32)> = Vec::new();
        for year in self.members() {
            match runs.last_mut() {
                Some((_, last)) if *last + 1 == year => *last = year,
                _ => runs.push((year, year)),
            }
        }
        runs
    }

    fn contains(&self, year: u32) -> bool {
        let bit = year - Self::FIRST;
        self.words[(bit / 64) as usize] >> (bit % 64) & 1 == 1
    }
}

impl FromIterator<u32> for Years {
    fn from_iter<I: IntoIterator<Item = u32>>(years: I) -> Self {
        let mut words = Box::new([0; WORDS]);
        for year in years {
            let bit = year - Self::FIRST;
            words[(bit / 64) as usize] |= 1 << (bit % 64);
        }
        Years { words }
    }
}
